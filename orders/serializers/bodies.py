"""The shapes of what is sent to place, edit and move along an order."""

from typing import Any

from rest_framework import serializers

from bakery.api.fields import (
    ChoiceField,
    CountField,
    IdField,
    InstantField,
    LongTextField,
    TextField,
)
from orders.models import (
    MOST_LINES,
    MOST_PIECES,
    Fulfilment,
    Status,
)
from products.models import Place


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
    """What is changed."""

    # It is not parsed as partial, since that would make the parts of a line optional as well.

    due_at = InstantField(required=False)
    items = EditedItemSerializer(many=True, allow_empty=False, max_length=MOST_LINES, required=False)  # type: ignore[call-arg]  # unknown to the stubs


class ChangeStatusSerializer(serializers.Serializer[Any]):
    status = ChoiceField(choices=Status.choices, source="to")
    note = LongTextField(max_length=2000, allow_blank=True, default="")
