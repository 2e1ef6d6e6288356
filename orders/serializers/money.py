"""The shapes of payments, refunds and sales at the till."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from bakery.api.fields import (
    AmountField,
    ChoiceField,
    CountField,
    IdField,
    LongTextField,
    ModelSerializer,
    TextField,
)
from bakery.db import CENT
from cashbook.models import MAIN, Method
from orders.models import (
    MOST_LINES,
    MOST_PIECES,
    Order,
    Payment,
    PaymentKind,
    RefundedItem,
)
from orders.serializers.orders import OrderSerializer
from products.models import Place


class RefundedItemSerializer(ModelSerializer):
    """The pieces of a line that a refund gave back."""

    id = serializers.IntegerField(source="item_id", help_text="Of the order's line.")

    class Meta:
        model = RefundedItem
        fields = ["id", "quantity", "amount"]
        read_only_fields = fields


class PaymentSerializer(ModelSerializer):
    """Money that came in or went back; `change` is what was handed out of what was tendered."""

    user = serializers.CharField(source="user.username")
    cash_entry = serializers.IntegerField(source="cash_entry_id")
    change = AmountField()
    items = RefundedItemSerializer(source="refunded_items", many=True)

    class Meta:
        model = Payment
        fields = [
            "id", "amount", "method", "kind", "note", "user", "created_at", "cash_entry", "tendered", "change", "items",
        ]  # fmt: skip
        read_only_fields = fields


class SaleSerializer(OrderSerializer):
    """A sale at the till: the order, how it was paid, and what to give back."""

    payments = PaymentSerializer(many=True)
    change = AmountField()

    class Meta(OrderSerializer.Meta):
        fields = [*OrderSerializer.Meta.fields, "payments", "change"]

    def to_representation(self, instance: Order) -> dict[str, Any]:
        payments = list(instance.payments.all())
        change = sum((payment.change for payment in payments), Decimal(0))
        return {
            **super().to_representation(instance),
            "payments": PaymentSerializer(payments, many=True).data,
            "change": f"{change:.2f}",
        }


class ItemToRefundSerializer(serializers.Serializer[Any]):
    id = IdField()
    quantity = CountField(min_value=1, max_value=MOST_PIECES)


class PaySerializer(serializers.Serializer[Any]):
    amount = AmountField(min_value=CENT, required=False, help_text="Required but for a refund of `items`.")
    method = ChoiceField(choices=Method.choices)
    kind = ChoiceField(choices=PaymentKind.choices, default=PaymentKind.PAYMENT)
    note = LongTextField(max_length=2000, allow_blank=True, default="")
    tendered = AmountField(min_value=CENT, required=False, allow_null=True)
    items = ItemToRefundSerializer(  # type: ignore[call-arg]  # unknown to the stubs
        many=True,
        required=False,
        max_length=MOST_LINES,
        help_text="Of a refund: the lines that go back. It then gives back what they were sold for.",
    )
    register = TextField(max_length=50, default=MAIN)

    def get_fields(self) -> dict[str, Any]:
        """Demand the amount with everything else that is missing, unless items say it."""
        fields = super().get_fields()
        sent = getattr(self, "initial_data", None)
        fields["amount"].required = isinstance(sent, dict) and "items" not in sent
        return fields


class SoldItemSerializer(serializers.Serializer[Any]):
    product = IdField()
    quantity = CountField(min_value=1, max_value=MOST_PIECES)


class PartSerializer(serializers.Serializer[Any]):
    method = ChoiceField(choices=Method.choices)
    amount = AmountField(min_value=CENT)
    tendered = AmountField(min_value=CENT, required=False, allow_null=True)


class SellSerializer(serializers.Serializer[Any]):
    items = SoldItemSerializer(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]  # unknown to the stubs
    method = ChoiceField(choices=Method.choices, required=False)
    payments = PartSerializer(many=True, required=False, max_length=20)  # type: ignore[call-arg]  # unknown to the stubs
    consumption = ChoiceField(choices=Place.choices, default=Place.TAKEAWAY)
    register = TextField(max_length=50, default=MAIN)
