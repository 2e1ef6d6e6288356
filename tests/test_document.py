"""The OpenAPI document tells of the headers of each answer, and in words that are meant for those who read it."""

import json

import pytest

from accounts.tests.factories import make_user
from bakery.api.caching import HotListMixin
from bakery.api.documents import document
from bakery.api.fields import ModelSerializer
from bakery.api.viewsets import ApiViewSet, TaggedListMixin
from orders.tests.factories import make_standing_order, on
from products.tests.factories import make_category, make_product

pytestmark = pytest.mark.django_db

TOLD = {"ETag", "Location", "Idempotent-Replayed"}


@pytest.fixture(scope="module")
def described():
    return json.loads(document())


def test_the_headers_of_an_answer_are_those_that_the_document_promises(described, api_as):
    bread, standing, customer = make_product(category=make_category(name="Bread")), make_standing_order(), make_user()
    admin, day = api_as("admin"), on(1).date().isoformat()
    order = {"due_at": on(1).isoformat(), "items": [{"product": bread.pk, "quantity": 1}]}
    account = {"username": "ada", "email": "ada@example.com", "password": "correct horse battery"}
    answers = {}

    def call(method, address, body=None, *, path=None, who=admin, **headers):
        """Send a request; `path` is how the document writes its address."""
        response = getattr(who, method)(f"/api{address}", body, headers=headers, **({"format": "json"} if body else {}))
        assert response.status_code < 300, response.json()
        answers[method, f"/api{path or address}", str(response.status_code)] = response
        return response.json()["data"]

    call("post", "/categories", {"name": "Cakes"})
    call("get", "/categories")
    for method, body in (("get", None), ("put", {"name": "Tarts"}), ("patch", {"position": 2})):
        call(method, "/categories/cakes", body, path="/categories/{slug}")
    call("post", "/products", {"name": "Loaf", "category": "bread", "price": "2.00"})
    call("get", "/products")
    for method, body in (("get", None), ("put", {"name": "Roll", "category": "bread", "price": "1"}), ("patch", {})):
        call(method, f"/products/{bread.pk}", body, path="/products/{id}")
    call("get", f"/products/{bread.pk}/targets", path="/products/{id}/targets")
    call("get", "/vat-classes")
    made = call("post", "/orders", order, **{"Idempotency-Key": "a"})["id"]
    call("post", "/orders", order, **{"Idempotency-Key": "a"})
    call("get", "/orders")
    call("get", f"/orders/{made}", path="/orders/{id}")
    call("patch", f"/orders/{made}", {"notes": "New"}, path="/orders/{id}")
    call("put", f"/orders/{made}/status", {"status": "confirmed"}, path="/orders/{id}/status")
    call("get", f"/orders/{made}/history", path="/orders/{id}/history")
    payment = {"amount": "1.00", "method": "cash"}
    call("post", f"/orders/{made}/payments", payment, path="/orders/{id}/payments")
    call("post", "/sales", {"items": order["items"], "method": "cash"})
    call("get", "/standing-orders")
    for method, body in (("get", None), ("patch", {"paused": True})):
        call(method, f"/standing-orders/{standing.pk}", body, path="/standing-orders/{id}")
    items = [{"product": bread.pk, "weekday": 1, "quantity": 1}]
    call("post", "/standing-orders", {"customer": customer.pk, "items": items, "due_time": "10:00"})
    call("post", f"/standing-orders/{standing.pk}/skip", {"date": on(30).date()}, path="/standing-orders/{id}/skip")
    call("post", "/baking-list", {"date": day})
    call("get", f"/baking-list/{day}", path="/baking-list/{date}")
    item = f"/baking-list/{day}/items/{bread.pk}"
    call("patch", item, {"produced": 1}, path="/baking-list/{date}/items/{product}")
    call("put", f"/baking-list/{day}/status", {"status": "planned"}, path="/baking-list/{date}/status")
    entry = call("post", "/cash", {"type": "paid_in", **payment})["id"]
    call("get", f"/cash/{entry}", path="/cash/{id}")
    call("post", f"/cash/{entry}/reverse", {"notes": "Oops"}, path="/cash/{id}/reverse")
    call("post", "/cash/sessions", {"float": "1.00"})
    call("post", "/users", {**account, "role": "baker"})
    call("post", "/auth/register", {**account, "username": "bob", "email": "bob@example.com"}, who=api_as(None))
    call("post", "/chat", {"message": "Hello"})

    for (method, path, status), response in answers.items():
        promised = set(described["paths"][path][method]["responses"][status].get("headers", {}))
        sent = TOLD & set(response.headers)
        assert (method, path, sent | {"Idempotent-Replayed"}) == (method, path, promised | {"Idempotent-Replayed"})
        assert sent <= promised, (method, path)
        if method == "get" and "ETag" in sent:
            address = response.wsgi_request.path
            again = admin.get(address, headers={"If-None-Match": admin.get(address)["ETag"]})
            remembered = "304" in described["paths"][path]["get"]["responses"]
            assert (path, again.status_code) == (path, 304 if remembered else 200)
    assert "Retry-After" in described["components"]["responses"]["TooManyRequests"]["headers"]


@pytest.mark.parametrize("of_the_kernel", [ApiViewSet, HotListMixin, TaggedListMixin, ModelSerializer])
def test_what_the_kernel_says_of_itself_is_not_told(of_the_kernel):
    assert of_the_kernel.__doc__.splitlines()[0] not in document().decode()


def test_how_many_lines_an_order_may_have_is_told(described):
    lines = described["components"]["schemas"]["PlaceOrderRequest"]["properties"]["items"]

    assert (lines["minItems"], lines["maxItems"]) == (1, 100)
