"""Who may do what with orders."""

import pytest

from accounts.tests.factories import make_user
from cashbook.models import CashEntry
from orders.models import Order, OrderEvent
from orders.tests.factories import make_order, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

EVERYONE = [None, "customer", "cashier", "baker", "driver", "manager", "admin"]
ALL_STAFF = {"cashier", "baker", "driver", "manager", "admin"}
SELLERS = {"cashier", "manager", "admin"}
# {own}: the customer's own order, a delivery. {other}: another customer's, a pickup.
ROUTES = {
    ("get", "/api/orders"): ALL_STAFF | {"customer"},
    ("post", "/api/orders"): SELLERS | {"customer", None},
    ("get", "/api/orders/{own}"): ALL_STAFF | {"customer"},
    ("get", "/api/orders/{other}"): ALL_STAFF - {"driver"},
    ("get", "/api/orders/{own}/history"): ALL_STAFF | {"customer"},
    ("get", "/api/orders/{other}/history"): ALL_STAFF - {"driver"},
    ("get", "/api/orders/{own}/payments"): ALL_STAFF | {"customer"},
    ("get", "/api/orders/{other}/payments"): ALL_STAFF - {"driver"},
    ("patch", "/api/orders/{own}"): SELLERS | {"customer"},
    ("patch", "/api/orders/{other}"): SELLERS,
    ("post", "/api/orders/{own}/payments"): SELLERS | {"driver"},
    ("post", "/api/orders/{other}/payments"): SELLERS,
    ("post", "/api/sales"): SELLERS,
    ("get", "/api/orders/track/{token}"): set(EVERYONE),
    ("get", "/api/availability?date=2031-01-01"): set(EVERYONE),
}
# What is not theirs to know of is not there for them; what their role may not do at all is 403.
HIDDEN = {
    (role, method, path)
    for method, path in ROUTES
    for role in ("customer", "driver")
    if "{other}" in path
} - {("customer", "post", "/api/orders/{other}/payments"), ("driver", "patch", "/api/orders/{other}")}  # fmt: skip


@pytest.mark.parametrize("role", EVERYONE)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_access(api_as, method, path, role):
    customer = make_user()
    own, other = make_order(actor=customer, fulfilment="delivery"), make_order(actor=make_user())
    items = [{"product": make_product().pk, "quantity": 1}]
    bodies = {
        ("post", "/api/orders"): {
            "customer_name": "Ada", "customer_phone": "1", "due_at": on(1).isoformat(), "items": items,
        },
        ("post", "/api/sales"): {"items": items, "method": "cash"},
        ("patch", path): {"notes": "!"},
    }  # fmt: skip
    body = bodies.get((method, path), {"amount": "1.00", "method": "cash"} if method == "post" else None)
    rows = [Order.objects.count(), OrderEvent.objects.count(), CashEntry.objects.count()]
    client = api_as(customer if role == "customer" else role)

    address = path.format(own=own.pk, other=other.pk, token=own.tracking_token)
    response = getattr(client, method)(address, body)

    if role in ROUTES[method, path]:
        assert response.status_code in (200, 201)
        return
    hidden = (role, method, path) in HIDDEN
    assert response.status_code == (401 if role is None else 404 if hidden else 403)
    assert rows == [Order.objects.count(), OrderEvent.objects.count(), CashEntry.objects.count()]


@pytest.mark.parametrize("role", EVERYONE)
@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/{own}", "/api/sales", "/api/availability"])
def test_nothing_is_deleted(api_as, role, path):
    order = make_order()

    assert api_as(role).delete(path.format(own=order.pk)).status_code == 405
    assert Order.objects.exists()
