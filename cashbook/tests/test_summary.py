"""The summary: each day of the shop, whatever the clock does at night."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from cashbook import selectors, services
from cashbook.tests.factories import a_cashier, book

pytestmark = pytest.mark.django_db

NOTHING = {
    "in": "0.00",
    "out": "0.00",
    "net": "0.00",
    "by_method": {"cash": "0.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
    "by_type": {"sale": "0.00", "refund": "0.00", "paid_in": "0.00", "paid_out": "0.00", "bank_drop": "0.00"},
    "by_vat": [],
}


def untold(gross):
    """The turnover of entries that were booked without their VAT."""
    return [{"rate": None, "net": gross, "vat": "0.00", "gross": gross}]


@pytest.fixture
def api(api_as):
    return api_as(a_cashier())


def at(text):
    return datetime.fromisoformat(text)


def nets(first, last):
    days = selectors.summary(date.fromisoformat(first), date.fromisoformat(last)).days
    return {str(day.date): str(day.net) for day in days}


def test_three_days_to_the_letter(api):
    book("75.00", now=at("2026-11-24T06:00Z"))
    book("30.10", "sale", "card", now=at("2026-11-24T07:00Z"))
    wrong = book("12.00", "sale", "card", now=at("2026-11-24T08:00Z"))
    services.reverse(entry_id=wrong.pk, notes="", actor=a_cashier(), now=at("2026-11-24T09:00Z"))
    book("8.00", "refund", now=at("2026-11-26T06:00Z"))
    book("50.00", "bank_drop", now=at("2026-11-26T07:00Z"))
    book("20.00", "paid_in", now=at("2026-11-26T08:00Z"))
    book("1.00", now=at("2026-11-27T08:00Z"))  # after the last day

    assert api.get("/api/cash/summary?from=2026-11-24&to=2026-11-26").json()["data"] == {
        "from": "2026-11-24",
        "to": "2026-11-26",
        "days": [
            {
                "date": "2026-11-24",
                "in": "117.10",
                "out": "12.00",
                "net": "105.10",
                "by_method": {"cash": "75.00", "card": "30.10", "transfer": "0.00", "voucher": "0.00"},
                "by_type": NOTHING["by_type"] | {"sale": "105.10"},
                "by_vat": untold("105.10"),
            },
            NOTHING | {"date": "2026-11-25"},
            {
                "date": "2026-11-26",
                "in": "20.00",
                "out": "58.00",
                "net": "-38.00",
                "by_method": NOTHING["by_method"] | {"cash": "-38.00"},
                "by_type": NOTHING["by_type"] | {"refund": "-8.00", "bank_drop": "-50.00", "paid_in": "20.00"},
                "by_vat": untold("-8.00"),
            },
        ],
        "total": {
            "in": "137.10",
            "out": "70.00",
            "net": "67.10",
            "by_method": {"cash": "37.00", "card": "30.10", "transfer": "0.00", "voucher": "0.00"},
            "by_type": {
                "sale": "105.10",
                "refund": "-8.00",
                "paid_in": "20.00",
                "paid_out": "0.00",
                "bank_drop": "-50.00",
            },
            "by_vat": untold("97.10"),
        },
    }


@time_machine.travel("2026-11-25T22:59:00Z", tick=False)
def test_without_days_it_is_the_last_thirty(api):
    data = api.get("/api/cash/summary").json()["data"]
    assert (data["from"], data["to"], len(data["days"])) == ("2026-10-27", "2026-11-25", 30)
    assert data["total"] == NOTHING


def test_one_register_may_be_asked_for(api):
    services.add_register(name="stall")
    book("1.00")
    book("2.00", register="stall")

    assert api.get("/api/cash/summary?register=stall").json()["data"]["total"]["net"] == "2.00"
    assert api.get("/api/cash/summary").json()["data"]["total"]["net"] == "3.00"


def test_a_day_begins_and_ends_at_midnight_of_the_shop():
    book("1.00", now=at("2026-11-24T22:59:59.999999Z"))
    book("2.00", now=at("2026-11-24T23:00:00Z"))
    assert nets("2026-11-24", "2026-11-25") == {"2026-11-24": "1.00", "2026-11-25": "2.00"}


@pytest.mark.parametrize(
    ("first", "middle", "last", "hours"),
    [("2026-03-28", "2026-03-29", "2026-03-30", 23), ("2026-10-24", "2026-10-25", "2026-10-26", 25)],
)
def test_the_days_on_which_the_clock_changes_are_shorter_and_longer(first, middle, last, hours):
    # One entry in the middle of each hour that passes, from the first minute of the first day on.
    start = at(f"{first}T00:30+{'01:00' if hours == 23 else '02:00'}").astimezone(UTC)
    for hour in range(48 + hours):
        book("1.00", now=start + timedelta(hours=hour))

    assert nets(first, last) == {first: "24.00", middle: f"{hours}.00", last: "24.00"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-26&to=2026-11-25", "from"),
        ("from=2020-01-01&to=2025-01-04", "from"),
        ("from=2026-13-01", "from"),
        ("to=x", "to"),
        ("to=9999-12-31", "to"),
        ("register=moon", "register"),
        ("group_by=day", "group_by"),
    ],
)
def test_a_bad_parameter_is_named(api, query, field):
    response = api.get(f"/api/cash/summary?{query}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_the_longest_span_is_five_years(api):
    response = api.get("/api/cash/summary?from=2020-01-01&to=2025-01-03")
    assert len(response.json()["data"]["days"]) == 1830


def test_it_costs_the_same_however_long_the_book(api, queries_do_not_grow):
    assert queries_do_not_grow(api, "/api/cash/summary", book) <= 3
