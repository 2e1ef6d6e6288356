"""The shapes of what is left, and of the waiting list."""

from typing import Any

from rest_framework import serializers

from bakery.api.fields import (
    CountField,
    DayField,
    IdField,
    ModelSerializer,
    TextField,
    WallTimeField,
)
from orders.models import (
    MOST_PIECES,
    Wish,
)

REASONS = ["", "sold_out", "not_baked", "too_late", "shop_closed"]


class AvailabilitySerializer(serializers.Serializer[Any]):
    product = serializers.IntegerField()
    date = DayField()
    available = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(choices=REASONS)


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
