"""POST /api/sales: sold, paid and completed at once."""

from decimal import Decimal

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Closure, IdempotencyKey
from cashbook.models import CashEntry
from orders.models import Order, Payment
from products.tests.factories import make_product, make_vat_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def sell(api_as):
    def send(body, who="cashier", **headers):
        return api_as(who).post("/api/sales", body, headers=headers)

    return send


def lines(*pairs):
    return [{"product": product.pk, "quantity": quantity} for product, quantity in pairs]


def first_error(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def nothing_was_sold():
    return not (Order.objects.exists() or Payment.objects.exists() or CashEntry.objects.exists())


def test_a_sale_is_answered_whole(sell, api_as):
    cashier = make_user(role="cashier")
    coffee = make_product(name="Coffee", price="2.50", vat_class=make_vat_class(takeaway="5.50", eat_in="10.00"))

    response = sell({"items": lines((coffee, 2)), "method": "card", "consumption": "eat_in"}, who=cashier)

    order, entry, payment = Order.objects.get(), CashEntry.objects.get(), Payment.objects.get()
    now = clock.local(order.due_at).isoformat()
    assert response.status_code == 201
    assert response["Location"] == f"/api/orders/{order.pk}"
    assert response.json()["data"] == {
        "id": order.pk,
        "code": order.code,
        "tracking_token": order.tracking_token,
        "status": "completed",
        "allowed_statuses": [],
        "channel": "counter",
        "customer": None,
        "customer_name": "",
        "customer_email": "",
        "customer_phone": "",
        "fulfilment": "pickup",
        "address": "",
        "consumption": "eat_in",
        "due_at": now,
        "deadline_at": now,
        "notes": "",
        "items": [
            {
                "id": order.items.get().pk,
                "product": coffee.pk,
                "product_name": "Coffee",
                "unit_price": "2.50",
                "vat_rate": "10.00",
                "quantity": 2,
                "line_total": "5.00",
                "note": "",
            }
        ],
        "total": "5.00",
        "vat_total": "0.45",
        "vat": [{"rate": "10.00", "net": "4.55", "vat": "0.45", "gross": "5.00"}],
        "paid": "5.00",
        "balance": "0.00",
        "payment_status": "paid",
        "created_at": clock.local(order.created_at).isoformat(),
        "updated_at": clock.local(order.updated_at).isoformat(),
        "payments": [
            {
                "id": payment.pk,
                "amount": "5.00",
                "method": "card",
                "kind": "payment",
                "note": "",
                "user": cashier.username,
                "created_at": clock.local(entry.created_at).isoformat(),
                "cash_entry": entry.pk,
                "tendered": None,
                "change": "0.00",
                "items": [],
            }
        ],
        "change": "0.00",
    }
    assert (entry.type, entry.amount, entry.reference) == ("sale", Decimal("5.00"), f"order:{order.pk}")
    history = api_as("cashier").get(f"/api/orders/{order.pk}/history").json()["data"]
    assert [(step["from"], step["to"], step["user"]) for step in history] == [(None, "completed", cashier.username)]


def test_a_sale_is_split_and_tells_the_change(sell):
    cake = make_product(price="10.00")

    data = sell(
        {
            "items": lines((cake, 2)),
            "payments": [
                {"method": "cash", "amount": "12.00", "tendered": "20.00"},
                {"method": "card", "amount": "8.00"},
            ],
        }
    ).json()["data"]

    assert data["change"] == "8.00"
    assert [(part["method"], part["amount"], part["tendered"], part["change"]) for part in data["payments"]] == [
        ("cash", "12.00", "20.00", "8.00"),
        ("card", "8.00", None, "0.00"),
    ]
    assert [(entry.method, str(entry.amount)) for entry in CashEntry.objects.order_by("pk")] == [
        ("cash", "12.00"),
        ("card", "8.00"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "required", "method"),
        ({"method": "gold"}, 400, "invalid_choice", "method"),
        ({"method": "cash", "payments": []}, 400, "invalid", "payments"),
        ({"payments": []}, 400, "invalid", "payments"),
        ({"payments": [{"method": "cash", "amount": "9.99"}]}, 400, "invalid", "payments"),
        ({"payments": [{"method": "cash", "amount": "10.01"}]}, 409, "exceeds_balance", "payments"),
        ({"payments": [{"method": "cash", "amount": "0.00"}]}, 400, "min_value", "payments.0.amount"),
        (
            {"payments": [{"method": "cash", "amount": "10.00", "tendered": "9.00"}]},
            400, "min_value", "payments.0.tendered",
        ),
        ({"method": "cash", "items": []}, 400, "empty", "items"),
        ({"method": "cash", "items": [{"product": 10**9, "quantity": 1}]}, 400, "does_not_exist", "items.0.product"),
        ({"method": "cash", "items": [{"product": 1, "quantity": -1}]}, 400, "min_value", "items.0.quantity"),
        ({"method": "cash", "register": "nowhere"}, 400, "does_not_exist", "register"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_sold(sell, body, status, code, field):
    cake = make_product(price="10.00")

    assert first_error(sell({"items": lines((cake, 1)), **body})) == (status, code, field)
    assert nothing_was_sold()


def test_what_is_retired_is_not_sold(sell):
    there, gone = make_product(), make_product(is_active=False)

    answer = sell({"items": lines((there, 1), (gone, 1)), "method": "cash"})

    assert first_error(answer) == (409, "product_unavailable", "items.1.product")
    assert nothing_was_sold()


def test_hours_lead_times_weekdays_and_capacity_do_not_bind_the_till(sell):
    today = clock.today()
    Closure.objects.create(first_day=today, last_day=today)
    weekdays = [day for day in range(1, 8) if day != today.isoweekday()]
    cake = make_product(daily_capacity=0, lead_time_hours=100, weekdays=weekdays)

    assert sell({"items": lines((cake, 3)), "method": "cash"}).status_code == 201


def test_what_costs_nothing_is_sold_without_a_payment(sell):
    data = sell({"items": lines((make_product(price="0.00"), 1)), "method": "cash"}).json()["data"]

    assert (data["total"], data["payment_status"], data["payments"]) == ("0.00", "paid", [])
    assert not CashEntry.objects.exists()


def test_the_same_request_again_sells_once(sell):
    cashier, key = make_user(role="cashier"), {"Idempotency-Key": "abc"}
    body = {"items": lines((make_product(), 1)), "method": "cash"}

    first, again = sell(body, who=cashier, **key), sell(body, who=cashier, **key)

    assert first.content == again.content
    assert (Order.objects.count(), CashEntry.objects.count(), IdempotencyKey.objects.count()) == (1, 1, 1)
