from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bakery.api.fields import SumField
from orders.errors import OVERRIDABLE
from reports.selectors import GROUPINGS, Key


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class KeyField(serializers.Field[Key, Any, Key, Any]):
    """Text such as `2026-11-25`; a product's is its id."""

    def to_representation(self, value: Key) -> Key:
        return value


class SalesFiguresSerializer(serializers.Serializer[Any]):
    orders = serializers.IntegerField(help_text="Different orders, tickets of returns among them.")
    quantity = serializers.IntegerField(help_text="Pieces, less those taken back.")
    gross = SumField(help_text="VAT included.")
    vat = SumField()
    net = SumField()


class SalesRowSerializer(serializers.Serializer[Any]):
    key = KeyField()
    label = serializers.CharField()  # type: ignore[assignment]  # a serializer has a label of its own
    orders = serializers.IntegerField()
    quantity = serializers.IntegerField()
    gross = SumField()
    vat = SumField()
    net = SumField()


class SalesReportSerializer(serializers.Serializer[Any]):
    vars()["from"] = serializers.DateField(source="first")  # `from` is a word of Python's
    to = serializers.DateField(source="last")
    group_by = serializers.ChoiceField(GROUPINGS)
    rows = SalesRowSerializer(many=True)
    total = SalesFiguresSerializer()


class CashAtRateSerializer(serializers.Serializer[Any]):
    rate = serializers.DecimalField(
        max_digits=5, decimal_places=2, allow_null=True, help_text="Null has what was booked without its VAT."
    )
    net = SumField()
    vat = SumField()
    gross = SumField()


class CashFiguresSerializer(serializers.Serializer[Any]):
    vars()["in"] = SumField(source="money_in")  # `in` is a word of Python's
    out = SumField(source="money_out")
    net = SumField()
    by_method = serializers.DictField(child=SumField())
    by_type = serializers.DictField(child=SumField())
    by_vat = CashAtRateSerializer(many=True)


class DailyCashSerializer(CashFiguresSerializer):
    date = serializers.DateField()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"date": fields.pop("date"), **fields}


class DailyCashReportSerializer(serializers.Serializer[Any]):
    vars()["from"] = serializers.DateField(source="first")
    to = serializers.DateField(source="last")
    days = DailyCashSerializer(many=True)
    total = CashFiguresSerializer()


class OverrideRowSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    user = serializers.CharField(allow_null=True)
    order = serializers.IntegerField()
    code = serializers.CharField(help_text="Of the order.")
    due_at = serializers.DateTimeField(help_text="When the order is due now.")
    action = serializers.ChoiceField(["placed", "edited"])
    rules = serializers.ListField(
        child=serializers.ChoiceField(OVERRIDABLE), help_text="The codes of the refusals that were gone over."
    )
    reason = serializers.CharField()


class OverrideTotalSerializer(serializers.Serializer[Any]):
    overrides = serializers.IntegerField(source="total")
    by_rule = serializers.DictField(
        child=serializers.IntegerField(), help_text="An override may have gone over several rules, or over none."
    )


class OverrideReportSerializer(serializers.Serializer[Any]):
    vars()["from"] = serializers.DateField(source="first")
    to = serializers.DateField(source="last")
    rows = OverrideRowSerializer(many=True)
    total = OverrideTotalSerializer(source="*")
