"""Going over the rules with a reason: what is kept of it, and who sees it."""

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Closure
from orders import services
from orders.errors import OVERRIDABLE
from orders.models import Override
from orders.tests.factories import make_order, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

SECRET = "The mayor insists"


@pytest.fixture
def manager():
    return make_user(role="manager")


def lines(product, quantity):
    return [{"product": product.pk, "quantity": quantity}]


def overrides_of(api_as, order, who="cashier"):
    history = api_as(who).get(f"/api/orders/{order.pk}/history").json()["data"]
    return [step["override"] for step in history]


def test_the_history_tells_over_which_rules_an_order_was_placed(api_as, manager):
    day = clock.shop_day(on(1))
    Closure.objects.create(first_day=day, last_day=day)
    cake = make_product(lead_time_hours=100, max_per_order=1, daily_capacity=1)

    order = make_order(actor=manager, items=lines(cake, 2), override=SECRET)

    assert overrides_of(api_as, order) == [{"reason": SECRET, "rules": sorted(OVERRIDABLE)}]


@pytest.mark.parametrize(
    ("rule", "product", "closed"),
    [
        ("too_late", {"lead_time_hours": 100}, False),
        ("shop_closed", {}, True),
        ("maximum_exceeded", {"max_per_order": 1}, False),
        ("capacity_exceeded", {"daily_capacity": 1}, False),
    ],
)
def test_each_rule_that_was_gone_over_is_told_alone(manager, rule, product, closed):
    day = clock.shop_day(on(1))
    if closed:
        Closure.objects.create(first_day=day, last_day=day)

    order = make_order(actor=manager, items=lines(make_product(**product), 2), override=SECRET)

    assert Override.objects.get().rules == [rule]
    assert Override.objects.get().event == order.history.get()


def test_a_reason_that_nothing_asked_for_went_over_no_rule(manager):
    make_order(actor=manager, override=SECRET)

    assert (Override.objects.get().reason, Override.objects.get().rules) == (SECRET, [])


def test_what_needed_no_reason_leaves_none(api_as):
    order = make_order()

    assert overrides_of(api_as, order) == [None]
    assert not Override.objects.exists()


def test_an_edit_tells_what_it_went_over_itself(api_as, manager):
    cake = make_product(daily_capacity=5, lead_time_hours=100)
    order = make_order(actor=manager, items=lines(cake, 5), override="First")

    services.edit_order(order_id=order.pk, actor=manager, changes={"items": lines(cake, 6), "override": "Second"})
    services.edit_order(order_id=order.pk, actor=manager, changes={"notes": "!"})

    assert overrides_of(api_as, order) == [
        {"reason": "First", "rules": ["too_late"]},
        {"reason": "Second", "rules": ["capacity_exceeded"]},
        None,
    ]


def test_an_edit_that_changes_nothing_keeps_no_reason(manager):
    order = make_order()

    services.edit_order(order_id=order.pk, actor=manager, changes={"override": SECRET})

    order.refresh_from_db()
    assert (order.override_reason, order.version) == ("", 1)
    assert not Override.objects.exists()


@pytest.mark.parametrize("who", ["customer", None])
def test_no_customer_and_no_guest_reads_the_reason(api_as, manager, who):
    customer = make_user()
    cake = make_product(daily_capacity=0)
    order = make_order(actor=manager, customer=customer.pk, items=lines(cake, 1), override=SECRET)
    client = api_as(customer if who else None)

    answers = [
        client.get(f"/api/orders/{order.pk}"),
        client.get(f"/api/orders/{order.pk}/history"),
        client.get(f"/api/orders/track/{order.tracking_token}"),
        client.get("/api/orders"),
    ]

    assert [answer.status_code for answer in answers] == ([200] * 4 if who else [401, 401, 200, 401])
    assert all(SECRET not in answer.content.decode() for answer in answers)
    if who:
        assert overrides_of(api_as, order, customer) == [None]


def test_the_office_lists_who_went_over_the_rules(client, manager):
    cake = make_product(daily_capacity=0)
    order = make_order(actor=manager, items=lines(cake, 1), override=SECRET)
    override = Override.objects.get()
    client.force_login(manager)

    listed = client.get("/admin/orders/override/").content.decode()
    shown = client.get(f"/admin/orders/override/{override.pk}/change/").content.decode()
    history = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()

    assert all(text in listed for text in (SECRET, "capacity exceeded", order.code, manager.username))
    assert SECRET in shown
    assert f"capacity exceeded: {SECRET}" in history
    client.force_login(make_user(role="cashier"))
    assert client.get("/admin/orders/override/").status_code == 403
