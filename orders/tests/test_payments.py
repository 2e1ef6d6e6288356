"""Payments and refunds of orders: bounded by what is owed, and in the cash book in the same transaction."""

from decimal import Decimal

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Shop
from cashbook.models import CashEntry, Register
from orders.models import Order, Payment, PaymentStatus
from orders.tests.factories import make_order, move
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db


def make_order_of(price, **details):
    return make_order(items=[{"product": make_product(price=price).pk, "quantity": 1}], **details)


@pytest.fixture
def post(api_as):
    def send(order, body, who="cashier", **headers):
        return api_as(who).post(f"/api/orders/{order.pk}/payments", body, headers=headers)

    return send


def first_error(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def nothing_was_booked(order):
    stored = Order.objects.get(pk=order.pk)
    return (stored.paid, stored.version) == (order.paid, order.version) and not (
        Payment.objects.exists() or CashEntry.objects.exists()
    )


def test_a_payment_is_answered_whole_and_stands_in_the_cash_book(post, api_as):
    order, cashier = make_order_of("10.00"), make_user(role="cashier")

    response = post(order, {"amount": "7.50", "method": "cash", "note": "by her son", "tendered": "20.00"}, who=cashier)

    payment, entry = Payment.objects.get(), CashEntry.objects.get()
    assert response.status_code == 201
    assert response.json()["data"] == {
        "id": payment.pk,
        "amount": "7.50",
        "method": "cash",
        "kind": "payment",
        "note": "by her son",
        "user": cashier.username,
        "created_at": clock.local(entry.created_at).isoformat(),
        "cash_entry": entry.pk,
        "tendered": "20.00",
        "change": "12.50",
        "items": [],
    }
    assert (entry.type, entry.amount, entry.signed_amount, entry.method) == (
        "sale",
        Decimal("7.50"),
        Decimal("7.50"),
        "cash",
    )
    assert (entry.reference, entry.notes, entry.user) == (f"order:{order.pk}", "", cashier)
    assert api_as("baker").get(f"/api/orders/{order.pk}/payments").json()["data"] == [response.json()["data"]]
    read = api_as("cashier").get(f"/api/orders/{order.pk}")
    assert read["ETag"].startswith('"2-')
    assert {name: read.json()["data"][name] for name in ("paid", "balance", "payment_status")} == {
        "paid": "7.50", "balance": "2.50", "payment_status": "partial",
    }  # fmt: skip


def test_an_order_is_paid_in_parts_and_given_back(post, api_as):
    order = make_order_of("10.00")

    def standing():
        data = api_as("cashier").get(f"/api/orders/{order.pk}").json()["data"]
        found = {
            status
            for status in PaymentStatus.values
            if api_as("cashier").get(f"/api/orders?payment_status={status}").json()["data"]
        }
        assert found == {data["payment_status"]}
        return data["payment_status"], data["paid"], data["balance"]

    assert standing() == ("unpaid", "0.00", "10.00")
    post(order, {"amount": "4.00", "method": "card"})
    assert standing() == ("partial", "4.00", "6.00")
    post(order, {"amount": 6, "method": "voucher"})
    assert standing() == ("paid", "10.00", "0.00")
    post(order, {"amount": "1.00", "method": "cash", "kind": "refund"})
    assert standing() == ("partial", "9.00", "1.00")
    post(order, {"amount": "9.00", "method": "cash", "kind": "refund"})
    assert standing() == ("refunded", "0.00", "10.00")
    post(order, {"amount": "10.00", "method": "transfer"})
    assert standing() == ("paid", "10.00", "0.00")
    assert [str(entry.signed_amount) for entry in CashEntry.objects.order_by("pk")] == [
        "4.00", "6.00", "-1.00", "-9.00", "10.00",
    ]  # fmt: skip


def test_an_order_that_costs_nothing_is_paid(api_as):
    order = make_order_of("0.00")

    assert api_as("cashier").get("/api/orders?payment_status=paid").json()["data"][0]["id"] == order.pk
    assert api_as("cashier").get("/api/orders?payment_status=unpaid").json()["data"] == []
    assert order.payment_status == "paid"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"amount": "10.01", "method": "cash"}, 409, "exceeds_balance", "amount"),
        ({"amount": "0.01", "method": "cash", "kind": "refund"}, 409, "exceeds_balance", "amount"),
        ({"amount": "0.00", "method": "cash"}, 400, "min_value", "amount"),
        ({"amount": "-1.00", "method": "cash"}, 400, "min_value", "amount"),
        ({"amount": "1.005", "method": "cash"}, 400, "max_decimal_places", "amount"),
        ({"amount": "100000000", "method": "cash"}, 400, "max_whole_digits", "amount"),
        ({"amount": "x", "method": "cash"}, 400, "invalid", "amount"),
        ({"method": "cash"}, 400, "required", "amount"),
        ({"amount": "1.00"}, 400, "required", "method"),
        ({"amount": "1.00", "method": "gold"}, 400, "invalid_choice", "method"),
        ({"amount": "1.00", "method": "cash", "kind": "gift"}, 400, "invalid_choice", "kind"),
        ({"amount": "1.00", "method": "cash", "tendered": "0.50"}, 400, "min_value", "tendered"),
        ({"amount": "1.00", "method": "card", "tendered": "5.00"}, 400, "min_value", "tendered"),
        ({"amount": "1.00", "method": "cash", "register": "nowhere"}, 400, "does_not_exist", "register"),
        ({"amount": "1.00", "method": "cash", "note": "x" * 2001}, 400, "max_length", "note"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_booked(post, body, status, code, field):
    order = make_order_of("10.00")

    assert first_error(post(order, body)) == (status, code, field)
    assert nothing_was_booked(order)


def test_all_that_is_missing_is_named_at_once(post):
    problems = post(make_order(), {}).json()["errors"]

    assert [(problem["code"], problem["field"]) for problem in problems] == [
        ("required", "amount"),
        ("required", "method"),
    ]


def test_no_more_is_given_back_than_was_paid(post):
    order = make_order_of("10.00")
    post(order, {"amount": "4.00", "method": "cash"})

    refused = post(order, {"amount": "4.01", "method": "cash", "kind": "refund"})

    assert first_error(refused) == (409, "exceeds_balance", "amount")
    assert post(order, {"amount": "4.00", "method": "cash", "kind": "refund"}).status_code == 201


@pytest.mark.parametrize(("status", "said"), [("cancelled", "cancelled"), ("no_show", "not picked up")])
def test_an_order_that_came_to_nothing_owes_nothing_but_its_payments_are_given_back(post, status, said):
    order = make_order_of("10.00")
    post(order, {"amount": "4.00", "method": "cash"})
    move(order, status)

    refused = post(order, {"amount": "1.00", "method": "cash"})

    assert first_error(refused) == (409, "exceeds_balance", "amount")
    told = f"The order is {said}: nothing is owed. What was paid can be given back."
    assert refused.json()["errors"][0]["message"] == told
    assert CashEntry.objects.count() == 1
    assert Order.objects.owing().count() == 0
    assert post(order, {"amount": "4.00", "method": "cash", "kind": "refund"}).status_code == 201
    assert Order.objects.get().payment_status == "refunded"


def test_what_an_order_paid_is_given_back_on_the_order_and_not_in_the_cash_book(post, api_as, client):
    order, cashier = make_order_of("10.00"), api_as("cashier")
    for kind in ("payment", "refund"):
        assert post(order, {"amount": "10.00", "method": "cash", "kind": kind}).status_code == 201
    paid, refund = CashEntry.objects.order_by("pk")

    for entry, way in ((paid, "give the money back"), (refund, "take the money again")):
        response = cashier.post(f"/api/cash/{entry.pk}/reverse", {})
        assert first_error(response) == (409, "in_use", "reference")
        told = f"The entry belongs to order {order.pk}: {way} on order {order.pk}."
        assert response.json()["errors"][0]["message"] == told
    client.force_login(make_user(role="manager"))
    client.post("/admin/cashbook/cashentry/", {"action": "reverse", "_selected_action": [paid.pk], "reason": ""})
    assert CashEntry.objects.count() == 2


def test_a_payment_goes_into_the_register_that_is_named(post):
    Register.objects.create(name="stall")

    post(make_order_of("10.00"), {"amount": "1.00", "method": "cash", "register": "stall"})

    assert CashEntry.objects.get().register.name == "stall"


def test_without_its_cash_entry_there_is_no_payment(post):
    Shop.objects.create(pk=1, requires_cash_session=True)
    order = make_order_of("10.00")

    assert first_error(post(order, {"amount": "1.00", "method": "cash"}))[:2] == (409, "session_closed")
    assert nothing_was_booked(order)
    assert post(order, {"amount": "1.00", "method": "card"}).status_code == 201


def test_the_same_request_again_pays_once(post):
    order, key = make_order_of("10.00"), {"Idempotency-Key": "abc"}
    cashier = make_user(role="cashier")
    body = {"amount": "10.00", "method": "cash"}

    first = post(order, body, who=cashier, **key)
    again = post(order, body, who=cashier, **key)
    other = post(order, {**body, "method": "card"}, who=cashier, **key)

    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.content == again.content
    assert first_error(other)[1] == "idempotency_mismatch"
    assert CashEntry.objects.count() == 1


def test_a_driver_takes_money_for_deliveries_only(post, api_as):
    pickup, delivery = make_order_of("1.00"), make_order_of("1.00", fulfilment="delivery")
    body = {"amount": "1.00", "method": "cash"}

    assert post(pickup, body, who="driver").status_code == 404
    assert post(delivery, body, who="driver").status_code == 201
    assert api_as("driver").get(f"/api/orders/{pickup.pk}/payments").status_code == 404
    assert len(api_as("driver").get(f"/api/orders/{delivery.pk}/payments").json()["data"]) == 1
