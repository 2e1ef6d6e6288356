"""Serializer fields that take exactly one form of each value, and the ModelSerializer that is made of them."""

import re
from collections.abc import MutableMapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bakery import clock, texts
from bakery.api.parsers import NumberText
from bakery.db import CENT, MOST_MONEY, MoneyField

# The most that the column of an id can hold.
MOST_ID = 2**63 - 1

_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)


def _from_form(field: serializers.Field) -> bool:  # type: ignore[type-arg]
    """Whether the value came as text of a form or a query, where everything is text."""
    return hasattr(field.root, "initial_data") and hasattr(field.root.initial_data, "getlist")


class TextField(serializers.CharField):
    """Text in Unicode's composed form, trimmed, without control characters; `lines` allows line breaks."""

    default_error_messages = {"control_character": "It holds a control character."}

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        self.lines = lines
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or isinstance(data, NumberText):
            self.fail("invalid")
        try:
            text = texts.tidy(data, lines=self.lines)
        except ValueError:
            self.fail("control_character")
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class LongTextField(TextField):
    """Text that may have line breaks."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("style", None)
        super().__init__(lines=True, **kwargs)


class VerbatimField(serializers.CharField):
    """Text that is kept as it was written; only NUL and half characters are refused."""

    default_error_messages = {"control_character": "It holds a control character."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or isinstance(data, NumberText):
            self.fail("invalid")
        if "\x00" in data or re.search("[\ud800-\udfff]", data):
            self.fail("control_character")
        return super().to_internal_value(data)


class CountField(serializers.IntegerField):
    """A whole number: a JSON integer, or plain digits in a form."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is int:
            return int(data)
        if isinstance(data, NumberText) or not isinstance(data, str) or not _from_form(self):
            self.fail("invalid")
        if not _WHOLE.fullmatch(data):
            self.fail("invalid")
        return int(data)


@extend_schema_field({"type": "string", "pattern": r"^-?\d{1,8}(\.\d{1,2})?$", "example": "3.50"})
class AmountField(serializers.DecimalField):
    """Money: plain digits with at most two decimals, as a string or a JSON number; "3.50" on the way out."""

    default_error_messages = {
        "max_digits": "Ensure that there are no more than 8 digits before the decimal point.",
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_digits", None)
        kwargs.pop("decimal_places", None)
        kwargs.setdefault("max_value", MOST_MONEY)
        super().__init__(max_digits=10, decimal_places=2, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        written = str(data) if type(data) is int else data
        if not isinstance(written, str) or not _DECIMAL.fullmatch(written) or _is_minus_zero(written):
            self.fail("invalid")
        value = super().to_internal_value(written)
        assert isinstance(value, Decimal)
        return value.quantize(CENT)


class SumField(serializers.DecimalField):
    """A sum of amounts on its way out: it may be longer than an amount."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=2, read_only=True, **kwargs)


def _is_minus_zero(written: str) -> bool:
    return written.startswith("-") and not written.strip("-0.")


class FlagField(serializers.BooleanField):
    """true or false; in a form also the words."""

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        if not (_from_form(self) and data in ("true", "false")):
            self.fail("invalid", input=data)
        return bool(data == "true")

    def get_value(self, dictionary: Any) -> Any:
        # An absent box in a form means "not said", as in JSON; DRF would read it as false.
        return dictionary.get(self.field_name, serializers.empty)


def read_day(text: Any) -> date:
    """Read YYYY-MM-DD and nothing else, from 1901 to 2199; raise ValueError."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("Use the form YYYY-MM-DD.")
    day = date.fromisoformat(text)
    # The day before the first year and the one after the last have no instants to compare with.
    if not 1900 < day.year < 2200:
        raise ValueError("The year must be from 1901 to 2199.")
    return day


class DayField(serializers.DateField):
    """A date of the shop, YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> date:
        try:
            return read_day(value)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "06:30"})
class WallTimeField(serializers.TimeField):
    """HH:MM by the shop's clock."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)

    def to_internal_value(self, value: Any) -> time:
        # Seconds are taken where they say nothing.
        if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
            self.fail("invalid", format="HH:MM")
        return time.fromisoformat(value)


class InstantField(serializers.DateTimeField):
    """An instant in ISO 8601; without an offset it is the shop's wall time."""

    default_error_messages = {"no_such_time": "{reason}"}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss+hh:mm")
        try:
            read = datetime.fromisoformat(value)
            instant = read if read.tzinfo else None
            if instant is not None:
                clock.local(instant)
        except (ValueError, OverflowError):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss+hh:mm")
        if not 1900 < read.year < 2200:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss+hh:mm, with a year from 1901 to 2199")
        if instant is not None:
            return instant
        try:
            return clock.wall_time(read)
        except ValueError as error:
            self.fail("no_such_time", reason=str(error))

    def enforce_timezone(self, value: datetime) -> datetime:
        return clock.local(value)

    def to_representation(self, value: datetime) -> str:
        return clock.local(value).isoformat()


class IdField(CountField):
    """The id of another object. Nothing has an id that no column can hold, and a database would stumble over it."""

    default_error_messages = {"does_not_exist": "There is nothing with this id."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MOST_ID, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        value = super().to_internal_value(data)
        if value > MOST_ID:
            self.fail("does_not_exist")
        return value


class IdRelatedField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """A reference by id: a JSON integer."""

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not int:
            self.fail("incorrect_type", data_type=type(data).__name__)
        if not 1 <= data <= MOST_ID:
            self.fail("does_not_exist", pk_value=data)
        return super().to_internal_value(data)


class SlugRelatedField(serializers.SlugRelatedField):  # type: ignore[type-arg]
    """A reference by slug: text."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or isinstance(data, NumberText) or texts.UNSEEN.search(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class ChoiceField(serializers.ChoiceField):
    """One of a few words, as text."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or isinstance(data, NumberText):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class ModelSerializer(serializers.ModelSerializer[Any]):
    """DRF's, made of the fields above. Uniqueness is the database's to say: a duplicate is a 409, not a 400."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: TextField,
        models.TextField: LongTextField,
        models.DateField: DayField,
        models.DateTimeField: InstantField,
        models.BooleanField: FlagField,
        models.IntegerField: CountField,
        models.BigIntegerField: CountField,
        models.SmallIntegerField: CountField,
        models.PositiveIntegerField: CountField,
        models.PositiveBigIntegerField: CountField,
        models.PositiveSmallIntegerField: CountField,
        MoneyField: AmountField,
    }
    serializer_related_field = IdRelatedField
    serializer_choice_field = ChoiceField

    def get_validators(self) -> list[Any]:
        return []

    def include_extra_kwargs(
        self, kwargs: MutableMapping[str, Any], extra_kwargs: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        kwargs = super().include_extra_kwargs(kwargs, extra_kwargs)
        validators = [v for v in kwargs.get("validators", []) if type(v).__name__ != "UniqueValidator"]
        if "validators" in kwargs:
            kwargs["validators"] = validators
        return kwargs
