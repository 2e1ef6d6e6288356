"""The shapes of entries, sessions, registers and sums."""

from decimal import Decimal
from typing import Any

from django.core.validators import validate_slug
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bakery.api.fields import (
    AmountField,
    ChoiceField,
    CountField,
    DayField,
    LongTextField,
    ModelSerializer,
    SumField,
    TextField,
)
from bakery.db import CENT
from cashbook import selectors
from cashbook.models import MAIN, CashEntry, CashSession, EntryType, Method, MonthlyClosing, Register, VatShare
from cashbook.services import MOST_RATES
from products.models import contained_vat

# More than any currency has kinds of notes and coins.
MOST_DENOMINATIONS = 40


class MoneyByField(serializers.DictField):
    """Sums by name, such as `{"cash": "12.50"}`."""

    child = SumField()


class RateField(AmountField):
    """A VAT rate in per cent, two decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal(0), max_value=Decimal(100), **kwargs)


class VatTotalSerializer(serializers.Serializer[Any]):
    rate = RateField(allow_null=True, help_text="Null has what was booked without its VAT.")
    net = SumField()
    vat = SumField()
    gross = SumField()


class EntryVatSerializer(serializers.Serializer[Any]):
    """What the amount of an entry contains at one rate."""

    rate = RateField()
    net = AmountField()
    vat = AmountField()
    gross = AmountField()


class CashEntrySerializer(ModelSerializer):
    register = serializers.CharField(source="register.name")
    session = serializers.IntegerField(source="session_id", allow_null=True)
    reversal_of = serializers.IntegerField(source="reversal_of_id", allow_null=True)
    user = serializers.CharField(source="user.username")
    vat = EntryVatSerializer(source="vat_shares", many=True)

    class Meta:
        model = CashEntry
        fields = [
            "id", "number", "type", "amount", "signed_amount", "method", "notes", "reference", "register", "session",
            "reversal_of", "user", "created_at", "hash", "vat", "signature",
        ]  # fmt: skip
        read_only_fields = fields


class WantedVatSerializer(serializers.Serializer[Any]):
    rate = RateField()
    gross = AmountField()


class BookSerializer(serializers.Serializer[Any]):
    type = ChoiceField(choices=EntryType.choices)
    amount = AmountField(min_value=CENT)
    method = ChoiceField(choices=Method.choices)
    notes = LongTextField(max_length=2000, allow_blank=True, default="")
    register = TextField(max_length=50, default=MAIN)
    vat = WantedVatSerializer(many=True, required=False, max_length=MOST_RATES)  # type: ignore[call-arg]  # unknown to the stubs

    def validate_vat(self, shares: list[dict[str, Decimal]]) -> list[VatShare]:
        """Compute the VAT that each gross amount contains."""
        return [
            VatShare(rate, gross, contained_vat(gross, rate)) for share in shares for rate, gross in [share.values()]
        ]


class ReverseSerializer(serializers.Serializer[Any]):
    notes = LongTextField(max_length=2000, allow_blank=True, default="")


class CountByAmountField(serializers.DictField):
    """Counts by the amount that each stands for: `{"50.00": 2}`."""

    child = CountField(min_value=0, max_value=1_000_000)

    def to_internal_value(self, data: Any) -> dict[Decimal, int]:
        """Read the amounts as well. Two ways to write one amount are refused, as twice the same key is."""
        counts = super().to_internal_value(data)
        if len(counts) > MOST_DENOMINATIONS:
            raise serializers.ValidationError(f"There can be at most {MOST_DENOMINATIONS}.", code="max_length")
        amount, found, problems = AmountField(min_value=CENT), {}, {}
        for text, count in counts.items():
            try:
                found[amount.run_validation(text)] = count
            except serializers.ValidationError as error:
                problems[text] = error.detail
        if problems:
            raise serializers.ValidationError(problems)
        if len(found) < len(counts):
            raise serializers.ValidationError("An amount stands there twice.", code="duplicate")
        return found


class CashSessionSerializer(ModelSerializer):
    register = serializers.CharField(source="register.name")
    opened_by = serializers.CharField(source="opened_by.username")
    float = AmountField(source="float_amount")
    closed_by = serializers.CharField(source="closed_by.username", allow_null=True)
    expected = SumField(allow_null=True)
    difference = SumField(allow_null=True)
    denominations = serializers.SerializerMethodField()

    class Meta:
        model = CashSession
        fields = [
            "id", "number", "register", "opened_by", "opened_at", "float", "closed_by", "closed_at", "expected",
            "counted", "difference", "note", "denominations",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}, "example": {"50.00": 2}})
    def get_denominations(self, session: CashSession) -> dict[str, int]:
        return dict(sorted(session.denominations.items(), key=lambda pair: Decimal(pair[0]), reverse=True))


class OpenSessionSerializer(serializers.Serializer[Any]):
    float = AmountField(source="float_amount", min_value=Decimal(0))
    register = TextField(max_length=50, default=MAIN)


class CloseSessionSerializer(serializers.Serializer[Any]):
    counted = AmountField(min_value=Decimal(0))
    note = LongTextField(max_length=2000, allow_blank=True, default="")
    denominations = CountByAmountField(
        required=False, help_text="How often each note and coin was counted; together they make `counted`."
    )


class CashTotalsSerializer(serializers.Serializer[Any]):
    vars()["in"] = SumField(source="money_in")  # `in` is a word of Python's
    out = SumField(source="money_out")
    net = SumField()
    by_method = MoneyByField()
    by_type = MoneyByField()
    by_vat = VatTotalSerializer(many=True)


class CashDaySerializer(CashTotalsSerializer):
    date = DayField()


class CashSummarySerializer(serializers.Serializer[Any]):
    vars()["from"] = DayField(source="first")
    to = DayField(source="last")
    days = CashDaySerializer(many=True)
    total = CashTotalsSerializer()


class CashSpanSerializer(CashTotalsSerializer):
    entries = serializers.IntegerField()
    transactions = serializers.IntegerField(help_text="Sales and refunds, without reversals.")
    reversals = serializers.IntegerField()
    voided = SumField(help_text="What the reversals took back.")
    first_number = serializers.IntegerField(allow_null=True)
    last_number = serializers.IntegerField(allow_null=True)
    turnover = SumField(help_text="Sales less refunds.")
    sales_by_method = MoneyByField()
    refunds_by_method = MoneyByField()
    perpetual_total = SumField(help_text="Sales less refunds since the register was set up.")
    book_number = serializers.IntegerField(help_text="The number of the register's last entry.")
    chain_head = serializers.CharField(help_text="The hash of that entry; empty in a book without any.")


class CashReportSerializer(CashSpanSerializer):
    kind = ChoiceField(choices=[("X", "X"), ("Z", "Z")], help_text="X is of this moment, Z is kept for good.")
    z_number = serializers.IntegerField(allow_null=True, help_text="Without gaps in each register.")
    made_at = serializers.DateTimeField()
    session = CashSessionSerializer()
    expected = SumField()


class MonthlyClosingSerializer(CashSpanSerializer):
    """A month's closing, with the figures that were written."""

    id = serializers.IntegerField(source="closing.pk")
    number = serializers.IntegerField(source="closing.number", help_text="Without gaps in each register.")
    register = serializers.CharField(source="closing.register.name")
    month = serializers.DateField(format="%Y-%m", help_text="Such as 2026-11.")
    year_total = SumField(help_text="Sales less refunds since the first of January.")
    created_at = serializers.DateTimeField(source="closing.created_at")
    hash = serializers.CharField(source="closing.hash")

    def to_representation(self, instance: MonthlyClosing) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(selectors.kept_month(instance))
        return shown


class RegisterSerializer(ModelSerializer):
    name = TextField(max_length=50, validators=[validate_slug])

    class Meta:
        model = Register
        fields = ["id", "name", "label"]
