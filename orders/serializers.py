"""The shapes of orders, their history and their money."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

from drf_spectacular.utils import extend_schema_field
from orjson import Fragment
from rest_framework import serializers

from bakery import clock
from bakery.api.caching import Renderings
from bakery.api.fields import (
    AmountField,
    ChoiceField,
    CountField,
    DayField,
    FlagField,
    IdField,
    InstantField,
    LongTextField,
    ModelSerializer,
    TextField,
    WallTimeField,
)
from bakery.api.renderers import dump
from bakery.db import CENT
from cashbook.models import MAIN, Method
from orders import services
from orders.errors import OVERRIDABLE
from orders.models import (
    MOST_LINES,
    MOST_PIECES,
    Fulfilment,
    Line,
    Order,
    OrderEvent,
    OrderHead,
    OrderItem,
    Override,
    Payment,
    PaymentKind,
    PaymentStatus,
    RefundedItem,
    StandingDate,
    StandingOrder,
    Status,
    VatBucket,
    Wish,
    load_orders,
)
from products.models import Place

REASONS = ["", "sold_out", "not_baked", "too_late", "shop_closed"]


class OrderItemSerializer(ModelSerializer):
    """A line, as it was when it was ordered."""

    product = serializers.IntegerField(source="product_id")

    class Meta:
        model = OrderItem
        fields = ["id", "product", "product_name", "unit_price", "vat_rate", "quantity", "line_total", "note"]
        read_only_fields = fields


class VatBucketSerializer(serializers.Serializer[Any]):
    rate = serializers.DecimalField(max_digits=5, decimal_places=2)
    net = AmountField()
    vat = AmountField()
    gross = AmountField()


_RENDERINGS = Renderings(most=5000)


class OrderPageSerializer(serializers.ListSerializer[Any]):
    """A page of orders, by their heads. Those that were shown before in this version are not read again."""

    def to_representation(self, data: Iterable[OrderHead]) -> list[Fragment]:  # type: ignore[override]
        heads = list(data)
        kept = _RENDERINGS.find(heads)
        missing = load_orders([head.id for head in heads if head not in kept])
        fresh = {OrderHead.of(order): dump(_show(order)) for order in missing}
        _RENDERINGS.keep(fresh)
        # By the id: an order that changed since its head was read is shown as it is now.
        shown = {head.id: rendering for head, rendering in chain(kept.items(), fresh.items())}
        return [
            Fragment(b'%b,"allowed_statuses":%b}' % (shown[head.id][:-1], allowed))
            for head, allowed in zip(heads, self._allowed(heads), strict=True)
        ]

    def _allowed(self, heads: list[OrderHead]) -> Iterator[bytes]:
        """Yield the allowed statuses of each order, as JSON."""
        user, now = self.context["request"].user, self.context["now"]
        known: dict[tuple[str, str, bool], bytes] = {}
        for head in heads:
            alike = head.status, head.fulfilment, now > head.deadline_at
            if alike not in known:
                known[alike] = dump(services.allowed_statuses(head, user, now))
            yield known[alike]


class OrderSerializer(ModelSerializer):
    """An order as its customer and the staff read it."""

    allowed_statuses = serializers.SerializerMethodField()
    customer = serializers.IntegerField(source="customer_id", allow_null=True)
    items = OrderItemSerializer(many=True)
    vat = VatBucketSerializer(many=True, source="vat_buckets")
    balance = AmountField()
    payment_status = ChoiceField(choices=PaymentStatus.choices)

    class Meta:
        model = Order
        fields = [
            "id", "code", "tracking_token", "status", "channel", "customer", "customer_name",
            "customer_email", "customer_phone", "fulfilment", "address", "consumption", "due_at", "deadline_at",
            "notes", "items", "total", "vat_total", "vat", "paid", "balance", "payment_status", "created_at",
            "updated_at", "allowed_statuses",
        ]  # fmt: skip
        read_only_fields = fields
        list_serializer_class = OrderPageSerializer

    @extend_schema_field(serializers.ListField(child=ChoiceField(choices=Status.choices)))
    def get_allowed_statuses(self, order: Order) -> list[str]:
        user = self.context["request"].user
        return services.allowed_statuses(order, user if user.is_authenticated else None, self.context["now"])

    def to_representation(self, instance: Order) -> dict[str, Any]:
        return {**_show(instance), "allowed_statuses": self.get_allowed_statuses(instance)}


def _show(order: Order) -> dict[str, Any]:
    """Return what a version of an order shows to anybody, at any time.

    It is written down by hand: through its fields, which are there for the schema, it takes three times as long.
    """
    return {
        "id": order.pk,
        "code": order.code,
        "tracking_token": order.tracking_token,
        "status": order.status,
        "channel": order.channel,
        "customer": order.customer_id,
        "customer_name": order.customer_name,
        "customer_email": order.customer_email,
        "customer_phone": order.customer_phone,
        "fulfilment": order.fulfilment,
        "address": order.address,
        "consumption": order.consumption,
        "due_at": clock.local(order.due_at).isoformat(),
        "deadline_at": clock.local(order.deadline_at).isoformat(),
        "notes": order.notes,
        "items": [_line(line) for line in order.lines],
        "total": f"{order.total:.2f}",
        "vat_total": f"{order.vat_total:.2f}",
        "vat": [_bucket(bucket) for bucket in order.vat_buckets()],
        "paid": f"{order.paid:.2f}",
        "balance": f"{order.balance:.2f}",
        "payment_status": order.payment_status,
        "created_at": clock.local(order.created_at).isoformat(),
        "updated_at": clock.local(order.updated_at).isoformat(),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "product": line.product_id,
        "product_name": line.product_name,
        "unit_price": f"{line.unit_price:.2f}",
        "vat_rate": f"{line.vat_rate:.2f}",
        "quantity": line.quantity,
        "line_total": f"{line.line_total:.2f}",
        "note": line.note,
    }


def _bucket(bucket: VatBucket) -> dict[str, str]:
    return {name: f"{getattr(bucket, name):.2f}" for name in ("rate", "net", "vat", "gross")}


class OverrideSerializer(ModelSerializer):
    """Why somebody went over the rules, and over which: the codes of the refusals."""

    rules = serializers.ListField(child=serializers.ChoiceField(OVERRIDABLE))

    class Meta:
        model = Override
        fields = ["reason", "rules"]
        read_only_fields = fields


class OrderEventSerializer(ModelSerializer):
    """A step in an order's life; `changes` says of each field what it was and what it became.

    `override` is for the staff: it is null to everybody else.
    """

    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    vars()["from"] = serializers.CharField(source="came_from", allow_null=True)  # `from` is a word of Python's
    to = serializers.CharField(source="to_status")
    changes = serializers.DictField(child=serializers.ListField())
    override = OverrideSerializer(default=None, allow_null=True)

    class Meta:
        model = OrderEvent
        fields = ["at", "user", "from", "to", "note", "changes", "override"]
        read_only_fields = fields

    def to_representation(self, instance: OrderEvent) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown if self.context["request"].user.is_staff else {**shown, "override": None}


class StepSerializer(ModelSerializer):
    """A step in an order's life without what is between staff and customer."""

    vars()["from"] = serializers.CharField(source="came_from", allow_null=True)
    to = serializers.CharField(source="to_status")

    class Meta:
        model = OrderEvent
        fields = ["at", "from", "to"]
        read_only_fields = fields


