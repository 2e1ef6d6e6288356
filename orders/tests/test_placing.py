"""POST /api/orders: what an order needs, what it copies, and what it is refused for."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_user
from bakery import clock
from bakery.api import viewsets
from orders import services
from orders.models import Notice, Order, OrderEvent, OrderItem
from orders.serializers import PlaceOrderSerializer
from orders.services import storing
from orders.tests.factories import make_order, on
from products.tests.factories import make_product, make_vat_class

pytestmark = pytest.mark.django_db


def body(*products, **changes):
    items = [{"product": product.pk, "quantity": 1} for product in products]
    guest = {"customer_name": "Ada", "customer_email": "ada@example.com"}
    return {**guest, "due_at": on(1).isoformat(), "items": items, **changes}


def first_error(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def nothing_was_stored():
    return not (Order.objects.exists() or OrderItem.objects.exists() or OrderEvent.objects.exists()) and not (
        Notice.objects.exists()
    )


def test_an_order_is_answered_whole(api_as):
    bread = make_vat_class(takeaway="5.50", eat_in="10.00")
    baguette = make_product(name="Baguette", price="1.30", vat_class=bread, lead_time_hours=2)
    due_at = on(2, 8)

    response = api_as(None).post(
        "/api/orders",
        {
            "customer_name": "Ada",
            "customer_email": "ada@example.com",
            "customer_phone": "+33 1 23",
            "fulfilment": "delivery",
            "address": "1 Mill Lane\nParis",
            "due_at": due_at.isoformat(),
            "notes": "Ring twice",
            "items": [{"product": baguette.pk, "quantity": 3, "note": "sliced"}],
            "status": "completed",
            "total": "0.01",
        },
    )

    order = Order.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/api/orders/{order.pk}"
    assert response["ETag"].startswith('"1-')
    assert response.json()["data"] == {
        "id": order.pk,
        "code": order.code,
        "tracking_token": order.tracking_token,
        "status": "pending",
        "allowed_statuses": [],
        "channel": "web",
        "customer": None,
        "customer_name": "Ada",
        "customer_email": "ada@example.com",
        "customer_phone": "+33 1 23",
        "fulfilment": "delivery",
        "address": "1 Mill Lane\nParis",
        "consumption": "takeaway",
        "due_at": due_at.isoformat(),
        "deadline_at": (due_at - timedelta(hours=2)).isoformat(),
        "notes": "Ring twice",
        "items": [
            {
                "id": order.items.get().pk,
                "product": baguette.pk,
                "product_name": "Baguette",
                "unit_price": "1.30",
                "vat_rate": "5.50",
                "quantity": 3,
                "line_total": "3.90",
                "note": "sliced",
            }
        ],
        "total": "3.90",
        "vat_total": "0.20",
        "vat": [{"rate": "5.50", "net": "3.70", "vat": "0.20", "gross": "3.90"}],
        "paid": "0.00",
        "balance": "3.90",
        "payment_status": "unpaid",
        "created_at": clock.local(order.created_at).isoformat(),
        "updated_at": clock.local(order.updated_at).isoformat(),
    }


def test_the_code_can_be_read_aloud_and_the_token_is_a_secret():
    order = make_order()

    assert re.fullmatch("[2-9A-HJKMNP-TW-Z]{6}", order.code)
    assert len(order.tracking_token) >= 32


def test_a_code_that_is_taken_is_drawn_again(monkeypatch):
    first = make_order()
    drawn = iter([first.code, first.code, "FRESH2"])
    monkeypatch.setattr(storing, "new_code", lambda: next(drawn))

    assert make_order().code == "FRESH2"
    assert Order.objects.count() == OrderEvent.objects.count() == 2


def test_price_name_and_rate_stay_those_of_the_moment():
    product = make_product(name="Baguette", price="1.30")
    order = make_order(items=[{"product": product.pk, "quantity": 1}])

    product.name, product.price = "Baguette de luxe", 9
    product.save()

    item = order.items.get()
    assert (item.product_name, str(item.unit_price)) == ("Baguette", "1.30")


def test_the_rate_follows_the_place_where_it_is_eaten():
    product = make_product(vat_class=make_vat_class(takeaway="5.50", eat_in="10.00"))
    line = [{"product": product.pk, "quantity": 1}]

    assert str(make_order(items=line).items.get().vat_rate) == "5.50"
    assert str(make_order(items=line, consumption="eat_in").items.get().vat_rate) == "10.00"


def test_a_customer_orders_for_themselves_with_what_the_account_knows(api_as):
    customer = make_user(first_name="Grace", last_name="Hopper", phone="0123")
    sent = body(make_product(), customer=make_user().pk, customer_email="other@example.com")
    del sent["customer_name"]

    order = api_as(customer).post("/api/orders", sent).json()["data"]

    assert (order["customer"], order["channel"]) == (customer.pk, "web")
    assert (order["customer_name"], order["customer_email"], order["customer_phone"]) == (
        "Grace Hopper", "other@example.com", "0123",
    )  # fmt: skip
    assert order["allowed_statuses"] == ["cancelled"]


def test_staff_order_for_whom_they_say(api_as):
    customer = make_user(username="grace")

    order = api_as("cashier").post("/api/orders", body(make_product(), customer=customer.pk, customer_name="")).json()

    assert (order["data"]["customer"], order["data"]["channel"]) == (customer.pk, "phone")
    assert order["data"]["customer_name"] == "grace"
    assert order["data"]["allowed_statuses"] == ["confirmed", "cancelled"]


def test_staff_need_not_know_who_it_is_for(api_as):
    sent = {"due_at": on(1).isoformat(), "items": [{"product": make_product().pk, "quantity": 1}]}

    order = api_as("cashier").post("/api/orders", sent).json()["data"]

    assert (order["customer"], order["customer_name"], order["channel"]) == (None, "", "phone")


def test_what_a_guest_may_not_set_is_ignored_whatever_it_is(api_as):
    response = api_as(None).post("/api/orders", body(make_product(), customer="x", channel="counter", paid="9"))

    assert response.status_code == 201
    assert response.json()["data"]["customer"] is None


def test_a_due_time_without_offset_is_the_shops(api_as):
    response = api_as(None).post("/api/orders", body(make_product(), due_at="2031-07-01T08:00:00"))

    assert response.json()["data"]["due_at"] == "2031-07-01T08:00:00+02:00"
    assert str(Order.objects.get().due_on) == "2031-07-01"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"items": []}, "empty", "items"),
        ({"items": None}, "null", "items"),
        ({"items": "x"}, "not_a_list", "items"),
        ({"items": [{"product": 1, "quantity": 1}] * 101}, "max_length", "items"),
        ({"items": [{"quantity": 1}]}, "required", "items.0.product"),
        ({"items": [{"product": 1}]}, "required", "items.0.quantity"),
        ({"items": [{"product": "1", "quantity": 1}]}, "invalid", "items.0.product"),
        ({"items": [{"product": 1, "quantity": 0}]}, "min_value", "items.0.quantity"),
        ({"items": [{"product": 1, "quantity": 10001}]}, "max_value", "items.0.quantity"),
        ({"items": [{"product": 1, "quantity": 1.5}]}, "invalid", "items.0.quantity"),
        ({"items": [{"product": 10**9, "quantity": 1}]}, "does_not_exist", "items.0.product"),
        ({"items": [{"product": 10**19 - 1, "quantity": 1}]}, "does_not_exist", "items.0.product"),
        ({"items": [{"product": 1, "quantity": 1, "note": "x" * 201}]}, "max_length", "items.0.note"),
        ({"due_at": None}, "null", "due_at"),
        ({"due_at": "tomorrow"}, "invalid", "due_at"),
        ({"due_at": "2027-03-28T02:30:00"}, "no_such_time", "due_at"),
        ({"due_at": "2027-10-31T02:30:00"}, "no_such_time", "due_at"),
        ({"customer_name": ""}, "required", "customer_name"),
        ({"customer_email": ""}, "required", "customer_email"),
        ({"customer_email": "nobody"}, "invalid", "customer_email"),
        ({"customer_name": "x" * 201}, "max_length", "customer_name"),
        ({"customer_phone": "1" * 33}, "max_length", "customer_phone"),
        ({"notes": "x" * 2001}, "max_length", "notes"),
        ({"fulfilment": "delivery"}, "required", "address"),
        ({"fulfilment": "delivery", "address": "x" * 501}, "max_length", "address"),
        ({"fulfilment": "drone"}, "invalid_choice", "fulfilment"),
        ({"consumption": "both"}, "invalid_choice", "consumption"),
    ],
)
def test_what_is_missing_or_wrong_is_named(api_as, change, code, field):
    assert first_error(api_as(None).post("/api/orders", body(make_product(), **change))) == (400, code, field)
    assert nothing_was_stored()


def test_the_due_time_and_the_lines_are_required(api_as):
    response = api_as("cashier").post("/api/orders", {})

    assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [
        ("due_at", "required"), ("items", "required"),
    ]  # fmt: skip


def test_a_phone_number_will_do(api_as):
    sent = body(make_product(), customer_email="", customer_phone="0123")

    assert api_as(None).post("/api/orders", sent).status_code == 201


def test_every_unknown_product_is_named(api_as):
    known = make_product()
    lines = [{"product": pk, "quantity": 1} for pk in (10**9, known.pk, 10**9 + 1)]

    errors = api_as(None).post("/api/orders", body(items=lines)).json()["errors"]

    assert [error["field"] for error in errors] == ["items.0.product", "items.2.product"]


def test_staff_cannot_order_for_an_unknown_customer(api_as):
    response = api_as("cashier").post("/api/orders", body(make_product(), customer=10**9))

    assert first_error(response) == (400, "does_not_exist", "customer")
    assert nothing_was_stored()


def test_staff_cannot_order_for_a_closed_account(api_as):
    response = api_as("cashier").post("/api/orders", body(make_product(), customer=make_user(is_active=False).pk))

    assert first_error(response) == (400, "account_closed", "customer")
    assert nothing_was_stored()


def test_a_total_beyond_all_money_is_refused(api_as):
    dear = make_product(price="99999999.99")

    one = api_as(None).post("/api/orders", body(dear))
    two = api_as(None).post("/api/orders", body(dear, dear))

    assert one.status_code == 201
    assert first_error(two) == (400, "max_value", "items")
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"available_until": "2020-01-01"}, {"available_from": "2100-01-01"}]
)
def test_what_is_not_sold_that_day_is_refused(api_as, fields):
    there, gone = make_product(), make_product(**fields)

    assert first_error(api_as(None).post("/api/orders", body(there, gone))) == (
        409, "product_unavailable", "items.1.product",
    )  # fmt: skip
    assert nothing_was_stored()


def test_a_weekday_on_which_it_is_not_baked_is_refused(api_as):
    due_at = on(3)
    product = make_product(weekdays=[day for day in range(1, 8) if day != due_at.isoweekday()])

    refused = api_as(None).post("/api/orders", body(product, due_at=due_at.isoformat()))
    placed = api_as(None).post("/api/orders", body(product, due_at=on(4).isoformat()))

    assert first_error(refused) == (409, "product_unavailable", "items.0.product")
    assert placed.status_code == 201


def test_the_history_begins_with_the_order(api_as):
    cashier = make_user(role="cashier")
    order = make_order(actor=cashier)

    events = api_as("manager").get(f"/api/orders/{order.pk}/history").json()["data"]

    assert events == [
        {
            "at": clock.local(order.history.get().at).isoformat(),
            "user": cashier.username,
            "from": None,
            "to": "pending",
            "note": "",
            "changes": {},
            "override": None,
        }
    ]


@pytest.mark.parametrize("role", ["customer", "cashier"])
def test_only_managers_go_over_the_rules(api_as, role):
    response = api_as(role).post("/api/orders", body(make_product(), override="please"))

    assert first_error(response) == (403, "permission_denied", "override")
    assert nothing_was_stored()


def test_a_guest_cannot_go_over_the_rules(api_as):
    assert first_error(api_as(None).post("/api/orders", body(make_product(), override="please")))[0] == 403
    assert api_as(None).post("/api/orders", body(make_product(), override="")).status_code == 201


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_the_reason_for_going_over_the_rules_is_kept(api_as, role):
    late = make_product(lead_time_hours=1000)

    response = api_as(role).post("/api/orders", body(late, override="The mayor asked"))

    assert response.status_code == 201
    assert Order.objects.get().override_reason == "The mayor asked"


def test_an_order_costs_a_few_queries_however_many_lines_it_has(api_as):
    client = api_as(None)

    def cost(lines):
        sent = body(*(make_product(daily_capacity=9) for _ in range(lines)))
        with CaptureQueriesContext(connection) as caught:
            assert client.post("/api/orders", sent).status_code == 201
        return len([query for query in caught if "SAVEPOINT" not in query["sql"]])

    assert cost(3) == cost(100) <= 13


def test_the_same_request_again_gives_the_first_answer_again(api_as):
    sent, key = body(make_product()), {"Idempotency-Key": "abc"}

    first = api_as(None).post("/api/orders", sent, headers=key)
    again = api_as(None).post("/api/orders", sent, headers=key)
    other = api_as(None).post("/api/orders", {**sent, "notes": "!"}, headers=key)

    assert first.content == again.content
    assert (again["Idempotent-Replayed"], again["Location"]) == ("true", first["Location"])
    assert first_error(other) == (409, "idempotency_mismatch", None)
    assert Order.objects.count() == 1


def test_a_refused_order_uses_no_key_up(api_as):
    product, key = make_product(daily_capacity=1), {"Idempotency-Key": "abc"}
    sent = body(product, product)

    assert api_as(None).post("/api/orders", sent, headers=key).status_code == 409
    product.daily_capacity = 2
    product.save()
    assert api_as(None).post("/api/orders", sent, headers=key).status_code == 201


def test_the_service_itself_knows_the_bounds():
    product = make_product()
    for lines in ([], [{"product": product.pk, "quantity": 1}] * 101, [{"product": product.pk, "quantity": 0}]):
        with pytest.raises(services.placing.DomainError):
            services.place_order(actor=make_user(role="cashier"), items=lines, due_at=on(1))
    assert nothing_was_stored()


def test_guests_place_thirty_orders_a_minute_and_address(api_as, settings):
    settings.THROTTLING = True
    guest, sent = api_as(None), body(make_product())

    with time_machine.travel("2031-01-01T08:00:00Z", tick=False):
        sent["due_at"] = "2031-01-02T08:00:00Z"
        answers = [guest.post("/api/orders", sent).status_code for _ in range(31)]
        assert answers == [201] * 30 + [429]
        assert guest.post("/api/orders", sent, REMOTE_ADDR="192.0.2.7").status_code == 201
        assert api_as("cashier").post("/api/orders", sent).status_code == 201


def test_what_one_request_is_given_to_read_a_body_by_is_not_there_for_the_next(api_as):
    assert api_as("cashier").post("/api/orders", {}).status_code == 400

    assert viewsets._first_of(PlaceOrderSerializer, False).context == {}
