"""The nights on which the clocks change, in zones that change in the night, at midnight and across it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Closure, OpeningHours
from orders import services
from orders.errors import ShopClosed, TooLate
from orders.models import Order
from orders.selectors import availability
from orders.tests.factories import make_order, make_standing_order
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

PARIS, SANTIAGO, CAIRO, AZORES = "Europe/Paris", "America/Santiago", "Africa/Cairo", "Atlantic/Azores"
JANUARY = datetime(2027, 1, 2, tzinfo=UTC)
# Of each change: the zone, the day with 23 or 25 hours, its first and its last minute, and the hours between.
DAYS = [
    (PARIS, date(2027, 3, 28), "2027-03-28T00:00:00+01:00", "2027-03-28T23:59:00+02:00", 23),
    (PARIS, date(2027, 10, 31), "2027-10-31T00:00:00+02:00", "2027-10-31T23:59:00+01:00", 25),
    # Midnight is left out: the day begins at one.
    (SANTIAGO, date(2027, 9, 5), "2027-09-05T01:00:00-03:00", "2027-09-05T23:59:00-03:00", 23),
    (CAIRO, date(2027, 4, 30), "2027-04-30T01:00:00+03:00", "2027-04-30T23:59:00+03:00", 23),
    # At midnight it is eleven again: the last hour of the day comes twice.
    (SANTIAGO, date(2027, 4, 3), "2027-04-03T00:00:00-03:00", "2027-04-03T23:59:00-04:00", 25),
    (CAIRO, date(2027, 10, 28), "2027-10-28T00:00:00+03:00", "2027-10-28T23:59:00+02:00", 25),
    # At one it is midnight again: the day begins twice.
    (AZORES, date(2027, 10, 31), "2027-10-31T00:00:00+00:00", "2027-10-31T23:59:00-01:00", 25),
]


@pytest.fixture
def in_zone(settings):
    def move(zone):
        settings.TIME_ZONE = zone

    return move


def instant(text):
    return datetime.fromisoformat(text)


def lines(**product):
    return [{"product": make_product(**product).pk, "quantity": 1}]


@pytest.mark.parametrize(("zone", "day", "first", "last", "hours"), DAYS)
def test_a_day_takes_the_orders_of_its_first_to_its_last_minute(in_zone, zone, day, first, last, hours):
    in_zone(zone)
    first, last, items = instant(first), instant(last), lines()
    minute = timedelta(minutes=1)

    due = [first - minute, first, last, last + minute]
    orders = [make_order(items=items, due_at=at.astimezone(UTC), now=JANUARY) for at in due]

    assert last - first == timedelta(hours=hours) - minute
    assert [order.due_on - day for order in orders] == [timedelta(days=days) for days in (-1, 0, 0, 1)]


@pytest.mark.parametrize(("zone", "day", "first", "last", "hours"), DAYS)
def test_a_closure_closes_the_whole_day_and_no_more(in_zone, zone, day, first, last, hours):
    in_zone(zone)
    Closure.objects.create(first_day=day, last_day=day)
    items, minute = lines(), timedelta(minutes=1)

    for at in (instant(first), instant(last)):
        with pytest.raises(ShopClosed):
            make_order(items=items, due_at=at, now=JANUARY)
    for at in (instant(first) - minute, instant(last) + minute):
        make_order(items=items, due_at=at, now=JANUARY)

    assert Order.objects.count() == 2


@pytest.mark.parametrize(("zone", "day", "first", "last", "hours"), DAYS)
def test_the_capacity_of_a_day_is_that_of_all_its_hours(in_zone, zone, day, first, last, hours):
    in_zone(zone)
    cake = make_product(daily_capacity=2)
    items = [{"product": cake.pk, "quantity": 1}]

    for at in (first, last):
        make_order(items=items, due_at=instant(at), now=JANUARY)

    left = availability(day - timedelta(days=1), day + timedelta(days=1), now=JANUARY, products=[cake.pk])
    assert [(row.available, row.reason) for row in left] == [(2, ""), (0, "sold_out"), (2, "")]


@pytest.mark.parametrize(("zone", "day", "first", "last", "hours"), DAYS)
def test_a_day_can_be_had_until_its_last_minute(in_zone, zone, day, first, last, hours):
    in_zone(zone)
    cake = make_product(lead_time_hours=24)
    cut_off = instant(last).astimezone(UTC) - timedelta(hours=24)

    def reason(now):
        return availability(day, day, now=now, products=[cake.pk])[0].reason

    assert (reason(cut_off), reason(cut_off + timedelta(seconds=1))) == ("", "too_late")


@pytest.mark.parametrize(("zone", "day", "first", "last", "hours"), DAYS)
def test_the_cut_off_is_the_lead_time_in_hours_that_pass(in_zone, zone, day, first, last, hours):
    in_zone(zone)
    items, due_at = lines(lead_time_hours=24), instant(last)
    cut_off = due_at.astimezone(UTC) - timedelta(hours=24)

    with pytest.raises(TooLate):
        make_order(items=items, due_at=due_at, now=cut_off + timedelta(seconds=1))
    assert make_order(items=items, due_at=due_at, now=cut_off).deadline_at == cut_off


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        (PARIS, "2027-03-28T02:30:00"),
        (PARIS, "2027-10-31T02:30:00"),
        (SANTIAGO, "2027-09-05T00:00:00"),
        (SANTIAGO, "2027-09-05T00:59:59"),
        (SANTIAGO, "2027-04-03T23:00:00"),
        (CAIRO, "2027-04-30T00:30:00"),
        (CAIRO, "2027-10-28T23:59:59"),
        (AZORES, "2027-10-31T00:00:00"),
    ],
)
def test_a_wall_time_that_is_not_there_or_there_twice_is_refused(in_zone, api_as, zone, at):
    in_zone(zone)
    with time_machine.travel(JANUARY, tick=False):
        order = make_order(due_at=JANUARY + timedelta(days=300))
        client = api_as("cashier")

        placed = client.post("/api/orders", {"due_at": at, "items": lines()})
        edited = client.patch(f"/api/orders/{order.pk}", {"due_at": at})

    for refusal in (placed, edited):
        error = refusal.json()["errors"][0]
        assert (refusal.status_code, error["code"], error["field"]) == (400, "no_such_time", "due_at")
    assert Order.objects.get().version == 1


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        (SANTIAGO, "2027-09-05T01:00:00"),
        (SANTIAGO, "2027-04-03T22:59:59"),
        (SANTIAGO, "2027-04-04T00:00:00"),
        (CAIRO, "2027-04-29T23:59:59"),
        (AZORES, "2027-10-31T01:00:00"),
    ],
)
def test_the_wall_times_beside_them_are_there_once(in_zone, api_as, zone, at):
    in_zone(zone)

    with time_machine.travel(JANUARY, tick=False):
        order = api_as("cashier").post("/api/orders", {"due_at": at, "items": lines()})

    assert order.status_code == 201
    assert order.json()["data"]["due_at"].startswith(at)


def test_both_hours_of_a_repeated_one_can_be_told_apart_by_their_offset(in_zone, api_as):
    in_zone(SANTIAGO)
    client, items = api_as("cashier"), lines()
    first, second = "2027-04-03T23:30:00-03:00", "2027-04-03T23:30:00-04:00"

    with time_machine.travel(JANUARY, tick=False):
        orders = [client.post("/api/orders", {"due_at": at, "items": items}).json()["data"] for at in (first, second)]

    assert [order["due_at"] for order in orders] == [first, second]
    early, late = Order.objects.order_by("pk")
    assert late.due_at - early.due_at == timedelta(hours=1)
    assert early.due_on == late.due_on == date(2027, 4, 3)


def test_opening_hours_are_those_of_the_wall_also_where_it_shows_them_twice(in_zone):
    """Open until half past eleven: so it is in the first such hour, and again in the second."""
    in_zone(SANTIAGO)
    OpeningHours.objects.create(weekday=6, opens=time(9), closes=time(23, 30))
    items = lines()

    for at in ("2027-04-03T23:30:00-03:00", "2027-04-03T23:00:00-04:00", "2027-04-03T23:30:00-04:00"):
        make_order(items=items, due_at=instant(at), now=JANUARY)
    for at in ("2027-04-03T23:31:00-03:00", "2027-04-03T23:31:00-04:00", "2027-04-04T00:00:00-04:00"):
        with pytest.raises(ShopClosed):
            make_order(items=items, due_at=instant(at), now=JANUARY)


def test_what_can_be_had_until_the_shop_closes_for_the_second_time_is_told(in_zone):
    in_zone(SANTIAGO)
    OpeningHours.objects.create(weekday=6, opens=time(9), closes=time(23, 30))
    day, cake = date(2027, 4, 3), make_product()
    last = instant("2027-04-03T23:30:00-04:00")

    def reason(now):
        return availability(day, day, now=now, products=[cake.pk])[0].reason

    assert reason(last) == ""
    make_order(items=[{"product": cake.pk, "quantity": 1}], due_at=last, now=last)
    assert reason(last + timedelta(seconds=1)) == "too_late"


def test_hours_until_midnight_last_until_the_day_ends_where_midnight_is_left_out(in_zone):
    in_zone(SANTIAGO)
    OpeningHours.objects.create(weekday=6, opens=time(9), closes=time(0))
    OpeningHours.objects.create(weekday=7, opens=time(0), closes=time(2))
    items = lines()

    for at in ("2027-09-04T23:59:00-04:00", "2027-09-05T01:00:00-03:00", "2027-09-05T02:00:00-03:00"):
        make_order(items=items, due_at=instant(at), now=JANUARY)
    with pytest.raises(ShopClosed):
        make_order(items=items, due_at=instant("2027-09-05T02:01:00-03:00"), now=JANUARY)


@pytest.mark.parametrize(
    ("zone", "day", "at", "due"),
    [
        (SANTIAGO, date(2027, 9, 5), time(0), "2027-09-05T01:00:00-03:00"),
        (SANTIAGO, date(2027, 9, 5), time(0, 30), "2027-09-05T01:30:00-03:00"),
        (SANTIAGO, date(2027, 4, 3), time(23, 30), "2027-04-03T23:30:00-03:00"),
        (CAIRO, date(2027, 4, 30), time(0, 30), "2027-04-30T01:30:00+03:00"),
        (AZORES, date(2027, 10, 31), time(0), "2027-10-31T00:00:00+00:00"),
    ],
)
def test_a_standing_order_keeps_its_day_where_midnight_is_left_out_or_repeated(in_zone, zone, day, at, due):
    in_zone(zone)
    make_standing_order(start=day, end=day, due_time=at)

    services.generate(clock.start_of(day) - timedelta(days=2))

    order = Order.objects.get()
    assert (clock.local(order.due_at).isoformat(), order.due_on) == (due, day)


def test_the_cut_off_that_applied_binds_whatever_the_lead_time_becomes():
    customer, cake = make_user(), make_product(lead_time_hours=24)
    due_at = JANUARY + timedelta(days=10)
    order = make_order(actor=customer, items=[{"product": cake.pk, "quantity": 1}], due_at=due_at, now=JANUARY)
    kept = due_at - timedelta(hours=24)
    cake.lead_time_hours = 2
    cake.save()

    services.change_status(order_id=order.pk, to="confirmed", actor=make_user(role="manager"), now=JANUARY)
    services.edit_order(order_id=order.pk, actor=customer, changes={"notes": "!"}, now=kept)
    with pytest.raises(TooLate):
        services.edit_order(order_id=order.pk, actor=customer, changes={"notes": "?"}, now=kept + timedelta(seconds=1))

    order.refresh_from_db()
    assert (order.deadline_at, order.notes) == (kept, "!")


@pytest.mark.parametrize("what", ["items", "due_at"])
def test_an_edit_of_lines_or_time_reckons_the_cut_off_anew(what):
    customer, cake = make_user(), make_product(lead_time_hours=24)
    due_at, items = JANUARY + timedelta(days=10), [{"product": cake.pk, "quantity": 1}]
    order = make_order(actor=customer, items=items, due_at=due_at, now=JANUARY)
    cake.lead_time_hours = 48
    cake.save()
    later = due_at + timedelta(days=1)
    changes = {"items": items} if what == "items" else {"due_at": later}

    edited = services.edit_order(order_id=order.pk, actor=customer, changes=changes, now=JANUARY)

    assert edited.deadline_at == (due_at if what == "items" else later) - timedelta(hours=48)
