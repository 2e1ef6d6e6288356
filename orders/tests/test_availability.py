"""GET /api/availability: what is left of which day, and why nothing is."""

from datetime import date, datetime, time, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bakery import clock
from bakery.models import Closure, OpeningHours
from orders import selectors
from orders.tests.factories import make_order, on
from products.models import CapacityGroup, CapacityOverride
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 23)
NOON = datetime.combine(MONDAY, time(12), PARIS)


def left(product, day=MONDAY, now=NOON):
    [row] = selectors.availability(day, day, now=now, products=[product.pk])
    return row.available, row.reason


def lines(*pairs):
    return [{"product": product.pk, "quantity": quantity} for product, quantity in pairs]


def test_anyone_may_ask_what_is_left(api_as):
    cake, bread = make_product(name="Cake", daily_capacity=10), make_product(name="Bread")
    make_order(items=lines((cake, 4), (bread, 1)))
    day = clock.shop_day(on(1))

    response = api_as(None).get(f"/api/availability?date={day}")

    assert response.json()["data"] == [
        {"product": bread.pk, "date": str(day), "available": None, "reason": ""},
        {"product": cake.pk, "date": str(day), "available": 6, "reason": ""},
    ]
    assert response.json()["meta"] == {}


def test_products_and_days_are_chosen(api_as):
    cake, tart, _ = make_product(daily_capacity=1), make_product(), make_product()
    make_order(items=lines((cake, 1)), due_at=on(2))
    days = [str(clock.shop_day(on(number))) for number in (1, 2)]

    rows = api_as(None).get(f"/api/availability?from={days[0]}&to={days[1]}&product={tart.pk}&product={cake.pk}").json()

    assert [(row["date"], row["product"], row["available"], row["reason"]) for row in rows["data"]] == [
        (days[0], tart.pk, None, ""),
        (days[0], cake.pk, 1, ""),
        (days[1], tart.pk, None, ""),
        (days[1], cake.pk, 0, "sold_out"),
    ]


def test_the_public_is_not_told_that_a_retired_product_is_there(api_as):
    retired = make_product(is_active=False)
    url = f"/api/availability?date={clock.shop_day(on(1))}&product={retired.pk}"

    for who in (None, "customer"):
        response = api_as(who).get(url)
        assert response.status_code == 400
        assert response.json()["errors"] == [
            {"code": "does_not_exist", "field": "product", "message": f"There is no product {retired.pk}."}
        ]
    assert api_as("cashier").get(url).json()["data"][0]["reason"] == "not_baked"


def test_what_is_left_agrees_with_what_can_be_ordered(api_as):
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=11)
    cake = make_product(daily_capacity=4, capacity_group=oven, capacity_units=3)
    day = clock.shop_day(on(1))
    make_order(items=lines((make_product(capacity_group=oven), 2)))
    url = f"/api/availability?date={day}&product={cake.pk}"

    assert api_as(None).get(url).json()["data"][0]["available"] == 3
    make_order(items=lines((cake, 3)))
    assert api_as(None).get(url).json()["data"][0] == {
        "product": cake.pk, "date": str(day), "available": 0, "reason": "sold_out",
    }  # fmt: skip


def test_another_capacity_for_a_date_counts():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=10)
    cake, roll = make_product(), make_product(capacity_group=oven)
    CapacityOverride.objects.create(product=cake, day=MONDAY, capacity=3)
    CapacityOverride.objects.create(group=oven, day=MONDAY, capacity=0)

    assert left(cake) == (3, "")
    assert left(cake, MONDAY + timedelta(days=1)) == (None, "")
    assert left(roll) == (0, "sold_out")
    assert left(roll, MONDAY + timedelta(days=1)) == (10, "")


def test_more_taken_than_there_is_is_nothing_left():
    cake = make_product(daily_capacity=5)
    make_order(items=lines((cake, 5)), due_at=NOON, now=NOON)
    cake.daily_capacity = 2
    cake.save()

    assert left(cake) == (0, "sold_out")


@pytest.mark.parametrize(
    "fields",
    [{"weekdays": [2, 3]}, {"available_from": "2026-11-24"}, {"available_until": "2026-11-22"}, {"is_active": False}],
)
def test_what_is_not_sold_that_day_is_not_baked(fields):
    assert left(make_product(daily_capacity=5, **fields)) == (0, "not_baked")


