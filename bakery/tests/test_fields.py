import json
from datetime import date
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace

import pytest
from rest_framework import serializers

from accounts.models import User
from bakery.api import fields
from bakery.api.parsers import StrictJSONParser


def parse(text: str | bytes):
    raw = text.encode() if isinstance(text, str) else text
    request = SimpleNamespace(META={"CONTENT_LENGTH": str(len(raw))})
    return StrictJSONParser().parse(BytesIO(raw), "application/json", {"request": request})


def read(field: serializers.Field, text: str):
    """Read the value of a JSON text as an endpoint would."""
    serializer = type("Body", (serializers.Serializer,), {"value": field})(data=parse(f'{{"value": {text}}}'))
    if not serializer.is_valid():
        return serializer.errors["value"][0].code
    return serializer.validated_data["value"]


@pytest.mark.parametrize("text", ['"3.50"', '"3.5"', "3.5", "3.50"])
def test_an_amount_may_be_a_string_or_a_number(text):
    assert str(read(fields.AmountField(), text)) == "3.50"


@pytest.mark.parametrize("text", ["0", '"0"', '"0.00"'])
def test_nothing_is_an_amount_too(text):
    assert read(fields.AmountField(min_value=Decimal(0)), text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "-0",
        '"-0"',
        '"-0.00"',
        "1E5",
        '"1E5"',
        '"1_000"',
        '"١.٥٠"',
        '"１.50"',
        '"+1"',
        '" "',
        '"1."',
        '".5"',
        "true",
        "[]",
        "{}",
        '"NaN"',
        '"Infinity"',
        '"1,50"',
        '"0x10"',
        "1e400",
    ],
)
def test_other_forms_of_an_amount_are_refused(text):
    assert read(fields.AmountField(min_value=Decimal(0)), text) == "invalid"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"-1"', "min_value"),
        ('"1.005"', "max_decimal_places"),
        ('"100000000.00"', "max_whole_digits"),
        ("1" * 30, "max_digits"),
    ],
)
def test_amounts_have_bounds(text, code):
    assert read(fields.AmountField(min_value=Decimal(0)), text) in {code, "max_value", "max_digits"}


@pytest.mark.parametrize("text", ["1.0", "1e2", "1.5", '"3"', "true", "null", "[1]", "-0", "1" * 40])
def test_a_count_is_a_json_integer_and_nothing_else(text):
    assert read(fields.CountField(), text) in {"invalid", "null"}


def test_a_count_is_read():
    assert read(fields.CountField(min_value=1, max_value=10), "7") == 7


@pytest.mark.parametrize("text", ['"true"', "1", "0", '"on"', '""', "[]"])
def test_a_flag_is_true_or_false(text):
    assert read(fields.FlagField(), text) == "invalid"


@pytest.mark.parametrize(
    "text",
    [
        '"2026-1-5"',
        '"20260105"',
        '"2026-W01-1"',
        '"2026-02-30"',
        '"2026-01-05T00:00"',
        "20260105",
        '"２026-01-05"',
        '""',
    ],
)
def test_other_forms_of_a_date_are_refused(text):
    assert read(fields.DayField(), text) == "invalid"


def test_a_date_is_read():
    assert read(fields.DayField(), '"2026-01-05"') == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ('"2026-11-25T08:00:00+01:00"', "2026-11-25T07:00:00+00:00"),
        ('"2026-11-25T08:00"', "2026-11-25T07:00:00+00:00"),  # the shop's wall time
        ('"2026-07-01T08:00:00"', "2026-07-01T06:00:00+00:00"),
        ('"2026-11-25T07:00:00Z"', "2026-11-25T07:00:00+00:00"),
    ],
)
def test_an_instant_is_read(text, utc):
    from datetime import UTC

    assert read(fields.InstantField(), text).astimezone(UTC).isoformat() == utc


@pytest.mark.parametrize("text", ['"2026-03-29T02:30:00"', '"2026-10-25T02:30:00"'])
def test_a_wall_time_that_is_skipped_or_repeated_is_refused(text):
    assert read(fields.InstantField(), text) == "no_such_time"


@pytest.mark.parametrize("text", ['"2026-03-29T02:30:00+01:00"', '"2026-10-25T02:30:00+02:00"'])
def test_with_an_offset_every_time_exists(text):
    assert read(fields.InstantField(), text) not in {"invalid", "no_such_time"}


@pytest.mark.parametrize(
    "text",
    [
        '"2026-11-25"',
        '"2026-11-25 08:00"',
        '"20261125T080000"',
        '"2026-11-25T25:00"',
        '"0001-01-01T00:00:00+14:00"',
        '"9999-12-31T23:59:59-14:00"',
        "1764057600",
        '"tomorrow"',
        '"2026-W48-3T08:00"',
    ],
)
def test_other_forms_of_an_instant_are_refused(text):
    assert read(fields.InstantField(), text) == "invalid"


def test_text_is_trimmed_and_composed():
    assert read(fields.TextField(), json.dumps("  Cre\u0300me ")) == "Crème"


@pytest.mark.parametrize("bad", ["a\x00b", "a\x07b", "a\u202eb", "a\u200fb", "two\nlines"])
def test_text_holds_nothing_unseen(bad):
    assert read(fields.TextField(), json.dumps(bad)) == "control_character"


@pytest.mark.parametrize("empty", ["", "  ", "\u200b", "\ufeff \u2060"])
def test_text_of_nothing_is_blank(empty):
    assert read(fields.TextField(), json.dumps(empty)) == "blank"


def test_long_text_has_lines():
    assert read(fields.LongTextField(), json.dumps("two\nlines")) == "two\nlines"


@pytest.mark.parametrize("text", ["1", "1.5", "true", "[]", "{}"])
def test_text_is_a_json_string(text):
    assert read(fields.TextField(), text) == "invalid"


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 2}}',
        "[" * 100_000,
        '{"a":' * 50_000,
        "NaN",
        '{"a": NaN}',
        '{"a": Infinity}',
        "{",
        "",
        b"\xff\xfe{}",
        b'{"a": "\xc3"}',
        r'{"a": "\ud800"}',
        r'{"\uDFFF": 1}',
    ],
)
def test_other_json_is_refused(body):
    from rest_framework.exceptions import ParseError

    with pytest.raises(ParseError):
        parse(body)


def test_the_largest_id_is_that_of_a_column():
    assert read(fields.IdField(), f"{2**63 - 1}") == 2**63 - 1
    assert read(fields.IdField(), f"{2**63}") == "does_not_exist"
    assert read(fields.IdField(), "0") == "min_value"


@pytest.mark.django_db
@pytest.mark.parametrize("pk", [-1, 0, 2**63])
def test_what_no_column_can_hold_refers_to_nothing(pk):
    assert read(fields.IdRelatedField(queryset=User.objects.all()), str(pk)) == "does_not_exist"
