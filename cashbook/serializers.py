"""The shapes of entries, sessions, registers and sums."""

from decimal import Decimal
from typing import Any

from django.core.validators import validate_slug
from rest_framework import serializers

from bakery.api.fields import (
    AmountField,
    ChoiceField,
    DayField,
    LongTextField,
    ModelSerializer,
    TextField,
)
from bakery.db import CENT
from cashbook.models import MAIN, CashEntry, CashSession, EntryType, Method, Register


class SumField(serializers.DecimalField):
    """A sum of amounts, which may be larger than an amount."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_digits", None)
        kwargs.pop("decimal_places", None)
        super().__init__(max_digits=20, decimal_places=2, **{"read_only": True, **kwargs})


class CashEntrySerializer(ModelSerializer):
    register = serializers.CharField(source="register.name")
    session = serializers.IntegerField(source="session_id", allow_null=True)
    reversal_of = serializers.IntegerField(source="reversal_of_id", allow_null=True)
    user = serializers.CharField(source="user.username")

    class Meta:
        model = CashEntry
        fields = [
            "id", "number", "type", "amount", "signed_amount", "method", "notes", "reference", "register", "session",
            "reversal_of", "user", "created_at", "hash",
        ]  # fmt: skip
        read_only_fields = fields


class BookSerializer(serializers.Serializer[Any]):
    type = ChoiceField(choices=EntryType.choices)
    amount = AmountField(min_value=CENT)
    method = ChoiceField(choices=Method.choices)
    notes = LongTextField(max_length=2000, allow_blank=True, default="")
    register = TextField(max_length=50, default=MAIN)


class ReverseSerializer(serializers.Serializer[Any]):
    notes = LongTextField(max_length=2000, allow_blank=True, default="")


class CashSessionSerializer(ModelSerializer):
    register = serializers.CharField(source="register.name")
    opened_by = serializers.CharField(source="opened_by.username")
    float = AmountField(source="float_amount")
    closed_by = serializers.CharField(source="closed_by.username", allow_null=True)
    expected = SumField(allow_null=True)
    difference = SumField(allow_null=True)

    class Meta:
        model = CashSession
        fields = [
            "id", "number", "register", "opened_by", "opened_at", "float", "closed_by", "closed_at", "expected",
            "counted", "difference", "note",
        ]  # fmt: skip
        read_only_fields = fields


class OpenSessionSerializer(serializers.Serializer[Any]):
    float = AmountField(source="float_amount", min_value=Decimal(0))
    register = TextField(max_length=50, default=MAIN)


class CloseSessionSerializer(serializers.Serializer[Any]):
    counted = AmountField(min_value=Decimal(0))
    note = LongTextField(max_length=2000, allow_blank=True, default="")


class CashTotalsSerializer(serializers.Serializer[Any]):
    vars()["in"] = SumField(source="money_in")  # `in` is a word of Python's
    out = SumField(source="money_out")
    net = SumField()
    by_method = serializers.DictField(child=SumField())
    by_type = serializers.DictField(child=SumField())


class CashDaySerializer(CashTotalsSerializer):
    date = DayField()


class CashSummarySerializer(serializers.Serializer[Any]):
    vars()["from"] = DayField(source="first")
    to = DayField(source="last")
    days = CashDaySerializer(many=True)
    total = CashTotalsSerializer()


class CashReportSerializer(CashTotalsSerializer):
    session = CashSessionSerializer()
    expected = SumField()
    entries = serializers.IntegerField()
    reversals = serializers.IntegerField()
    first_number = serializers.IntegerField(allow_null=True)
    last_number = serializers.IntegerField(allow_null=True)
    chain_head = serializers.CharField()


class RegisterSerializer(ModelSerializer):
    name = TextField(max_length=50, validators=[validate_slug])

    class Meta:
        model = Register
        fields = ["id", "name", "label"]
