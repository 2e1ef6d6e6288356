"""The most of a product that one order may hold, through every door."""

from datetime import timedelta

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.errors import MaximumExceeded
from orders.models import Order, StandingDate, Wish
from orders.tests.factories import make_order, make_standing_order, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db


def lines(*wanted):
    return [{"product": product.pk, "quantity": quantity} for product, quantity in wanted]


def body(*wanted, **more):
    return {
        "customer_name": "Ada", "customer_email": "ada@example.com", "due_at": on(1).isoformat(),
        "items": lines(*wanted), **more,
    }  # fmt: skip


def test_an_order_holds_no_more_of_a_product_than_its_maximum(api_as):
    cake = make_product(name="Cake", max_per_order=3)

    refusal = api_as(None).post("/api/orders", body((cake, 4)))

    assert refusal.status_code == 409
    assert refusal.json()["errors"] == [
        {"code": "maximum_exceeded", "field": "items.0.quantity", "message": "One order may hold at most 3 of Cake."}
    ]
    assert not Order.objects.exists()
    assert api_as(None).post("/api/orders", body((cake, 3))).status_code == 201


def test_a_product_on_several_lines_counts_together():
    cake, tart = make_product(max_per_order=3), make_product(name="Tart", max_per_order=1)

    with pytest.raises(MaximumExceeded) as refusal:
        make_order(items=lines((cake, 2), (tart, 2), (cake, 1), (cake, 1), (cake, 1)))

    assert [problem.field for problem in refusal.value.problems] == ["items.1.quantity", "items.3.quantity"]
    make_order(items=lines((cake, 2), (tart, 1), (cake, 1)))


def test_it_is_told_with_everything_else_that_is_wrong(api_as):
    cake = make_product(max_per_order=1, lead_time_hours=8784)

    errors = api_as(None).post("/api/orders", body((cake, 2))).json()["errors"]

    assert [error["code"] for error in errors] == ["too_late", "maximum_exceeded"]


def test_a_manager_goes_over_the_maximum_with_a_reason(api_as):
    cake = make_product(max_per_order=3)

    assert api_as("cashier").post("/api/orders", body((cake, 4))).status_code == 409
    placed = api_as("manager").post("/api/orders", body((cake, 4), override="A wedding"))

    assert placed.status_code == 201
    assert Order.objects.get().items.get().quantity == 4


def test_sales_at_the_till_are_not_bound_by_it():
    cake = make_product(max_per_order=3)

    order = services.sell(actor=make_user(role="cashier"), items=lines((cake, 4)), method="card")

    assert order.items.get().quantity == 4


def test_an_edit_asks_for_no_more_than_the_maximum(api_as):
    cake = make_product(name="Cake", max_per_order=3)
    order = make_order(items=lines((cake, 2)))

    refusal = api_as("cashier").patch(f"/api/orders/{order.pk}", {"items": lines((cake, 4))})

    assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (409, "maximum_exceeded")
    assert order.items.get().quantity == 2


def test_an_order_keeps_what_it_held_before_the_maximum_came():
    cake = make_product(name="Cake")
    order = make_order(items=lines((cake, 20)))
    cake.max_per_order = 3
    cake.save()
    cashier = make_user(role="cashier")

    def edit(**changes):
        services.edit_order(order_id=order.pk, actor=cashier, changes=changes)

    edit(notes="Sliced")
    edit(due_at=on(2))
    edit(items=lines((cake, 19)))
    with pytest.raises(MaximumExceeded, match="at most 19 of Cake"):
        edit(items=lines((cake, 20)))
    edit(items=lines((cake, 3)))
    with pytest.raises(MaximumExceeded, match="at most 3 of Cake"):
        edit(items=lines((cake, 4)))

    assert order.items.get().quantity == 3


def test_a_standing_order_gets_the_maximum_and_tells_the_rest():
    cake = make_product(name="Cake", max_per_order=3)
    make_standing_order(product=cake, quantity=5)

    services.generate(clock.now())

    made = StandingDate.objects.exclude(order=None).first()
    assert made.order.items.get().quantity == 3
    assert made.shortfall == [
        {"product": cake.pk, "product_name": "Cake", "wanted": 5, "ordered": 3, "reason": "over_maximum"}
    ]


def test_nobody_waits_for_more_than_an_order_may_hold(api_as):
    cake = make_product(daily_capacity=0, max_per_order=3)
    wish = {"product": cake.pk, "date": str(clock.shop_day(on(1))), "customer_email": "ada@example.com"}

    refusal = api_as(None).post("/api/waiting-list", {**wish, "quantity": 4})

    assert refusal.status_code == 409
    assert refusal.json()["errors"] == [
        {"code": "maximum_exceeded", "field": "quantity", "message": "One order may hold at most 3 of it."}
    ]
    assert not Wish.objects.exists()
    assert api_as(None).post("/api/waiting-list", {**wish, "quantity": 3}).status_code == 201


def test_a_wish_that_became_too_large_is_not_served():
    cake = make_product(daily_capacity=4)
    order = make_order(items=lines((cake, 4)))
    wish = services.wait_for(
        actor=None, product=cake.pk, date=order.due_on, quantity=4, customer_email="ada@example.com"
    )
    cake.max_per_order = 3
    cake.save()

    services.change_status(order_id=order.pk, to="cancelled", actor=make_user(role="manager"))

    wish.refresh_from_db()
    assert wish.order is None


def test_of_a_retired_product_a_refusal_tells_neither_its_name_nor_its_rules(api_as):
    secret = make_product(name="Secret", is_active=False, lead_time_hours=8784, max_per_order=1, daily_capacity=0)
    soon = (clock.now() + timedelta(minutes=1)).isoformat()

    ordered = api_as(None).post("/api/orders", body((secret, 2), due_at=soon))
    waited = api_as(None).post(
        "/api/waiting-list",
        {"product": secret.pk, "date": str(clock.shop_day(on(1))), "quantity": 2, "customer_email": "a@example.com"},
    )

    assert ordered.status_code == waited.status_code == 409
    assert ordered.json()["errors"] == [
        {"code": "product_unavailable", "field": "items.0.product", "message": "This product is not sold."}
    ]
    assert [error["code"] for error in waited.json()["errors"]] == ["product_unavailable"]
    assert "Secret" not in ordered.content.decode() + waited.content.decode()
