"""The prices of the day in orders and at the till, before anybody has looked into the catalogue."""

from collections import Counter
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.models import OrderItem
from orders.tests.factories import make_order, on
from products.models import PriceChange, Product
from products.services import plan_price, revision_on
from products.tests.factories import make_product
from tests.at_once import at_once

FRIDAY = datetime(2026, 11, 27, 11, tzinfo=UTC)
MONDAY = datetime(2026, 11, 29, 23, tzinfo=UTC)  # its first moment in the shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def roll(time_machine):
    """A product that costs 1.40 instead of 1.30 from this moment on."""
    time_machine.move_to(FRIDAY, tick=False)
    product = make_product(price="1.30", daily_capacity=100)
    plan_price(product_id=product.pk, price=Decimal("1.40"), valid_from=date(2026, 11, 30), actor=None)
    time_machine.move_to(MONDAY, tick=False)
    return product


def prices() -> list[Decimal]:
    return list(OrderItem.objects.order_by("pk").values_list("unit_price", flat=True))


def lines(product, quantity=1):
    return [{"product": product.pk, "quantity": quantity}]


def test_an_order_of_the_first_moment_is_at_the_new_price(roll):
    order = make_order(items=lines(roll, 2))

    assert (prices(), order.total) == ([Decimal("1.40")], Decimal("2.80"))
    roll.refresh_from_db()
    assert roll.price == Decimal("1.30")  # nobody who orders waits for the catalogue to be written


def test_an_order_of_the_last_moment_before_is_at_the_old_price(roll, time_machine):
    time_machine.move_to(FRIDAY, tick=False)
    order = make_order(items=lines(roll), due_at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    time_machine.move_to(MONDAY, tick=False)

    services.edit_order(order_id=order.pk, actor=make_user(role="manager"), changes={"items": lines(roll, 3)})

    assert prices() == [Decimal("1.30")]  # a line keeps its price


def test_a_line_that_an_edit_adds_is_at_the_new_price(roll, time_machine):
    time_machine.move_to(FRIDAY, tick=False)
    order = make_order(items=lines(make_product(price="5.00")), due_at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    time_machine.move_to(MONDAY, tick=False)

    services.edit_order(order_id=order.pk, actor=make_user(role="manager"), changes={"items": lines(roll)})

    assert prices() == [Decimal("1.40")]


def test_a_sale_at_the_till_is_at_the_new_price(roll):
    order = services.sell(actor=make_user(role="cashier"), items=lines(roll, 2), method="cash")

    assert (order.total, order.paid) == (Decimal("2.80"), Decimal("2.80"))


def test_a_standing_order_becomes_orders_at_the_new_price(roll):
    services.create_standing_order(
        customer=make_user().pk,
        items=[{"product": roll.pk, "weekday": 2, "quantity": 1}],
        due_time=time(10),
        start=clock.today(),
        end=date(2026, 12, 1),
    )
    services.generate(clock.now())

    assert prices() == [Decimal("1.40")]


def test_who_waited_gets_it_at_the_new_price(roll, time_machine):
    time_machine.move_to(FRIDAY, tick=False)
    due_at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    sold_out = make_order(items=lines(roll, 100), due_at=due_at)
    services.wait_for(actor=None, product=roll.pk, date=date(2026, 12, 1), quantity=1, customer_email="a@example.com")
    time_machine.move_to(MONDAY, tick=False)

    services.change_status(order_id=sold_out.pk, to="cancelled", actor=make_user(role="manager"))

    assert prices() == [Decimal("1.30"), Decimal("1.40")]


def test_an_order_costs_no_further_query_for_plans_of_another_day(roll, time_machine):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            make_order(items=lines(roll))
        return len(caught)

    time_machine.move_to(FRIDAY, tick=False)
    with_plan = queries()
    PriceChange.objects.all().delete()

    assert queries() == with_plan


@pytest.mark.django_db(transaction=True)
def test_of_many_who_come_at_midnight_all_pay_the_new_price_and_it_is_written_once(roll):
    due_at = on(1)
    acts = [lambda: make_order(items=lines(roll), due_at=due_at), lambda: revision_on(clock.today())] * 4

    assert at_once(*acts) == ["done"] * 8

    product = Product.objects.get()
    assert Counter(prices()) == {Decimal("1.40"): 4}
    assert (product.price, product.version, product.history.count()) == (Decimal("1.40"), 2, 2)


def test_whoever_takes_an_order_by_telephone_is_told_the_new_price(roll, client):
    client.force_login(make_user(role="cashier"))

    answer = client.get("/admin/orders/order/take/goods/", {"day": "2026-12-01", "id": roll.pk})

    assert [row["price"] for row in answer.json()["data"]] == ["1.40"]