class TrackedOrderSerializer(OrderSerializer):
    """What whoever holds the tracking token sees: the order without its account, and the way it went so far."""

    history = StepSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = [name for name in OrderSerializer.Meta.fields if name not in ("customer", "tracking_token")] + [
            "history"
        ]

    def to_representation(self, instance: Order) -> dict[str, Any]:
        shown = super().to_representation(instance)
        del shown["customer"], shown["tracking_token"]
        steps = StepSerializer(instance.history.all(), many=True).data
        return {**shown, "allowed_statuses": [], "history": steps}


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


class WantedItemSerializer(serializers.Serializer[Any]):
    product = IdField()
    quantity = CountField(min_value=1, max_value=MOST_PIECES)
    note = TextField(max_length=200, allow_blank=True, default="")


class PlaceOrderSerializer(serializers.Serializer[Any]):
    """What is sent to place an order. `customer` and `override` are for staff."""

    customer = IdField(required=False, allow_null=True)
    customer_name = TextField(max_length=200, required=False, allow_blank=True)
    customer_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    customer_phone = TextField(max_length=32, required=False, allow_blank=True)
    fulfilment = ChoiceField(choices=Fulfilment.choices, required=False)
    address = LongTextField(max_length=500, required=False, allow_blank=True)
    consumption = ChoiceField(choices=Place.choices, required=False)
    due_at = InstantField()
    notes = LongTextField(max_length=2000, required=False, allow_blank=True)
    items = WantedItemSerializer(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]  # unknown to the stubs
    override = TextField(max_length=500, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        """Leave out what this caller may not set: it is ignored, whatever it is."""
        if isinstance(data, dict) and not self.context["request"].user.is_staff:
            data = {name: value for name, value in data.items() if name != "customer"}
        return super().to_internal_value(data)


class EditedItemSerializer(WantedItemSerializer):
    """A line as it is to be: of a product, or an old one by its id."""

    id = IdField(required=False)
    product = IdField(required=False)


class EditOrderSerializer(PlaceOrderSerializer):
    """What is changed. It is not parsed as partial, since that would make the parts of a line optional as well."""

    due_at = InstantField(required=False)
    items = EditedItemSerializer(many=True, allow_empty=False, max_length=MOST_LINES, required=False)  # type: ignore[call-arg]  # unknown to the stubs


class ChangeStatusSerializer(serializers.Serializer[Any]):
    status = ChoiceField(choices=Status.choices, source="to")
    note = LongTextField(max_length=2000, allow_blank=True, default="")


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


class AvailabilitySerializer(serializers.Serializer[Any]):
    product = serializers.IntegerField()
    date = DayField()
    available = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(choices=REASONS)


class StandingItemSerializer(serializers.Serializer[Any]):
    """So many pieces on an ISO weekday."""

    product = IdField(source="product_id")
    weekday = CountField(min_value=1, max_value=7)
    quantity = CountField(min_value=1, max_value=MOST_PIECES)


class StandingOrderSerializer(ModelSerializer):
    """An order that comes again, as staff and its customer read it."""

    customer = serializers.IntegerField(source="customer_id")
    items = StandingItemSerializer(many=True)
    due_time = WallTimeField()
    skipped = serializers.SerializerMethodField()

    class Meta:
        model = StandingOrder
        fields = [
            "id", "customer", "items", "due_time", "fulfilment", "address", "start", "end", "paused", "skipped",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=DayField()))
    def get_skipped(self, standing: StandingOrder) -> list[str]:
        return [skip.date.isoformat() for skip in standing.skips.all()]


