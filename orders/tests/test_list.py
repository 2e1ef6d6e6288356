"""GET /api/orders, one order, and an order by its tracking token."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.models import Order
from orders.serializers import (
    OrderItemSerializer,
    OrderSerializer,
    SaleSerializer,
    TrackedOrderSerializer,
    VatBucketSerializer,
    orders,
)
from orders.tests.factories import make_order, make_standing_order, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db


def found(client, query=""):
    response = client.get(f"/api/orders{query}")
    assert response.status_code == 200, response.json()
    return [order["id"] for order in response.json()["data"]]


def first_error(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def test_the_newest_comes_first_in_pages(api_as):
    first, second, third = (make_order().pk for _ in range(3))

    response = api_as("cashier").get("/api/orders?page_size=2")

    assert [order["id"] for order in response.json()["data"]] == [third, second]
    assert response.json()["meta"]["pagination"] == {
        "page": 1,
        "page_size": 2,
        "total": 3,
        "pages": 2,
        "next": "http://testserver/api/orders?page=2&page_size=2",
        "previous": None,
    }
    assert found(api_as("cashier"), "?page_size=2&page=2") == [first]
    assert first_error(api_as("cashier").get("/api/orders?page=3&page_size=2"))[0] == 404


def test_an_order_of_the_list_is_the_order(api_as):
    order = make_order()
    client = api_as("cashier")

    assert client.get("/api/orders").json()["data"] == [client.get(f"/api/orders/{order.pk}").json()["data"]]


def test_orders_are_found_by_each_filter(api_as):
    client, customer = api_as("cashier"), make_user()
    old = make_order(due_at=on(1), actor=customer, status="confirmed")
    new = make_order(due_at=on(3), actor=make_user(role="cashier"), fulfilment="delivery", customer_name="Grace")
    cancelled = make_order(due_at=on(3), customer_email="hopper@example.com", customer_phone="0777", status="cancelled")
    sale = services.sell(
        actor=make_user(role="cashier"), items=[{"product": make_product().pk, "quantity": 1}], method="cash", now=on(5)
    )
    day = clock.shop_day(on(3))

    assert found(client, "?status=confirmed") == [old.pk]
    assert found(client, "?status=confirmed&status=cancelled") == [cancelled.pk, old.pk]
    assert found(client, f"?due_date={day}") == [cancelled.pk, new.pk]
    assert found(client, f"?due_from={day}") == [sale.pk, cancelled.pk, new.pk]
    assert found(client, f"?due_to={day}") == [cancelled.pk, new.pk, old.pk]
    assert found(client, f"?due_from={day}&due_to={day}&status=pending") == [new.pk]
    assert found(client, f"?customer={customer.pk}") == [old.pk]
    assert found(client, f"?customer={10**9}") == []
    assert found(client, "?fulfilment=delivery") == [new.pk]
    assert found(client, "?channel=phone") == [new.pk]
    assert found(client, "?channel=web") == [cancelled.pk, old.pk]
    assert found(client, "?channel=counter") == [sale.pk]
    assert found(client, "?payment_status=paid") == [sale.pk]
    assert found(client, "?search=grace") == [new.pk]
    assert found(client, "?search=HOPPER@") == [cancelled.pk]
    assert found(client, "?search=0777") == [cancelled.pk]
    assert found(client, f"?search={old.code.lower()}") == [old.pk]
    assert found(client, "?search=%25") == []


def test_orders_are_sorted(api_as):
    client = api_as("cashier")
    dear = make_order(items=[{"product": make_product(price="9").pk, "quantity": 1}], due_at=on(2)).pk
    cheap = make_order(items=[{"product": make_product(price="1").pk, "quantity": 1}], due_at=on(3)).pk

    assert found(client, "?ordering=total") == [cheap, dear]
    assert found(client, "?ordering=-total") == [dear, cheap]
    assert found(client, "?ordering=due_at") == [dear, cheap]
    assert found(client, "?ordering=-created_at") == [cheap, dear]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("status=lost", "invalid_choice", "status"),
        ("status=", "invalid", "status"),
        ("due_date=2026-1-5", "invalid", "due_date"),
        ("due_from=20260105", "invalid", "due_from"),
        ("due_to=tomorrow", "invalid", "due_to"),
        ("customer=ada", "invalid", "customer"),
        ("fulfilment=drone", "invalid_choice", "fulfilment"),
        ("channel=fax", "invalid_choice", "channel"),
        ("payment_status=maybe", "invalid_choice", "payment_status"),
        ("colour=red", "unknown_parameter", "colour"),
        ("fulfilment=pickup&fulfilment=delivery", "repeated_parameter", "fulfilment"),
        ("due_date=x&due_date=2031-01-01", "repeated_parameter", "due_date"),
        ("ordering=customer__password", "invalid", "ordering"),
        ("page_size=201", "invalid", "page_size"),
    ],
)
def test_what_cannot_be_asked_is_named(api_as, query, code, field):
    assert first_error(api_as("cashier").get(f"/api/orders?{query}")) == (400, code, field)


def test_a_list_costs_the_same_for_one_order_and_for_many(api_as, queries_do_not_grow):
    def add_rows():
        for _ in range(3):
            make_order(items=[{"product": make_product().pk, "quantity": 1} for _ in range(4)])

    assert queries_do_not_grow(api_as("cashier"), "/api/orders", add_rows) <= 5


@pytest.mark.parametrize("path", ["", "/history", "/payments"])
def test_an_order_costs_the_same_with_one_line_and_with_many(api_as, path):
    client, cashier = api_as("cashier"), make_user(role="cashier")
    found(client)  # what the cashier may is read once

    def cost(lines):
        order = make_order(items=[{"product": make_product().pk, "quantity": 1} for _ in range(lines)])
        for _ in range(lines):
            services.pay(order_id=order.pk, amount=Decimal("0.01"), method="card", actor=cashier)
            services.edit_order(order_id=order.pk, actor=cashier, changes={"notes": f"{order.pk} {_}"})
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/api/orders/{order.pk}{path}").status_code == 200
        return len(caught)

    assert cost(1) == cost(5) <= 5


def test_a_list_that_has_not_changed_is_not_sent_again(api_as):
    make_order()
    client = api_as("cashier")
    etag = client.get("/api/orders")["ETag"]

    assert client.get("/api/orders", headers={"If-None-Match": etag}).status_code == 304
    make_order()
    assert client.get("/api/orders", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("make", [make_order, make_standing_order])
def test_what_the_caller_has_is_not_sent_again(api_as, make):
    made, manager = make(), api_as("manager")
    url = f"/api/{'orders' if make is make_order else 'standing-orders'}/{made.pk}"
    etag = manager.get(url)["ETag"]

    known = manager.get(url, headers={"If-None-Match": f'"other", {etag}'})

    assert (known.status_code, known.content, known["ETag"]) == (304, b"", etag)
    assert manager.patch(url, {"notes": "New", "paused": True}, headers={"If-Match": etag}).status_code == 200
    assert manager.get(url, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("make", [make_order, make_standing_order])
def test_a_version_that_comes_again_after_a_restore_is_another(api_as, make):
    made, manager = make(), api_as("manager")
    url = f"/api/{'orders' if make is make_order else 'standing-orders'}/{made.pk}"
    lost = manager.patch(url, {"address": "1 Mill Lane"})
    type(made).objects.filter(pk=made.pk).update(version=1)

    written = manager.patch(url, {"address": "2 Mill Lane"}, headers={"If-Match": '"1"'})

    assert written["ETag"][:3] == lost["ETag"][:3] == '"2-'
    assert manager.get(url, headers={"If-None-Match": lost["ETag"]}).json()["data"]["address"] == "2 Mill Lane"
    assert manager.get(url, headers={"If-None-Match": written["ETag"]}).status_code == 304


def test_the_tag_of_an_order_changes_with_what_the_caller_may_do_with_it(api_as):
    customer = make_user()
    order = make_order(actor=customer)
    url = f"/api/orders/{order.pk}"
    etag = api_as(customer).get(url)["ETag"]

    assert api_as("cashier").get(url, headers={"If-None-Match": etag}).json()["data"]["allowed_statuses"]
    with time_machine.travel(order.deadline_at + timedelta(seconds=1), tick=False):
        late = api_as(customer).get(url, headers={"If-None-Match": etag})
    assert late.json()["data"]["allowed_statuses"] == []
    assert api_as("cashier").patch(url, {"notes": "New"}, headers={"If-Match": etag}).status_code == 200


def test_what_was_shown_before_is_shown_as_it_is_now(api_as):
    """A list need not read an order again in the version in which it has shown it; each change is another version."""
    cashier, manager = make_user(role="cashier"), make_user(role="manager")
    customer = make_user(first_name="Ada")
    order = make_order(actor=customer, items=[{"product": make_product(price="2").pk, "quantity": 2, "note": "Sliced"}])
    product, client = make_product(price="3").pk, api_as(manager)

    def listed():
        (shown,) = client.get("/api/orders").json()["data"]
        assert shown == client.get(f"/api/orders/{order.pk}").json()["data"]
        return shown

    listed()
    services.edit_order(order_id=order.pk, actor=cashier, changes={"items": [{"product": product, "quantity": 1}]})
    assert (listed()["total"], listed()["items"][0]["note"]) == ("3.00", "")
    services.change_status(order_id=order.pk, to="confirmed", actor=cashier)
    assert listed()["status"] == "confirmed"
    services.pay(order_id=order.pk, amount=Decimal(1), method="card", actor=cashier)
    assert listed()["balance"] == "2.00"
    services.pay(order_id=order.pk, amount=Decimal(1), method="card", kind="refund", actor=cashier)
    assert listed()["payment_status"] == "refunded"
    call_command("erase_customer", customer.username, stdout=StringIO())
    assert (listed()["customer_name"], listed()["customer_email"]) == ("", "")


def test_each_caller_is_told_what_they_may_do_with_an_order_that_others_have_seen(api_as):
    customer = make_user()
    order = make_order(actor=customer)
    make_order(actor=customer, status="ready")

    shown = {
        role: [one["allowed_statuses"] for one in api_as(who).get("/api/orders").json()["data"]]
        for role, who in (("manager", "manager"), ("cashier", "cashier"), ("baker", "baker"), ("customer", customer))
    }

    assert shown == {
        "manager": [["completed", "cancelled", "no_show"], ["confirmed", "cancelled"]],
        "cashier": [["completed"], ["confirmed", "cancelled"]],
        "baker": [[], []],
        "customer": [[], ["cancelled"]],
    }
    with time_machine.travel(order.deadline_at + timedelta(seconds=1), tick=False):
        late = [one["allowed_statuses"] for one in api_as(customer).get("/api/orders").json()["data"]]
    assert late == [[], []]


def test_an_order_is_not_read_again_in_the_version_that_was_shown(api_as):
    make_order()
    fresh = make_order()
    client = api_as("cashier")
    found(client)
    services.change_status(order_id=fresh.pk, to="confirmed", actor=make_user(role="cashier"))

    def lines_read():
        with CaptureQueriesContext(connection) as caught:
            found(client)
        return [query["sql"] for query in caught if "orders_orderitem" in query["sql"]]

    (sql,) = lines_read()
    assert f"({fresh.pk})" in sql
    assert lines_read() == []


@pytest.fixture
def between_the_reads(monkeypatch):
    """Take what is to happen between the heads of a list and the orders themselves; it is done once."""
    todo, read = [], orders.load_orders

    def act_and_read(pks):
        while todo:
            todo.pop()()
        return read(pks)

    monkeypatch.setattr(orders, "load_orders", act_and_read)
    return todo.append


def test_an_order_that_changes_while_the_list_is_read_is_shown_as_it_becomes(api_as, between_the_reads):
    order, manager = make_order(), make_user(role="manager")
    between_the_reads(lambda: services.change_status(order_id=order.pk, to="cancelled", actor=manager))

    (shown,) = api_as("cashier").get("/api/orders?status=pending").json()["data"]

    assert (shown["status"], shown["allowed_statuses"]) == ("cancelled", [])


def test_an_order_that_becomes_anothers_while_the_list_is_read_is_not_shown(api_as, between_the_reads):
    ada, grace, manager = make_user(), make_user(), make_user(role="manager")
    order, kept = make_order(actor=ada), make_order(actor=ada)
    changes = {"customer": grace.pk, "customer_phone": "0700"}
    between_the_reads(lambda: services.edit_order(order_id=order.pk, actor=manager, changes=changes))

    assert found(api_as(ada)) == [kept.pk]
    assert found(api_as(grace)) == [order.pk]


def test_what_a_customer_may_do_is_told_of_each_order(api_as):
    customer = make_user()
    soon, later = make_order(actor=customer, due_at=on(1)), make_order(actor=customer, due_at=on(5))

    with time_machine.travel(soon.deadline_at + timedelta(seconds=1), tick=False):
        shown = api_as(customer).get("/api/orders").json()["data"]

    assert {one["id"]: one["allowed_statuses"] for one in shown} == {soon.pk: [], later.pk: ["cancelled"]}


def test_customers_see_their_own_orders_whatever_they_ask(api_as):
    ada, grace = make_user(), make_user()
    own, others = make_order(actor=ada), make_order(actor=grace, customer_name="Grace")
    client = api_as(ada)

    assert found(client) == [own.pk]
    for query in (f"?customer={grace.pk}", "?search=Grace", f"?search={others.code}"):
        assert found(client, query) == []
    for path in ("", "/history", "/payments"):
        assert client.get(f"/api/orders/{own.pk}{path}").status_code == 200
        assert client.get(f"/api/orders/{others.pk}{path}").status_code == 404


def test_drivers_see_deliveries_whatever_they_ask(api_as):
    pickup, delivery = make_order(), make_order(fulfilment="delivery")
    client = api_as("driver")

    assert found(client) == [delivery.pk]
    assert found(client, "?fulfilment=pickup") == []
    for path in ("", "/history", "/payments"):
        assert client.get(f"/api/orders/{delivery.pk}{path}").status_code == 200
        assert client.get(f"/api/orders/{pickup.pk}{path}").status_code == 404


@pytest.mark.parametrize("name", ["0", "999999999999999999", "9" * 40, "x", "-1", "1.0"])
def test_what_is_no_order_is_not_found(api_as, name):
    assert first_error(api_as("cashier").get(f"/api/orders/{name}")) == (404, "not_found", None)


def test_whoever_holds_the_token_follows_the_order(api_as):
    manager = make_user(role="manager")
    order = make_order(actor=manager, customer=make_user().pk, customer_name="Ada")
    services.change_status(order_id=order.pk, to="confirmed", actor=manager, note="Always late to pay")

    tracked = api_as(None).get(f"/api/orders/track/{order.tracking_token}")

    read = api_as("cashier").get(f"/api/orders/{order.pk}").json()["data"]
    shown = {name: value for name, value in read.items() if name not in ("customer", "tracking_token")}
    assert tracked.json()["data"] == {
        **shown,
        "allowed_statuses": [],
        "history": [
            {"at": clock.local(event.at).isoformat(), "from": event.from_status or None, "to": event.to_status}
            for event in order.history.all()
        ],
    }
    assert "late to pay" not in tracked.content.decode()
    assert manager.username not in tracked.content.decode()


@pytest.mark.parametrize("token", ["unknown", "x" * 500, "%00", "a.b"])
def test_an_unknown_token_leads_nowhere(api_as, token):
    make_order()

    assert first_error(api_as(None).get(f"/api/orders/track/{token}"))[:2] == (404, "not_found")


def test_following_an_order_takes_as_many_queries_with_many_lines(api_as):
    def cost(lines):
        order = make_order(items=[{"product": make_product().pk, "quantity": 1} for _ in range(lines)])
        with CaptureQueriesContext(connection) as caught:
            assert api_as(None).get(f"/api/orders/track/{order.tracking_token}").status_code == 200
        return len(caught)

    assert cost(1) == cost(9) == 3


def test_the_code_of_an_order_does_not_follow_it(api_as):
    order = make_order()

    assert api_as(None).get(f"/api/orders/track/{order.code}").status_code == 404
    assert Order.objects.get().code == order.code


def test_what_is_written_by_hand_is_what_the_schema_promises(api_as):
    order = make_order()
    sale = {"items": [{"product": make_product().pk, "quantity": 1}], "method": "cash"}

    read = api_as("cashier").get(f"/api/orders/{order.pk}").json()["data"]
    sold = api_as("cashier").post("/api/sales", sale).json()["data"]
    tracked = api_as(None).get(f"/api/orders/track/{order.tracking_token}").json()["data"]

    assert list(read) == list(OrderSerializer().fields)
    assert list(read["items"][0]) == list(OrderItemSerializer().fields)
    assert list(read["vat"][0]) == list(VatBucketSerializer().fields)
    assert list(sold) == list(SaleSerializer().fields)
    assert list(tracked) == list(TrackedOrderSerializer().fields)
