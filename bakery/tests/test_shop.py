"""GET /api/shop, and the admin pages of the shop, its hours and its closures."""

from datetime import time, timedelta

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Closure, OpeningHours, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_as(client):
    def sign_in(role):
        client.force_login(make_user(role=role))
        return client

    return sign_in


def test_anyone_may_know_the_shop(api_as):
    today = clock.today()
    Shop.objects.create(pk=1, name="Mill Lane Bakery", currency="EUR", email="hello@example.com")
    OpeningHours.objects.create(weekday=2, opens=time(7), closes=time(13))
    OpeningHours.objects.create(weekday=1, opens=time(18), closes=time(0))
    Closure.objects.create(first_day=today - timedelta(days=9), last_day=today - timedelta(days=1), reason="over")
    Closure.objects.create(first_day=today - timedelta(days=1), last_day=today, reason="Holidays")

    assert api_as(None).get("/api/shop").json()["data"] == {
        "name": "Mill Lane Bakery",
        "currency": "EUR",
        "time_zone": "Europe/Paris",
        "address": "",
        "phone": "",
        "email": "hello@example.com",
        "opening_hours": [
            {"weekday": 1, "opens": "18:00", "closes": "00:00"},
            {"weekday": 2, "opens": "07:00", "closes": "13:00"},
        ],
        "closures": [
            {"first_day": str(today - timedelta(days=1)), "last_day": str(today), "reason": "Holidays"},
        ],
    }


def test_a_fresh_shop_has_a_name_and_no_hours(api_as):
    shop = api_as(None).get("/api/shop/").json()["data"]

    assert (shop["name"], shop["opening_hours"], shop["closures"]) == ("Bakery", [], [])


def test_the_shop_is_entered_once_in_the_admin(admin_as):
    client = admin_as("manager")
    form = {"name": "Mill Lane Bakery", "currency": "EUR", "standing_days_ahead": 7}

    assert client.post("/admin/bakery/shop/add/", form).status_code == 302
    assert client.get("/admin/bakery/shop/add/").status_code == 403
    assert Shop.get().name == "Mill Lane Bakery"

    client.post("/admin/bakery/shop/1/change/", {**form, "name": "Mill Bakery"})
    assert Shop.get().name == "Mill Bakery"
    assert [row.name for row in Shop.get().history.all()] == ["Mill Bakery", "Mill Lane Bakery"]
    assert client.post("/admin/bakery/shop/1/delete/", {"post": "yes"}).status_code == 403


def test_hours_and_closures_are_kept_in_the_admin(admin_as):
    client = admin_as("manager")

    client.post("/admin/bakery/openinghours/add/", {"weekday": 1, "opens": "07:00", "closes": "13:00"})
    client.post("/admin/bakery/closure/add/", {"first_day": "2026-12-25", "last_day": "2026-12-26"})

    assert str(OpeningHours.objects.get()) == "Monday 07:00–13:00"
    assert str(Closure.objects.get()) == "2026-12-25 – 2026-12-26"
    for page in ("shop", "openinghours", "closure"):
        assert client.get(f"/admin/bakery/{page}/").status_code == 200


@pytest.mark.parametrize("role", ["cashier", "baker", "driver"])
def test_only_managers_see_the_shop_in_the_admin(admin_as, role):
    assert admin_as(role).get("/admin/bakery/shop/").status_code == 403
