"""Months that are over are closed once, by the clock, with all that the register took so far."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command

from cashbook import selectors, services
from cashbook.models import GENESIS, MonthlyClosing, Register, VatShare
from cashbook.tests.factories import a_cashier, book

pytestmark = pytest.mark.django_db


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def figures(name):
    return {f"{closing.month:%Y-%m}": closing.figures[name] for closing in MonthlyClosing.objects.order_by("pk")}


def test_a_month_is_closed_when_it_is_over_in_the_shop():
    book("10.00", now=at("2026-09-30T21:59"))  # the last minute of September in the shop
    services.tick(at("2026-09-30T21:59"))
    assert not MonthlyClosing.objects.exists()

    book("5.00", now=at("2026-09-30T22:01"))
    services.tick(at("2026-09-30T22:01"))
    assert figures("turnover") == {"2026-09": "10.00"}


def test_a_closing_to_the_letter():
    first = book(
        "12.00", "sale", "card", now=at("2026-09-02T08:00"), vat=[VatShare(Decimal(20), Decimal(12), Decimal(2))]
    )
    book("2.00", "refund", now=at("2026-09-03T08:00"))
    last = book("50.00", "bank_drop", now=at("2026-09-04T08:00"))
    services.tick(at("2026-10-01T08:00"))

    closing = MonthlyClosing.objects.get()
    assert closing.figures == {
        "month": "2026-09",
        "in": "12.00",
        "out": "52.00",
        "net": "-40.00",
        "turnover": "10.00",
        "by_method": {"cash": "-52.00", "card": "12.00", "transfer": "0.00", "voucher": "0.00"},
        "by_type": {"sale": "12.00", "refund": "-2.00", "paid_in": "0.00", "paid_out": "0.00", "bank_drop": "-50.00"},
        "by_vat": [["20.00", "10.00", "2.00", "12.00"], [None, "-2.00", "0.00", "-2.00"]],
        "sales_by_method": {"cash": "0.00", "card": "12.00", "transfer": "0.00", "voucher": "0.00"},
        "refunds_by_method": {"cash": "-2.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "entries": 3,
        "transactions": 2,
        "reversals": 0,
        "voided": "0.00",
        "first_number": first.number,
        "last_number": last.number,
        "book_number": last.number,
        "chain_head": last.hash,
        "year_total": "10.00",
        "perpetual_total": "10.00",
    }
    assert (closing.number, closing.previous_hash) == (1, GENESIS)


def test_totals_run_on_over_months_and_years_also_over_empty_ones():
    for day, amount in (("2025-11-20", "10.00"), ("2026-01-05", "0.50"), ("2026-02-05", "1.00")):
        book(amount, now=at(f"{day}T10:00"))
    services.tick(at("2026-03-01T10:00"))

    assert figures("turnover") == {"2025-11": "10.00", "2025-12": "0.00", "2026-01": "0.50", "2026-02": "1.00"}
    assert figures("year_total") == {"2025-11": "10.00", "2025-12": "10.00", "2026-01": "0.50", "2026-02": "1.50"}
    assert list(figures("perpetual_total").values()) == ["10.00", "10.00", "10.50", "11.50"]
    hashes = list(MonthlyClosing.objects.order_by("number").values_list("previous_hash", "hash"))
    assert [previous for previous, _ in hashes] == [GENESIS, *(own for _, own in hashes[:-1])]
    assert list(selectors.checks()) == []


def test_what_is_booked_late_counts_in_the_next_closing():
    book("10.00", now=at("2026-09-10T10:00"))
    services.tick(at("2026-10-01T10:00"))
    book("7.00", now=at("2026-09-11T10:00"))
    book("1.00", now=at("2026-10-02T10:00"))
    services.tick(at("2026-11-01T10:00"))

    assert figures("turnover") == {"2026-09": "10.00", "2026-10": "8.00"}
    assert list(selectors.checks()) == []


def test_a_month_is_closed_once_in_each_register():
    services.add_register(name="stall")
    services.add_register(name="unused")
    book("1.00", now=at("2026-09-10T10:00"))
    book("2.00", now=at("2026-09-10T10:00"), register="stall")
    for _ in range(3):
        services.tick(at("2026-10-10T10:00"))

    found = MonthlyClosing.objects.values_list("register__name", "number", "month")
    assert set(found) == {("main", 1, date(2026, 9, 1)), ("stall", 1, date(2026, 9, 1))}


def test_nothing_to_close_costs_one_look(django_assert_num_queries):
    Register.objects.create(name="stall")
    book(now=at("2026-09-10T10:00"))
    services.tick(at("2026-10-10T10:00"))
    with django_assert_num_queries(1):
        services.tick(at("2026-10-10T10:01"))


@time_machine.travel("2026-10-10T10:00:00Z", tick=False)
def test_the_clock_closes_months():
    book(now=at("2026-09-10T10:00"), actor=a_cashier())
    call_command("tick")
    assert MonthlyClosing.objects.count() == 1


@pytest.fixture
def three_months():
    book("12.00", "sale", "card", now=at("2025-12-02T08:00"), vat=[VatShare(Decimal(20), Decimal(12), Decimal(2))])
    book("2.00", "refund", now=at("2026-01-03T08:00"))
    last = book("5.00", now=at("2026-02-04T08:00"))
    Register.objects.create(name="stall")
    book("1.00", now=at("2026-02-04T08:00"), register="stall")
    services.tick(at("2026-03-01T08:00"))
    return last


def test_closings_are_shown_as_they_were_written(api_as, three_months):
    closing = MonthlyClosing.objects.get(register__name="main", number=3)
    api = api_as("manager")

    answer = api.get("/api/cash/closings?register=main&from=2026-02-15").json()

    [shown] = answer["data"]
    assert answer["meta"]["pagination"]["total"] == 1
    nothing = {"card": "0.00", "transfer": "0.00", "voucher": "0.00"}
    assert shown == {
        "id": closing.pk, "number": 3, "register": "main", "month": "2026-02",
        "in": "5.00", "out": "0.00", "net": "5.00",
        "by_method": {"cash": "5.00", **nothing},
        "by_type": {"sale": "5.00", "refund": "0.00", "paid_in": "0.00", "paid_out": "0.00", "bank_drop": "0.00"},
        "by_vat": [{"rate": None, "net": "5.00", "vat": "0.00", "gross": "5.00"}],
        "turnover": "5.00", "year_total": "3.00", "perpetual_total": "15.00",
        "sales_by_method": {"cash": "5.00", **nothing}, "refunds_by_method": {"cash": "0.00", **nothing},
        "entries": 1, "transactions": 1, "reversals": 0, "voided": "0.00",
        "first_number": 3, "last_number": 3, "book_number": 3, "chain_head": three_months.hash,
        "created_at": "2026-03-01T09:00:00+01:00", "hash": closing.hash,
    }  # fmt: skip
    assert api.get(f"/api/cash/closings/{closing.pk}").json()["data"] == shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["stall 2026-02", "main 2026-02", "main 2026-01", "main 2025-12"]),
        ("register=stall", ["stall 2026-02"]),
        ("register=main&ordering=month", ["main 2025-12", "main 2026-01", "main 2026-02"]),
        ("from=2026-01-31&to=2026-01-31", ["main 2026-01"]),
        ("to=2025-12-01", ["main 2025-12"]),
    ],
)
def test_closings_are_narrowed_by_register_and_days(api_as, three_months, query, found):
    shown = api_as("cashier").get(f"/api/cash/closings?{query}").json()["data"]

    assert [f"{closing['register']} {closing['month']}" for closing in shown] == found


@pytest.mark.parametrize("query", ["register=x", "from=2026-1-1", "to=x", "year=2026", "ordering=hash"])
def test_a_bad_parameter_of_closings_is_named(api_as, query):
    answer = api_as("manager").get(f"/api/cash/closings?{query}")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


def test_closings_can_only_be_read(api_as, three_months):
    api = api_as("admin")

    assert api.post("/api/cash/closings", {}).status_code == 405
    assert api.delete(f"/api/cash/closings/{MonthlyClosing.objects.first().pk}").status_code == 405
    assert api.get("/api/cash/closings/999999").status_code == 404


def test_many_closings_cost_no_more_queries(api_as, queries_do_not_grow):
    months = iter(["2026-01", "2026-02", "2026-03"])

    def another():
        month = next(months)
        book(now=at(f"{month}-10T08:00"))
        services.tick(at(f"{month}-10T08:00") + timedelta(days=31))

    queries_do_not_grow(api_as("manager"), "/api/cash/closings", another)
