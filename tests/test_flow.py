"""One day of the shop, from the catalogue to the cash book, as the people in it live it."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts.tests.factories import make_user
from bakery import clock
from orders.models import Order

PASSWORD = "correct-horse-9"


@pytest.fixture
def staff(db):
    return {role: make_user(role=role, username=role) for role in ("manager", "cashier", "baker", "driver")}


def sign_in(username: str) -> APIClient:
    client = APIClient()
    answer = client.post("/api/auth/login", {"username": username, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['data']['access']}")
    return client


def data(response, status=200):
    assert response.status_code == status, response.content
    return response.json()["data"]


def import_catalogue(manager: APIClient):
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = "sku;name;category;price\nBAG;Baguette;Bread;1,30\nROLL;Roll;Bread;0,55\nCOF;Coffee;Drinks;1,80\n"
    upload = SimpleUploadedFile("products.csv", content.encode(), "text/csv")
    assert data(manager.post("/api/products/import", {"file": upload}, format="multipart"))["created"] == 3
    products = {p["sku"]: p for p in data(manager.get("/api/products"))}
    data(manager.patch(f"/api/products/{products['BAG']['id']}", {"batch_size": 10}))
    data(manager.patch(f"/api/products/{products['COF']['id']}", {"is_baked": False}))
    return products


def test_from_the_catalogue_to_the_cash_book(staff):
    manager, cashier, baker = sign_in("manager"), sign_in("cashier"), sign_in("baker")
    guest = APIClient()
    products = import_catalogue(manager)
    due = (clock.local(clock.now()) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    day = due.date().isoformat()

    # A guest orders; the price is the shop's.
    order = data(
        guest.post(
            "/api/orders",
            {
                "customer_name": "Ada",
                "customer_phone": "+33 1 23 45",
                "due_at": due.isoformat(),
                "items": [
                    {"product": products["BAG"]["id"], "quantity": 3, "price": "0.01"},
                    {"product": products["COF"]["id"], "quantity": 1},
                ],
            },
            HTTP_IDEMPOTENCY_KEY="order-of-ada",
        ),
        201,
    )
    assert (order["total"], order["status"], order["channel"]) == ("5.70", "pending", "web")
    seen = data(guest.get(f"/api/orders/track/{order['tracking_token']}"))
    assert seen["code"] == order["code"]

    # The baker sees it on tomorrow's list, in whole batches, without the coffee.
    preview = data(baker.get(f"/api/baking-list/{day}"))
    assert (preview["status"], preview["id"]) == ("preview", None)
    assert [(i["product_name"], i["ordered"], i["planned"], i["batches"]) for i in preview["items"]] == [
        ("Baguette", 3, 10, 1)
    ]
    plan = data(manager.post("/api/baking-list", {"date": day, "include_forecast": False}), 201)
    assert plan["version"] == 1

    # It moves along, each step by the one whose work it is.
    path = f"/api/orders/{order['id']}"
    data(cashier.put(f"{path}/status", {"status": "confirmed"}))
    data(baker.put(f"{path}/status", {"status": "baking"}))
    data(baker.patch(f"/api/baking-list/{day}/items/{products['BAG']['id']}", {"produced": 10, "status": "done"}))
    data(baker.put(f"{path}/status", {"status": "ready"}))

    # Money comes in and stands in the cash book.
    data(cashier.post("/api/cash/sessions", {"float": "150.00"}), 201)
    data(cashier.post(f"{path}/payments", {"amount": "5.70", "method": "cash", "tendered": "10.00"}), 201)
    done = data(cashier.put(f"{path}/status", {"status": "completed"}))
    assert (done["paid"], done["balance"], done["payment_status"]) == ("5.70", "0.00", "paid")
    entries = data(cashier.get(f"/api/cash?reference=order:{order['id']}"))
    assert [(e["type"], e["amount"], e["method"]) for e in entries] == [("sale", "5.70", "cash")]
    session = data(cashier.get("/api/cash/sessions/current"))
    closed = data(cashier.post(f"/api/cash/sessions/{session['id']}/close", {"counted": "155.70"}))
    assert (closed["expected"], closed["difference"]) == ("155.70", "0.00")

    # The staff talk, the owner looks at the figures, the books agree.
    data(baker.post("/api/chat", {"message": "Ada's baguettes are on the shelf."}), 201)
    assert [m["message"] for m in data(cashier.get("/api/chat"))] == ["Ada's baguettes are on the shelf."]
    report = data(manager.get(f"/api/reports/sales?from={day}&to={day}&group_by=product"))
    assert report["total"]["gross"] == "5.70"
    history = data(manager.get(f"{path}/history"))
    assert [step["to"] for step in history] == ["pending", "confirmed", "baking", "ready", "completed"]


def test_the_books_agree_after_a_day(staff, capsys):
    from django.core.management import call_command

    test_from_the_catalogue_to_the_cash_book(staff)

    call_command("doctor")
    call_command("verify_cashbook")
    assert Order.objects.get().paid == Order.objects.get().total
