from typing import Any

from rest_framework import serializers

from bakery.api.fields import ChoiceField, CountField, DayField, FlagField, IdField, LongTextField
from production.models import BakingItem, CounterSource, Draft, ItemStatus, PlanStatus
from production.selectors import PREVIEW
from products.models import MOST_PIECES


class BakingItemSerializer(serializers.Serializer[Any]):
    product = serializers.IntegerField(source="product_id")
    product_name = serializers.CharField(source="listed.name")
    category = serializers.CharField(source="listed.category", help_text="The category's slug.")
    ordered = serializers.IntegerField(min_value=0, help_text="Pieces of the orders due that day, live.")
    planned_for = serializers.IntegerField(min_value=0, help_text="Pieces of the orders that the plan knew.")
    counter = serializers.IntegerField(min_value=0, help_text="Pieces to sell over the counter.")
    counter_source = serializers.ChoiceField(CounterSource.choices)
    carried_over = serializers.IntegerField(min_value=0, help_text="Pieces left from before that will be sold.")
    rounding = serializers.IntegerField(help_text="Up to whole batches; below zero where a person planned less.")
    planned = serializers.IntegerField(
        min_value=0, help_text="planned_for + counter - carried_over + rounding, always exactly."
    )
    batch_size = serializers.IntegerField(min_value=1, help_text="1 where the product has none.")
    batches = serializers.IntegerField(min_value=0, help_text="How many batches give the planned pieces.")
    produced = serializers.IntegerField(min_value=0)
    wasted = serializers.IntegerField(min_value=0)
    shortfall = serializers.IntegerField(
        min_value=0, help_text="What ordered + counter - carried_over exceed planned by, or 0."
    )
    status = serializers.ChoiceField(ItemStatus.choices)
    assigned_to = serializers.IntegerField(source="assigned_to_id", allow_null=True, help_text="The id of a user.")

    def to_representation(self, instance: BakingItem | Draft) -> dict[str, Any]:
        """Write it down by hand: through its fields, which are there for the schema, it takes five times as long."""
        item = instance
        return {
            "product": item.product_id,
            "product_name": item.listed.name,
            "category": item.listed.category,
            "ordered": item.ordered,
            "planned_for": item.planned_for,
            "counter": item.counter,
            "counter_source": item.counter_source,
            "carried_over": item.carried_over,
            "rounding": item.rounding,
            "planned": item.planned,
            "batch_size": item.batch_size,
            "batches": item.batches,
            "produced": item.produced,
            "wasted": item.wasted,
            "shortfall": item.shortfall,
            "status": item.status,
            "assigned_to": item.assigned_to_id,
        }


class BakingTotalsSerializer(serializers.Serializer[Any]):
    ordered = serializers.IntegerField(min_value=0)
    planned = serializers.IntegerField(min_value=0)
    produced = serializers.IntegerField(min_value=0)


class BakingListSerializer(serializers.Serializer[Any]):
    """The list of one day. Before a plan is made it is a preview, without id and version."""

    id = serializers.IntegerField(allow_null=True)
    date = serializers.DateField()
    status = serializers.ChoiceField([(PREVIEW, "Preview"), *PlanStatus.choices])
    version = serializers.IntegerField(source="edition", allow_null=True, help_text="Counts the plans of this day.")
    notes = serializers.CharField()
    items = BakingItemSerializer(many=True)
    totals = BakingTotalsSerializer()


class PlanChangeSerializer(serializers.Serializer[Any]):
    product = serializers.IntegerField()
    product_name = serializers.CharField()
    before = serializers.IntegerField(min_value=0)
    after = serializers.IntegerField(min_value=0)
    difference = serializers.IntegerField()


class PlanDaySerializer(serializers.Serializer[Any]):
    date = DayField()
    include_forecast = FlagField(source="includes_forecast", default=False)
    notes = LongTextField(max_length=2000, allow_blank=True, default="")


class ChangeItemSerializer(serializers.Serializer[Any]):
    counter = CountField(min_value=0, max_value=MOST_PIECES, required=False)
    planned = CountField(min_value=0, max_value=MOST_PIECES, required=False)
    produced = CountField(min_value=0, max_value=MOST_PIECES, required=False)
    wasted = CountField(min_value=0, max_value=MOST_PIECES, required=False)
    status = ChoiceField(ItemStatus.choices, required=False)
    assigned_to = IdField(allow_null=True, required=False, help_text="The id of a member of staff.")


class MovePlanSerializer(serializers.Serializer[Any]):
    status = ChoiceField(PlanStatus.choices)
