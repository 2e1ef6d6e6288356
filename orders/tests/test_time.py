"""When an order may be due: lead times, opening hours, closures, the nights on which the clocks change."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Closure, OpeningHours
from orders import services
from orders.errors import ShopClosed, TooLate
from orders.models import Order
from orders.tests.factories import make_order
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 23)
TUESDAY = "07:00–13:00 and 15:00–19:00"
NINE = datetime.combine(MONDAY, time(9), PARIS)


def at(day, hour, minute=0, second=0):
    return datetime(2026, 11, day, hour, minute, second, tzinfo=PARIS)


def open_on(weekday, opens, closes):
    OpeningHours.objects.create(weekday=weekday, opens=time(opens), closes=time(closes))


def refused(error, **order):
    with pytest.raises(error) as refusal:
        make_order(**{"now": NINE, **order})
    assert not Order.objects.exists()
    problem = refusal.value.problems[0]
    return problem.code, problem.field, problem.message


def test_what_is_over_cannot_be_ordered():
    assert refused(TooLate, due_at=NINE - timedelta(seconds=1)) == ("too_late", "due_at", "This time is over.")
    make_order(due_at=NINE, now=NINE)


def test_the_past_is_over_for_managers_too():
    manager = make_user(role="manager")

    assert refused(TooLate, actor=manager, due_at=NINE - timedelta(days=1), override="Please")[0] == "too_late"


def test_the_longest_lead_time_of_the_lines_counts():
    bread, cake = make_product(lead_time_hours=2), make_product(name="Cake", lead_time_hours=24)
    items = [{"product": product.pk, "quantity": 1} for product in (bread, cake)]

    late = NINE + timedelta(hours=24) - timedelta(seconds=1)
    assert refused(TooLate, items=items, due_at=late) == (
        "too_late", "due_at", "Cake is to be ordered 24 hours ahead.",
    )  # fmt: skip
    order = make_order(items=items, due_at=NINE + timedelta(hours=24), now=NINE)
    assert order.deadline_at == NINE


def test_lead_time_is_elapsed_time_also_when_the_clocks_change():
    """From noon on Saturday to noon on Sunday it is 23 hours in spring and 25 in autumn."""
    cake = [{"product": make_product(lead_time_hours=24).pk, "quantity": 1}]
    spring, autumn = (datetime(2027, month, day, 12, tzinfo=PARIS) for month, day in [(3, 28), (10, 31)])

    assert refused(TooLate, items=cake, due_at=spring, now=datetime(2027, 3, 27, 12, tzinfo=PARIS))[0] == "too_late"
    order = make_order(items=cake, due_at=autumn, now=datetime(2027, 10, 30, 13, tzinfo=PARIS))
    assert clock.local(order.deadline_at).isoformat() == "2027-10-30T13:00:00+02:00"


def test_a_manager_goes_over_the_lead_time_with_a_reason():
    cake = [{"product": make_product(lead_time_hours=24).pk, "quantity": 1}]

    order = make_order(
        actor=make_user(role="manager"), items=cake, due_at=NINE + timedelta(hours=1), override="Baked", now=NINE
    )

    assert order.deadline_at < NINE


def test_without_hours_the_shop_is_always_open():
    make_order(due_at=at(29, 3), now=NINE)


def test_an_order_is_due_within_the_opening_hours():
    open_on(2, 7, 13)
    open_on(2, 15, 19)

    for hour, minute in [(6, 59), (13, 1), (14, 59), (19, 1)]:
        assert refused(ShopClosed, due_at=at(24, hour, minute)) == (
            "shop_closed",
            "due_at",
            f"The shop is closed at {hour:02}:{minute:02}; on Tuesday 2026-11-24 it is open {TUESDAY}.",
        )
    assert refused(ShopClosed, due_at=at(25, 8))[2] == "The shop is closed on Wednesday 2026-11-25."
    for hour in (7, 13, 15, 19):
        make_order(due_at=at(24, hour), now=NINE)


def test_hours_may_last_until_midnight():
    open_on(2, 18, 0)

    make_order(due_at=at(24, 23, 59), now=NINE)
    with pytest.raises(ShopClosed):
        make_order(due_at=at(25, 0), now=NINE)


def test_the_shop_is_closed_on_holidays():
    Closure.objects.create(first_day=date(2026, 11, 25), last_day=date(2026, 11, 26))

    for day in (25, 26):
        assert refused(ShopClosed, due_at=at(day, 23))[1] == "due_at"
    make_order(due_at=at(24, 23, 59), now=NINE)
    make_order(due_at=at(27, 0), now=NINE)


def test_a_manager_opens_a_closed_shop_with_a_reason():
    Closure.objects.create(first_day=date(2026, 11, 25), last_day=date(2026, 11, 25))

    make_order(actor=make_user(role="manager"), due_at=at(25, 9), override="A wedding", now=NINE)


def test_the_day_of_an_order_is_the_shops_day():
    late = make_order(due_at=datetime(2026, 11, 24, 23, 30, tzinfo=ZoneInfo("UTC")), now=NINE)

    assert late.due_on == date(2026, 11, 25)


@pytest.mark.parametrize("day", [date(2027, 3, 28), date(2027, 10, 31)])
def test_each_hour_of_a_long_or_short_day_belongs_to_it(day):
    first, end = clock.bounds(day, day)
    instant, count = first, 0
    product = [{"product": make_product().pk, "quantity": 1}]
    while instant < end:
        assert make_order(items=product, due_at=instant, now=NINE).due_on == day
        instant, count = (instant.astimezone(ZoneInfo("UTC")) + timedelta(hours=1)), count + 1

    assert count == {3: 23, 10: 25}[day.month]
    assert make_order(items=product, due_at=end, now=NINE).due_on == day + timedelta(days=1)


def test_all_that_is_wrong_is_said_at_once(api_as):
    Closure.objects.create(first_day=date(2031, 1, 1), last_day=date(2031, 1, 1))
    gone, slow = make_product(is_active=False), make_product(lead_time_hours=8784)

    response = api_as("cashier").post(
        "/api/orders",
        {
            "due_at": (clock.now() + timedelta(hours=1)).isoformat(),
            "items": [{"product": product.pk, "quantity": 1} for product in (gone, slow)],
        },
    )

    assert response.status_code == 409
    assert [(error["code"], error["field"]) for error in response.json()["errors"]] == [
        ("product_unavailable", "items.0.product"),
        ("too_late", "due_at"),
    ]


def test_a_customer_may_change_their_mind_until_the_cut_off():
    customer = make_user()
    cake = [{"product": make_product(lead_time_hours=24).pk, "quantity": 1}]
    order = make_order(actor=customer, items=cake, due_at=at(26, 9), now=NINE)
    cut_off = at(25, 9)

    services.edit_order(order_id=order.pk, actor=customer, changes={"notes": "!"}, now=cut_off)
    assert services.allowed_statuses(order, customer, cut_off) == ["cancelled"]
    after = cut_off + timedelta(seconds=1)
    with pytest.raises(TooLate):
        services.edit_order(order_id=order.pk, actor=customer, changes={"notes": "?"}, now=after)
    with pytest.raises(TooLate):
        services.change_status(order_id=order.pk, to="cancelled", actor=customer, now=after)
    assert services.allowed_statuses(order, customer, after) == []

    order.refresh_from_db()
    assert (order.status, order.notes, order.version) == ("pending", "!", 2)
    services.edit_order(order_id=order.pk, actor=make_user(role="cashier"), changes={"notes": "?"}, now=after)
    services.change_status(order_id=order.pk, to="cancelled", actor=make_user(role="cashier"), now=after)


def test_an_order_keeps_the_cut_off_that_applied():
    customer, cake = make_user(), make_product(lead_time_hours=24)
    order = make_order(actor=customer, items=[{"product": cake.pk, "quantity": 1}], due_at=at(26, 9), now=NINE)
    cake.lead_time_hours = 48
    cake.save()

    edited = services.edit_order(order_id=order.pk, actor=customer, changes={"notes": "!"}, now=at(25, 8))

    assert edited.deadline_at == at(25, 9)
