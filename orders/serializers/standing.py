"""The shapes of standing orders."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bakery.api.fields import (
    ChoiceField,
    CountField,
    DayField,
    FlagField,
    IdField,
    LongTextField,
    ModelSerializer,
    WallTimeField,
)
from orders.models import (
    MOST_LINES,
    MOST_PIECES,
    Fulfilment,
    StandingDate,
    StandingOrder,
)


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
    """What is changed."""

    # It is not parsed as partial, since that would make the parts of a line optional as well.

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
