"""A day's capacity is never exceeded, whatever door an order comes through, and given back when it is not needed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_user
from bakery import clock
from bakery.errors import Conflict
from orders import services
from orders.errors import CapacityExceeded
from orders.models import Order, OrderItem
from orders.tests.factories import make_order, on
from products.models import CapacityGroup, CapacityOverride, Product
from products.tests.factories import make_product
from tests.at_once import ON_POSTGRES, elsewhere, wait_until_somebody_waits

pytestmark = pytest.mark.django_db


def lines(*pairs):
    return [{"product": product.pk, "quantity": quantity} for product, quantity in pairs]


def refused(*pairs, **details):
    """Place an order that is refused, see that it left nothing behind, and return its problems."""
    before = Order.objects.count(), OrderItem.objects.count()
    with pytest.raises(CapacityExceeded) as refusal:
        make_order(items=lines(*pairs), **details)
    assert before == (Order.objects.count(), OrderItem.objects.count())
    return [(problem.field, problem.message) for problem in refusal.value.problems]


def test_a_day_is_filled_and_not_overfilled():
    cake = make_product(name="Cake", daily_capacity=10)
    day = clock.shop_day(on(1))
    make_order(items=lines((cake, 4)))

    assert refused((cake, 7)) == [("items.0.quantity", f"Of Cake only 6 are left on {day}.")]
    make_order(items=lines((cake, 6)))
    assert refused((cake, 1)) == [("items.0.quantity", f"Cake is sold out on {day}.")]
    make_order(items=lines((cake, 10)), due_at=on(2))


def test_the_api_names_the_line_the_product_and_what_is_left(api_as):
    bread, cake = make_product(), make_product(name="Cake", daily_capacity=2)

    response = api_as("cashier").post(
        "/api/orders", {"due_at": on(1).isoformat(), "items": lines((bread, 5), (cake, 3))}
    )

    assert response.status_code == 409
    assert response.json()["errors"] == [
        {
            "code": "capacity_exceeded",
            "field": "items.1.quantity",
            "message": f"Of Cake only 2 are left on {clock.shop_day(on(1))}.",
        }
    ]


def test_the_same_product_on_several_lines_counts_together():
    cake = make_product(name="Cake", daily_capacity=10)

    assert refused((cake, 6), (cake, 6)) == [
        ("items.1.quantity", f"Of Cake only 10 are left on {clock.shop_day(on(1))}.")
    ]
    make_order(items=lines((cake, 6), (cake, 4)))


def test_another_capacity_for_a_date_goes_before_the_usual_one():
    cake, tart = make_product(daily_capacity=10), make_product()
    day = clock.shop_day(on(1))
    CapacityOverride.objects.create(product=cake, day=day, capacity=2)
    CapacityOverride.objects.create(product=tart, day=day, capacity=0)

    refused((cake, 3))
    refused((tart, 1))
    make_order(items=lines((cake, 2)))
    make_order(items=lines((cake, 10), (tart, 1)), due_at=on(2))


def test_products_of_a_group_share_its_units():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=10)
    small = make_product(name="Roll", capacity_group=oven)
    large = make_product(name="Loaf", capacity_group=oven, capacity_units=4)
    day = clock.shop_day(on(1))
    make_order(items=lines((large, 1)))

    assert refused((small, 2), (large, 2)) == [("items.1.quantity", f"Of Loaf only 1 are left on {day}.")]
    assert refused((large, 1), (small, 3)) == [("items.1.quantity", f"Of Roll only 2 are left on {day}.")]
    make_order(items=lines((small, 2), (large, 1)))
    refused((small, 1))


def test_a_groups_capacity_may_differ_for_a_date():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=10)
    roll = make_product(capacity_group=oven)
    CapacityOverride.objects.create(group=oven, day=clock.shop_day(on(1)), capacity=1)

    refused((roll, 2))
    make_order(items=lines((roll, 1)))


def test_a_product_is_bound_by_its_own_capacity_and_by_its_groups():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=10)
    roll = make_product(capacity_group=oven, daily_capacity=4)

    refused((roll, 5))
    make_order(items=lines((make_product(capacity_group=oven), 8)))
    refused((roll, 3))
    make_order(items=lines((roll, 2)))


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_what_is_cancelled_or_not_picked_up_gives_its_capacity_back(status):
    cake = make_product(daily_capacity=5)
    make_order(items=lines((cake, 5)), status=status)

    make_order(items=lines((cake, 5)))


@pytest.mark.parametrize("status", ["confirmed", "baking", "ready", "completed"])
def test_an_order_holds_its_capacity_to_the_end(status):
    cake = make_product(daily_capacity=5)
    make_order(items=lines((cake, 5)), status=status)

    refused((cake, 1))


def test_sales_at_the_till_neither_take_capacity_nor_are_bound_by_it():
    cake = make_product(daily_capacity=5)
    cashier = make_user(role="cashier")

    services.sell(actor=cashier, items=lines((cake, 9)), method="card", now=on(1, 8))
    make_order(items=lines((cake, 5)), due_at=on(1))


def test_a_manager_goes_over_capacity_with_a_reason():
    cake = make_product(daily_capacity=5)
    make_order(items=lines((cake, 5)))

    order = make_order(actor=make_user(role="manager"), items=lines((cake, 3)), override="For the mayor")

    assert order.override_reason == "For the mayor"
    refused((cake, 1))


def test_an_edit_may_take_what_its_own_old_lines_held(api_as):
    cake = make_product(daily_capacity=10)
    order = make_order(items=lines((cake, 6)))
    make_order(items=lines((cake, 1)))
    client = api_as("cashier")

    assert client.patch(f"/api/orders/{order.pk}", {"items": lines((cake, 9))}).status_code == 200
    refusal = client.patch(f"/api/orders/{order.pk}", {"items": lines((cake, 10))})

    assert (refusal.status_code, refusal.json()["errors"][0]["field"]) == (409, "items.0.quantity")
    assert order.items.get().quantity == 9


def test_an_order_beyond_capacity_may_become_smaller_but_not_larger():
    cake = make_product(daily_capacity=5)
    manager = make_user(role="manager")
    order = make_order(actor=manager, items=lines((cake, 9)), override="For the mayor")

    services.edit_order(order_id=order.pk, actor=manager, changes={"items": lines((cake, 8))})
    with pytest.raises(CapacityExceeded):
        services.edit_order(order_id=order.pk, actor=manager, changes={"items": lines((cake, 9))})
    services.edit_order(order_id=order.pk, actor=manager, changes={"items": lines((cake, 9)), "override": "Again"})

    order.refresh_from_db()
    assert order.override_reason == "Again"


def test_moving_an_order_takes_the_capacity_of_its_new_day():
    cake = make_product(daily_capacity=5)
    order = make_order(items=lines((cake, 3)))
    make_order(items=lines((cake, 3)), due_at=on(2))
    cashier = make_user(role="cashier")

    with pytest.raises(CapacityExceeded):
        services.edit_order(order_id=order.pk, actor=cashier, changes={"due_at": on(2)})
    services.edit_order(order_id=order.pk, actor=cashier, changes={"due_at": on(3)})

    make_order(items=lines((cake, 5)))


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda cake: CapacityOverride.objects.create(product=cake, day=clock.shop_day(on(1)), capacity=4), "capacity"),
        (lambda cake: Product.objects.update(is_active=False), "product"),
        (lambda cake: Product.objects.update(max_per_order=4), "maximum"),
        (lambda cake: Product.objects.update(capacity_units=3), "capacity"),
        (lambda cake: CapacityGroup.objects.update(daily_capacity=4), "capacity"),
    ],
)
def test_who_waited_for_the_lock_sees_what_was_changed_meanwhile(change, code):
    cake = make_product(daily_capacity=5, capacity_group=CapacityGroup.objects.create(name="Oven", daily_capacity=10))

    def buy():
        try:
            make_order(items=lines((cake, 5)))
        except Conflict as refusal:
            return refusal.code.partition("_")[0]

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(Product.objects.select_for_update(no_key=True).filter(pk=cake.pk))
            bought = pool.submit(elsewhere, buy)
            wait_until_somebody_waits()
            change(cake)
        assert bought.result() == code
    assert not Order.objects.exists()


@ON_POSTGRES
def test_products_are_locked_in_the_order_of_their_keys_and_can_still_be_named_by_others():
    first, second = make_product(), make_product()
    with CaptureQueriesContext(connection) as asked:
        make_order(items=[{"product": second.pk, "quantity": 1}, {"product": first.pk, "quantity": 1}])

    (locking,) = [query["sql"] for query in asked if "FOR NO KEY UPDATE" in query["sql"]]
    assert 'FROM "products_product"' in locking
    assert 'ORDER BY "products_product"."id" ASC' in locking
