"""How standing orders become orders."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from accounts.tests.factories import make_user
from bakery import clock, jobs
from bakery.errors import DomainError
from bakery.models import Closure, OpeningHours, Shop
from orders import services
from orders.models import Channel, Order, OrderEvent, StandingDate, Status
from orders.tests.factories import make_order, make_standing_order
from products.models import CapacityGroup
from products.tests.factories import make_product
from tests.at_once import at_once

# A Wednesday morning; the week ahead ends on Wednesday, 13 January.
NOW = datetime.fromisoformat("2027-01-06T08:00+01:00")
TODAY = date(2027, 1, 6)


def in_days(count):
    return TODAY + timedelta(days=count)


def due_dates():
    return list(Order.objects.filter(channel=Channel.STANDING).order_by("due_on").values_list("due_on", flat=True))


@pytest.mark.django_db
def test_a_date_becomes_an_order_at_the_prices_of_the_day_it_is_made():
    product = make_product(name="Roll", price=Decimal("0.40"))
    customer = make_user(first_name="Ada", last_name="Byron", email="ada@example.com", phone="0123")
    standing = make_standing_order(
        customer=customer, product=product, quantity=30, days=[5], start=TODAY, fulfilment="delivery", address="1 Lane"
    )

    assert services.generate(NOW) == 1

    order = Order.objects.get()
    assert (order.channel, order.status, order.customer, order.placed_by) == ("standing", "pending", customer, None)
    assert (order.customer_name, order.customer_email, order.customer_phone) == ("Ada Byron", "ada@example.com", "0123")
    assert (order.fulfilment, order.address) == ("delivery", "1 Lane")
    assert clock.local(order.due_at).isoformat() == "2027-01-08T10:00:00+01:00"
    assert [(i.product, i.quantity, i.unit_price) for i in order.items.all()] == [(product, 30, Decimal("0.40"))]
    assert order.total == Decimal("12.00")
    event = OrderEvent.objects.get()
    assert (event.user, event.to_status, event.at) == (None, Status.PENDING, NOW)
    made = standing.dates.get()
    assert (made.date, made.order, made.reason, made.shortfall) == (date(2027, 1, 8), order, "", [])


@pytest.mark.django_db
def test_to_generate_twice_changes_nothing():
    make_standing_order(start=TODAY)

    assert services.generate(NOW) == 8
    assert services.generate(NOW) == 0
    assert services.generate(NOW + timedelta(days=1)) == 1

    assert due_dates() == [in_days(step) for step in range(9)]


@pytest.mark.django_db
def test_the_clock_makes_it_due():
    make_standing_order(due_time=time(23, 59))

    call_command("tick")
    call_command("tick")

    assert Order.objects.count() == 8


@pytest.mark.django_db
def test_the_shop_says_how_many_days_ahead():
    Shop.objects.create(pk=1, standing_days_ahead=2)
    make_standing_order(start=TODAY)

    services.generate(NOW)

    assert due_dates() == [TODAY, in_days(1), in_days(2)]


@pytest.mark.django_db
def test_each_weekday_has_its_quantities():
    roll, loaf = make_product(), make_product()
    items = [
        {"product": roll.pk, "weekday": 4, "quantity": 10},
        {"product": roll.pk, "weekday": 6, "quantity": 25},
        {"product": loaf.pk, "weekday": 6, "quantity": 2},
    ]
    services.create_standing_order(customer=make_user().pk, items=items, due_time=time(9), start=TODAY)

    services.generate(NOW)

    lines = Order.objects.order_by("due_on", "items__pk").values_list("due_on", "items__product", "items__quantity")
    assert list(lines) == [
        (date(2027, 1, 7), roll.pk, 10), (date(2027, 1, 9), roll.pk, 25), (date(2027, 1, 9), loaf.pk, 2),
    ]  # fmt: skip


@pytest.mark.django_db
def test_nothing_is_made_before_the_start_after_the_end_on_skipped_dates_or_while_paused():
    make_standing_order(start=in_days(2), end=in_days(5), skipped=[in_days(3)])
    paused = make_standing_order(start=TODAY, paused=True)
    ended = make_standing_order(start=in_days(-9), end=in_days(-1))

    services.generate(NOW)

    assert due_dates() == [in_days(2), in_days(4), in_days(5)]
    assert not StandingDate.objects.filter(standing_order__in=[paused, ended]).exists()


@pytest.mark.django_db
def test_nothing_is_made_for_who_was_deactivated():
    standing = make_standing_order(start=TODAY)
    User.objects.filter(pk=standing.customer_id).update(is_active=False)

    assert services.generate(NOW) == 0


@pytest.mark.django_db
def test_a_change_of_the_template_touches_the_dates_to_come_only():
    product = make_product()
    standing = make_standing_order(product=product, start=TODAY, days=[4, 5])
    services.generate(NOW)

    lines = [{"product": product.pk, "weekday": 4, "quantity": 50}]
    services.change_standing_order(standing_id=standing.pk, changes={"items": lines, "due_time": time(7)})
    services.generate(NOW + timedelta(days=2))

    made = Order.objects.order_by("due_on").values_list("due_at", "items__quantity")
    assert [(clock.local(at).strftime("%m-%d %H:%M"), count) for at, count in made] == [
        ("01-07 10:00", 1), ("01-08 10:00", 1), ("01-14 07:00", 50),
    ]  # fmt: skip


@pytest.mark.django_db
def test_closures_and_hours_leave_a_date_out_with_the_reason():
    Closure.objects.create(first_day=in_days(1), last_day=in_days(1), reason="Inventory")
    for weekday in (3, 4, 6):
        OpeningHours.objects.create(weekday=weekday, opens=time(6), closes=time(9 if weekday == 6 else 18))
    standing = make_standing_order(start=TODAY, end=in_days(3))

    assert services.generate(NOW) == 1
    assert services.generate(NOW) == 0

    assert list(standing.dates.order_by("date").values_list("date", "reason")) == [
        (TODAY, ""),
        (in_days(1), "The shop is closed on Thursday 2027-01-07."),
        (in_days(2), "The shop is closed on Friday 2027-01-08."),
        (in_days(3), "The shop is closed at 10:00; on Saturday 2027-01-09 it is open 06:00–09:00."),
    ]
    assert len(mail.outbox) == 0


@pytest.mark.django_db
def test_a_due_time_that_is_over_leaves_today_out():
    standing = make_standing_order(start=TODAY, end=TODAY, due_time=time(7))

    assert services.generate(NOW) == 0

    assert standing.dates.get().reason == "This time is over."


@pytest.mark.django_db
def test_where_capacity_is_short_the_rest_is_made_and_the_manager_told():
    manager = make_user(role="manager", email="boss@example.com")
    make_user(role="cashier", email="cashier@example.com")
    roll, loaf, late = make_product(name="Roll", daily_capacity=10), make_product(), make_product(lead_time_hours=48)
    make_order(items=[{"product": roll.pk, "quantity": 7}], due_at=NOW + timedelta(days=1), now=NOW)
    lines = [{"product": p.pk, "weekday": 4, "quantity": 5} for p in (roll, loaf, late)]
    standing = services.create_standing_order(
        customer=make_user(first_name="Café").pk, items=lines, due_time=time(10), start=TODAY
    )

    services.generate(NOW)
    services.generate(NOW)
    jobs.run_due()

    made = standing.dates.get()
    assert list(made.order.items.values_list("product", "quantity")) == [(roll.pk, 3), (loaf.pk, 5)]
    assert made.shortfall == [
        {"product": roll.pk, "product_name": "Roll", "wanted": 5, "ordered": 3, "reason": "sold_out"},
        {"product": late.pk, "product_name": late.name, "wanted": 5, "ordered": 0, "reason": "too_late"},
    ]
    (told,) = mail.outbox
    assert told.to == [manager.email]
    assert told.subject == f"Standing order {standing.pk} of Café is short on 2027-01-07"
    assert f"order {made.order.code}" in told.body
    assert "Roll: 3 of 5 (sold_out)" in told.body


@pytest.mark.django_db
def test_the_shops_own_address_is_told_where_there_is_one():
    Shop.objects.create(pk=1, email="shop@example.com")
    make_user(role="manager", email="boss@example.com")
    product = make_product(weekdays=[1])
    standing = make_standing_order(product=product, start=TODAY, end=TODAY)

    assert services.generate(NOW) == 0
    jobs.run_due()

    made = standing.dates.get()
    assert (made.order, made.reason) == (None, "Nothing of it can be had.")
    assert [line["reason"] for line in made.shortfall] == ["not_baked"]
    assert [message.to for message in mail.outbox] == [["shop@example.com"]]


@pytest.mark.django_db
def test_products_that_share_an_oven_share_what_is_left():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=10)
    cake = make_product(capacity_group=oven, capacity_units=4)
    roll = make_product(capacity_group=oven, capacity_units=1)
    lines = [{"product": p.pk, "weekday": 4, "quantity": 5} for p in (cake, roll)]
    standing = services.create_standing_order(customer=make_user().pk, items=lines, due_time=time(10), start=TODAY)

    services.generate(NOW)

    assert list(standing.dates.get().order.items.values_list("product", "quantity")) == [(cake.pk, 2), (roll.pk, 2)]


@pytest.mark.django_db
def test_what_is_made_takes_its_capacity():
    product = make_product(daily_capacity=5)
    make_standing_order(product=product, quantity=4, start=TODAY)
    services.generate(NOW)

    with pytest.raises(DomainError, match="only 1"):
        make_order(items=[{"product": product.pk, "quantity": 2}], due_at=NOW + timedelta(days=1), now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "at", "due"),
    [
        (date(2027, 3, 28), time(2, 30), "2027-03-28T03:30:00+02:00"),
        (date(2027, 3, 28), time(3, 0), "2027-03-28T03:00:00+02:00"),
        (date(2027, 10, 31), time(2, 30), "2027-10-31T02:30:00+02:00"),
        (date(2027, 3, 28), time(0, 0), "2027-03-28T00:00:00+01:00"),
        (date(2027, 3, 29), time(0, 0), "2027-03-29T00:00:00+02:00"),
        (date(2027, 10, 31), time(23, 59), "2027-10-31T23:59:00+01:00"),
    ],
)
def test_wall_times_hold_through_the_change_of_clocks_and_at_midnight(day, at, due):
    make_standing_order(start=day, end=day, due_time=at)

    services.generate(clock.start_of(day) - timedelta(days=2))

    order = Order.objects.get()
    assert (clock.local(order.due_at).isoformat(), order.due_on) == (due, day)


@pytest.mark.django_db
def test_one_that_cannot_be_made_stops_no_other():
    dear = make_standing_order(product=make_product(price=Decimal("99999999.99")), quantity=2, start=TODAY, end=TODAY)
    make_standing_order(start=TODAY, end=TODAY)

    assert services.generate(NOW) == 1

    assert dear.dates.get().reason.startswith("The total is more than")


@pytest.mark.django_db(transaction=True)
def test_however_many_generate_at_once_a_date_becomes_one_order():
    product = make_product(daily_capacity=10)
    for _ in range(3):
        make_standing_order(product=product, quantity=4, start=TODAY)
    made = []

    assert at_once(*[lambda: made.append(services.generate(NOW))] * 4) == ["done"] * 4

    assert sum(made) == Order.objects.count() == StandingDate.objects.count() == 24
    pieces = Counter(dict(Order.objects.values_list("pk", "items__quantity")))
    assert sorted(pieces.values()) == [2] * 8 + [4] * 16
    assert len(set(StandingDate.objects.values_list("standing_order", "date"))) == 24


@pytest.mark.django_db
def test_the_order_and_the_row_of_its_date_stand_or_fall_together(monkeypatch):
    make_standing_order(start=TODAY, end=TODAY)

    def burn(*_, **__):
        raise RuntimeError("burnt")

    monkeypatch.setattr("orders.services.standing._note", burn)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.generate(NOW)

    assert not Order.objects.exists()
    assert not StandingDate.objects.exists()