def test_a_closed_shop_has_nothing():
    OpeningHours.objects.create(weekday=1, opens=time(7), closes=time(13))
    cake = make_product()

    assert left(cake) == (None, "")
    assert left(cake, MONDAY + timedelta(days=1)) == (0, "shop_closed")
    Closure.objects.create(first_day=MONDAY, last_day=MONDAY)
    assert left(cake) == (0, "shop_closed")


def test_it_is_too_late_when_the_last_open_minute_is_nearer_than_the_lead_time():
    OpeningHours.objects.create(weekday=1, opens=time(7), closes=time(13))
    OpeningHours.objects.create(weekday=1, opens=time(15), closes=time(19))
    cake, bread = make_product(lead_time_hours=7), make_product()
    seven = NOON.replace(hour=19)

    assert left(cake, now=NOON) == (None, "")
    assert left(cake, now=NOON + timedelta(seconds=1)) == (0, "too_late")
    assert left(bread, now=seven) == (None, "")
    assert left(bread, now=seven + timedelta(seconds=1)) == (0, "too_late")


def test_without_hours_a_day_lasts_until_midnight():
    bread = make_product()
    end = clock.bounds(MONDAY, MONDAY)[1]

    assert left(bread, now=end - timedelta(minutes=1)) == (None, "")
    assert left(bread, now=end) == (0, "too_late")
    OpeningHours.objects.create(weekday=1, opens=time(18), closes=time(0))
    assert left(bread, now=end - timedelta(minutes=1)) == (None, "")
    assert left(bread, MONDAY - timedelta(days=7)) == (0, "too_late")


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("", "required", "date"),
        ("date=2026-1-5", "invalid", "date"),
        ("date=0001-01-01", "invalid", "date"),
        ("date=9999-12-31", "invalid", "date"),
        ("from=2026-01-01", "required", "to"),
        ("to=2026-01-01", "required", "from"),
        ("from=2026-01-01&to=2026-02-01", "invalid", "to"),
        ("from=2026-01-02&to=2026-01-01", "invalid", "to"),
        ("from=2026-01-01&to=2026-01-02&date=2026-01-01", "invalid", "date"),
        ("date=2026-01-01&product=x", "invalid", "product"),
        ("date=2026-01-01&product=", "invalid", "product"),
        ("date=2026-01-01&product=-1", "invalid", "product"),
        ("date=2026-01-01&product=999999999", "does_not_exist", "product"),
        ("date=2026-01-01&page=1", "unknown_parameter", "page"),
        ("date=x&date=2026-01-01", "repeated_parameter", "date"),
    ],
)
def test_what_cannot_be_asked_is_named(api_as, query, code, field):
    response = api_as(None).get(f"/api/availability?{query}")

    problem = response.json()["errors"][0]
    assert (response.status_code, problem["code"], problem["field"]) == (400, code, field)


def test_thirty_one_days_can_be_asked_at_once(api_as):
    make_product()

    assert len(api_as(None).get("/api/availability?from=2031-01-01&to=2031-01-31").json()["data"]) == 31


def test_too_many_answers_are_refused(api_as, monkeypatch):
    make_product()
    monkeypatch.setattr(import_module("orders.selectors.availability"), "MOST_ROWS", 30)

    response = api_as(None).get("/api/availability?from=2031-01-01&to=2031-01-31")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "product")


def test_days_and_products_cost_no_more_queries(api_as):
    client = api_as(None)

    def cost(days):
        oven = CapacityGroup.objects.create(name=f"Oven {days}", daily_capacity=10)
        for number in range(days):
            product = make_product(daily_capacity=number, capacity_group=oven)
            make_order(items=lines((make_product(), 1)), due_at=on(number + 1))
            CapacityOverride.objects.create(product=product, day=clock.shop_day(on(number + 1)), capacity=number)
        span = f"from={clock.shop_day(on(1))}&to={clock.shop_day(on(days))}"
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/api/availability?{span}").status_code == 200
        return len(caught)

    assert cost(1) == cost(9) == 5
