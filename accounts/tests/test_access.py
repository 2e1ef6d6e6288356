"""Who may do what with accounts."""

import pytest

from accounts.models import User
from accounts.tests.factories import make_user

pytestmark = pytest.mark.django_db

EVERYONE = [None, "customer", "cashier", "baker", "driver", "manager", "admin"]
SIGNED_IN = set(EVERYONE) - {None}
SENIOR = {"manager", "admin"}
NEW = {"username": "new", "password": "rye-and-wheat-7"}

# What each answers to those who may.
ROUTES = {
    ("get", "/api/users", None): (SENIOR, 200),
    ("post", "/api/users", "baker"): (SENIOR, 201),
    ("post", "/api/users", "manager"): ({"admin"}, 201),
    ("post", "/api/users", "admin"): ({"admin"}, 201),
    ("get", "/api/users/{baker}", None): (SENIOR, 200),
    ("get", "/api/users/{manager}", None): (SENIOR, 200),
    ("patch", "/api/users/{baker}", "driver"): (SENIOR, 200),
    ("patch", "/api/users/{baker}", "manager"): ({"admin"}, 200),
    ("patch", "/api/users/{customer}", "customer"): (SENIOR, 200),
    ("patch", "/api/users/{manager}", "manager"): ({"admin"}, 200),
    ("patch", "/api/users/{admin}", "admin"): ({"admin"}, 200),
    ("get", "/api/auth/me", None): (SIGNED_IN, 200),
    ("patch", "/api/auth/me", "admin"): (SIGNED_IN, 200),
}


@pytest.mark.parametrize("who", EVERYONE)
@pytest.mark.parametrize(("method", "path", "role"), ROUTES)
def test_access(api_as, method, path, role, who):
    there = {name: make_user(role=name).pk for name in ("customer", "baker", "manager", "admin")}
    client = api_as(who)
    before = list(User.objects.order_by("pk").values())
    body = {} if method == "get" else {**(NEW if method == "post" else {"first_name": "X"}), "role": role}

    response = getattr(client, method)(path.format(**there), body)

    allowed, status = ROUTES[method, path, role]
    if who in allowed:
        assert response.status_code == status
    else:
        expected = (401, "not_authenticated") if who is None else (403, "permission_denied")
        assert (response.status_code, response.json()["errors"][0]["code"]) == expected
        assert list(User.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("path", ["register", "login", "refresh", "verify", "logout", "password-reset"])
@pytest.mark.parametrize("who", [None, "customer"])
def test_the_door_is_open_to_anyone(api_as, path, who):
    assert api_as(who).post(f"/api/auth/{path}", {}).status_code == 400
    assert api_as(who).get(f"/api/auth/{path}").status_code == 405


def test_only_the_signed_in_change_a_password(api_as):
    assert api_as(None).post("/api/auth/password", {}).status_code == 401
    assert api_as("customer").post("/api/auth/password", {}).status_code == 400