class WantedStandingItemSerializer(StandingItemSerializer):
    product = IdField()


class MakeStandingOrderSerializer(serializers.Serializer[Any]):
    """What is sent to make one."""

    customer = IdField()
    items = WantedStandingItemSerializer(many=True, allow_empty=False, max_length=7 * MOST_LINES)  # type: ignore[call-arg]  # unknown to the stubs
    due_time = WallTimeField()
    fulfilment = ChoiceField(choices=Fulfilment.choices, required=False)
    address = LongTextField(max_length=500, required=False, allow_blank=True)
    start = DayField(required=False)
    end = DayField(required=False, allow_null=True)
    paused = FlagField(required=False)
    skipped = serializers.ListField(child=DayField(), max_length=1000, required=False)


class EditStandingOrderSerializer(MakeStandingOrderSerializer):
    """What is changed. It is not parsed as partial, since that would make the parts of a line optional as well."""

    customer = IdField(required=False)
    items = WantedStandingItemSerializer(many=True, allow_empty=False, max_length=7 * MOST_LINES, required=False)  # type: ignore[call-arg]  # unknown to the stubs
    due_time = WallTimeField(required=False)


class SkipDateSerializer(serializers.Serializer[Any]):
    date = DayField()


class ShortfallSerializer(serializers.Serializer[Any]):
    """What of a line could not be had."""

    product = serializers.IntegerField()
    product_name = serializers.CharField()
    wanted = serializers.IntegerField()
    ordered = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=["sold_out", "not_baked", "too_late", "over_maximum"])


class StandingDateSerializer(ModelSerializer):
    """What became of a date: its order, or the reason why there is none."""

    order = serializers.IntegerField(source="order_id", allow_null=True)
    shortfall = ShortfallSerializer(many=True)

    class Meta:
        model = StandingDate
        fields = ["date", "order", "reason", "shortfall"]
        read_only_fields = fields


class WishSerializer(ModelSerializer):
    """A place on the waiting list; `order` is what it became."""

    customer = serializers.IntegerField(source="customer_id", allow_null=True)
    product = serializers.IntegerField(source="product_id")
    product_name = serializers.CharField(source="product.name")
    due_time = WallTimeField()
    order = serializers.IntegerField(source="order_id", allow_null=True)

    class Meta:
        model = Wish
        fields = [
            "id", "customer", "customer_name", "customer_email", "customer_phone", "product", "product_name", "date",
            "quantity", "due_time", "order", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class WaitSerializer(serializers.Serializer[Any]):
    """What is sent to wait. `customer` is for staff."""

    product = IdField()
    date = DayField()
    quantity = CountField(min_value=1, max_value=MOST_PIECES)
    due_time = WallTimeField(required=False)
    customer = IdField(required=False, allow_null=True)
    customer_name = TextField(max_length=200, required=False, allow_blank=True)
    customer_email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    customer_phone = TextField(max_length=32, required=False, allow_blank=True)
