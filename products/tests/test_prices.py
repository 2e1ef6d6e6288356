"""Prices from a day on: /api/products/{id}/prices, and that they hold from the first moment of their day."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import transaction

from accounts.tests.factories import make_user
from bakery import clock
from products import services
from products.models import PriceChange, Product
from products.selectors import checks
from products.tests.factories import make_product
from tests.at_once import ON_POSTGRES, elsewhere, wait_until_somebody_waits

NOON = datetime(2026, 11, 27, 11, tzinfo=UTC)  # a Friday, 12:00 in the shop
LAST_MOMENT = datetime(2026, 11, 29, 22, 59, 59, tzinfo=UTC)
MONDAY = datetime(2026, 11, 29, 23, tzinfo=UTC)  # its first moment in the shop
PLAN = {"price": "1.40", "valid_from": "2026-11-30"}


@pytest.fixture(autouse=True)
def _friday(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def manager(api_as):
    return api_as(make_user(role="manager", username="marc"))


@pytest.fixture
def product(db):
    return make_product(name="Baguette", sku="BAG", price="1.30")


def url_of(product) -> str:
    return f"/api/products/{product.pk}/prices"


def errors_of(answer) -> list[tuple[str, str | None]]:
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def shown(client, product) -> str:
    return client.get(f"/api/products/{product.pk}").json()["data"]["price"]


def test_a_planned_price_is_listed_with_from_when_until_when_and_by_whom(manager, product):
    answer = manager.post(url_of(product), PLAN)

    plan = {
        "id": PriceChange.objects.get().pk,
        "price": "1.40",
        "valid_from": "2026-11-30",
        "since": "2026-11-30T00:00:00+01:00",
        "until": None,
        "user": "marc",
        "state": "to_come",
    }
    now = {
        "id": None,
        "price": "1.30",
        "valid_from": None,
        "since": "2026-11-27T12:00:00+01:00",
        "until": "2026-11-30T00:00:00+01:00",
        "user": None,
        "state": "current",
    }
    assert (answer.status_code, answer.json()["data"]) == (201, plan)
    assert manager.get(url_of(product)).json()["data"] == [now, plan]
    assert shown(manager, product) == "1.30"


def test_a_price_holds_from_the_first_moment_of_its_day_and_not_before(manager, api_as, product, time_machine):
    manager.post(url_of(product), PLAN)
    guest = api_as(None)

    time_machine.move_to(LAST_MOMENT, tick=False)
    assert shown(guest, product) == "1.30"
    time_machine.move_to(MONDAY, tick=False)
    assert shown(guest, product) == "1.40"


@pytest.mark.parametrize(
    "path", ["/api/products", "/api/products?min_price=1.35", "/api/products?ordering=price", "/api/products/{id}"]
)
def test_no_tag_of_yesterday_is_good_on_the_day(manager, product, time_machine, path):
    path = path.format(id=product.pk)
    manager.post(url_of(product), PLAN)
    time_machine.move_to(LAST_MOMENT, tick=False)
    before = manager.get(path)
    time_machine.move_to(MONDAY, tick=False)

    after = manager.get(path, headers={"If-None-Match": before["ETag"]})

    assert after.status_code == 200
    assert "1.40" in after.text
    assert "1.40" not in before.text


def test_on_the_day_every_further_read_costs_what_it_did_before(manager, product, time_machine, queries_do_not_grow):
    before = queries_do_not_grow(manager, "/api/products", lambda: make_product(price="1.00"))
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)

    assert queries_do_not_grow(manager, "/api/products", lambda: make_product(price="1.00")) == before


def test_it_is_a_change_of_the_product_like_any_other(manager, api_as, product, time_machine):
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)
    shown(api_as("cashier"), product)

    product.refresh_from_db()
    newest = product.history.first()
    assert (product.version, product.price, product.updated_at) == (2, Decimal("1.40"), MONDAY)
    assert (newest.price, newest.version, newest.history_date) == (Decimal("1.40"), 2, MONDAY)
    assert newest.history_user.username == "marc"  # who planned it, not who looked first
    assert newest.history_change_reason == "Planned for 2026-11-30"


def test_it_comes_into_force_once(manager, product, time_machine):
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)
    call_command("tick")
    call_command("tick")
    manager.patch(f"/api/products/{product.pk}", {"price": "1.45"})
    call_command("tick")

    assert shown(manager, product) == "1.45"
    assert list(product.history.values_list("price", flat=True)) == [Decimal("1.45"), Decimal("1.40"), Decimal("1.30")]


def test_the_tick_alone_puts_it_in_force(manager, product, time_machine):
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)

    call_command("tick")

    assert Product.objects.get().price == Decimal("1.40")


def test_what_is_decided_on_the_day_is_not_undone_by_the_plan(manager, product, time_machine):
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)

    answer = manager.patch(f"/api/products/{product.pk}", {"price": "1.35"})

    assert answer.json()["data"]["price"] == "1.35"
    assert shown(manager, product) == "1.35"


def test_whoever_saw_the_old_price_does_not_overwrite_the_new_one(manager, product, time_machine):
    manager.post(url_of(product), PLAN)
    seen = manager.get(f"/api/products/{product.pk}")["ETag"]
    time_machine.move_to(MONDAY, tick=False)

    answer = manager.patch(f"/api/products/{product.pk}", {"price": "1.35"}, headers={"If-Match": seen})

    assert (answer.status_code, shown(manager, product)) == (412, "1.40")


def test_days_without_a_customer_are_made_up_for_in_their_order(manager, product, time_machine):
    manager.post(url_of(product), {"price": "9.00", "valid_from": "2026-11-28"})
    manager.post(url_of(product), {"price": "8.00", "valid_from": "2026-11-29"})
    manager.post(url_of(product), PLAN)
    manager.post(url_of(product), {"price": "1.50", "valid_from": "2026-12-01"})
    time_machine.move_to(MONDAY, tick=False)

    spans = manager.get(url_of(product)).json()["data"]

    assert [(span["price"], span["since"][:10], span["state"]) for span in spans] == [
        ("1.30", "2026-11-27", "past"),
        ("9.00", "2026-11-28", "past"),
        ("8.00", "2026-11-29", "past"),
        ("1.40", "2026-11-30", "current"),
        ("1.50", "2026-12-01", "to_come"),
    ]
    assert [span["until"] for span in spans] == [*(span["since"] for span in spans[1:]), None]
    assert shown(manager, product) == "1.40"


def test_today_means_at_once(manager, product):
    answer = manager.post(url_of(product), {"price": "1.40", "valid_from": "2026-11-27"})

    assert answer.status_code == 201
    assert (answer.json()["data"]["state"], answer.json()["data"]["since"]) == ("current", "2026-11-27T12:00:00+01:00")
    assert shown(manager, product) == "1.40"


def test_the_price_that_it_has_can_be_planned_too(manager, product):
    answer = manager.post(url_of(product), {"price": "1.30", "valid_from": "2026-11-27"})

    assert (answer.status_code, answer.json()["data"]["price"]) == (201, "1.30")


@pytest.mark.parametrize(
    ("day", "first", "second"),
    [
        ("2026-03-29", datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-30", datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("2026-10-26", datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_around_summer_time_the_day_is_the_one_on_the_shops_wall(manager, time_machine, day, first, second):
    time_machine.move_to(datetime(2026, 3, 1, tzinfo=UTC), tick=False)
    product = make_product(price="1.30")
    manager.post(url_of(product), {"price": "1.40", "valid_from": day})

    time_machine.move_to(first, tick=False)
    assert shown(manager, product) == "1.30"
    time_machine.move_to(second, tick=False)
    assert shown(manager, product) == "1.40"


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"price": None}, 400, ("null", "price")),
        ({"price": "-0.01"}, 400, ("min_value", "price")),
        ({"price": "1.405"}, 400, ("max_decimal_places", "price")),
        ({"valid_from": "30.11.2026"}, 400, ("invalid", "valid_from")),
        ({"valid_from": "2026-11-26"}, 409, ("too_late", "valid_from")),
        ({"valid_from": "2026-12-24"}, 409, ("already_exists", "valid_from")),
    ],
)
def test_a_bad_plan_is_refused_by_name(manager, product, sent, status, error):
    manager.post(url_of(product), {"price": "2.00", "valid_from": "2026-12-24"})

    answer = manager.post(url_of(product), PLAN | sent)

    assert (answer.status_code, errors_of(answer)) == (status, [error])
    assert PriceChange.objects.count() == 1


def test_a_day_that_is_over_is_refused_with_the_first_possible_one(manager, product):
    answer = manager.post(url_of(product), PLAN | {"valid_from": "2026-11-26"})

    assert "2026-11-27" in answer.json()["errors"][0]["message"]


def test_a_product_has_so_many_prices_to_come_at_most(manager, product, monkeypatch):
    monkeypatch.setattr("products.services.prices.MOST_TO_COME", 1)
    manager.post(url_of(product), PLAN)

    answer = manager.post(url_of(product), PLAN | {"valid_from": "2026-12-01"})

    assert (answer.status_code, errors_of(answer)) == (409, [("conflict", None)])
    assert PriceChange.objects.count() == 1


def test_a_plan_for_what_has_changed_meanwhile_is_stale(manager, product):
    answer = manager.post(url_of(product), PLAN, headers={"If-Match": '"7"'})

    assert (answer.status_code, errors_of(answer)) == (412, [("stale", None)])
    assert not PriceChange.objects.exists()


def test_a_plan_can_be_taken_back_until_its_day(manager, product, time_machine):
    plan = manager.post(url_of(product), PLAN).json()["data"]["id"]

    assert manager.delete(f"{url_of(product)}/{plan}").status_code == 204
    assert manager.delete(f"{url_of(product)}/{plan}").status_code == 404
    time_machine.move_to(MONDAY, tick=False)
    assert shown(manager, product) == "1.30"


def test_a_price_in_force_cannot_be_taken_back(manager, product, time_machine):
    plan = manager.post(url_of(product), PLAN).json()["data"]["id"]
    time_machine.move_to(MONDAY, tick=False)

    answer = manager.delete(f"{url_of(product)}/{plan}")

    assert (answer.status_code, errors_of(answer)) == (409, [("too_late", None)])
    assert "(PATCH)" in answer.json()["errors"][0]["message"]
    assert "from 2026-12-01 on" in answer.json()["errors"][0]["message"]
    assert shown(manager, product) == "1.40"


def test_a_second_price_for_today_is_refused_with_what_is_possible(manager, product):
    today = {"price": "1.40", "valid_from": "2026-11-27"}
    manager.post(url_of(product), today)

    answer = manager.post(url_of(product), today | {"price": "1.50"})

    assert (answer.status_code, errors_of(answer)) == (409, [("already_exists", "valid_from")])
    message = answer.json()["errors"][0]["message"]
    assert "Take that back" not in message
    assert "(PATCH)" in message
    assert "from 2026-11-28 on" in message
    assert manager.patch(f"/api/products/{product.pk}", {"price": "1.50"}).status_code == 200
    assert manager.post(url_of(product), {"price": "1.60", "valid_from": "2026-11-28"}).status_code == 201


def test_a_plan_is_its_own_products(manager, product):
    plan = manager.post(url_of(product), PLAN).json()["data"]["id"]

    assert manager.delete(f"{url_of(make_product())}/{plan}").status_code == 404
    assert PriceChange.objects.exists()


def test_a_product_that_is_not_there_has_no_prices(manager):
    assert manager.get("/api/products/1/prices").status_code == 404
    assert manager.post("/api/products/1/prices", PLAN).status_code == 404


def test_the_history_shows_edits_and_imports_and_nothing_else(manager, product, time_machine, tmp_path):
    def after(minutes: int) -> None:
        time_machine.move_to(NOON.replace(minute=minutes), tick=False)

    after(1)
    manager.patch(f"/api/products/{product.pk}", {"price": "1.31"})
    after(2)
    manager.patch(f"/api/products/{product.pk}", {"description": "Crisp."})
    after(3)
    file = tmp_path / "products.csv"
    file.write_text(f"sku,name,category,price\nBAG,Baguette,{product.category.name},1.32\n")
    with file.open("rb") as upload:
        answer = manager.post("/api/products/import", {"file": upload}, format="multipart")
    assert answer.json()["data"]["updated"] == 1

    spans = manager.get(url_of(product)).json()["data"]

    assert [(span["price"], span["since"][11:16], span["user"], span["state"]) for span in spans] == [
        ("1.30", "12:00", None, "past"),
        ("1.31", "12:01", "marc", "past"),
        ("1.32", "12:03", "marc", "current"),
    ]


def test_a_price_that_a_fixture_brought_is_the_current_one(manager, product):
    Product.objects.update(price="1.99")  # what writes no history

    spans = manager.get(url_of(product)).json()["data"]

    assert [(span["price"], span["state"]) for span in spans] == [("1.30", "past"), ("1.99", "current")]


def test_the_list_costs_as_many_queries_for_many_as_for_few(manager, product, queries_do_not_grow):
    days = iter(range(1, 29))

    def add() -> None:
        manager.post(url_of(product), {"price": "1.40", "valid_from": f"2026-12-{next(days):02}"})
        manager.patch(f"/api/products/{product.pk}", {"price": f"1.{next(days):02}"})

    queries_do_not_grow(manager, url_of(product), add)


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_prices_of_several_days_lock_products_in_the_order_of_their_keys_as_orders_do(time_machine):
    first, second = make_product(), make_product()
    for product, day in ((second, date(2026, 11, 28)), (first, date(2026, 11, 29))):
        services.plan_price(product_id=product.pk, price=Decimal(2), valid_from=day, actor=None)
    time_machine.move_to(MONDAY)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Product.objects.select_for_update().get(pk=first.pk)
            looking = pool.submit(elsewhere, lambda: services.revision_on(clock.today()))
            wait_until_somebody_waits()
            # It waits for the first one, so it does not hold the second one yet.
            Product.objects.select_for_update(nowait=True).get(pk=second.pk)
        looking.result()

    assert set(Product.objects.values_list("price", flat=True)) == {2}


def test_an_import_on_the_day_starts_from_the_new_price(manager, product, time_machine, tmp_path):
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)
    file = tmp_path / "products.csv"
    file.write_text(f"sku,name,category,price\nBAG,Baguette,{product.category.name},1.40\n")

    with file.open("rb") as upload:
        answer = manager.post("/api/products/import", {"file": upload}, format="multipart")

    assert (answer.json()["data"]["updated"], answer.json()["data"]["unchanged"]) == (0, 1)
    assert shown(manager, product) == "1.40"


def test_an_export_on_the_day_has_the_new_price(manager, product, time_machine):
    manager.post(url_of(product), PLAN)
    time_machine.move_to(MONDAY, tick=False)

    assert b",1.40," in b"".join(manager.get("/api/products/export").streaming_content)


def test_a_price_that_came_past_the_services_is_noted_or_found(product, time_machine):
    PriceChange.objects.create(product=product, price="1.40", valid_from="2026-11-30")
    assert checks() == ["The prices of 2026-11-30 would not come into force; plan one of them anew."]

    services.plan_price(product_id=product.pk, price=Decimal(2), valid_from=clock.today(), actor=None)
    assert checks() == []


def test_a_fixture_may_bring_a_plan(product, time_machine, tmp_path, api_as):
    fields = {**PLAN, "product": product.pk, "created_at": "2026-11-27T11:00:00Z"}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps([{"model": "products.pricechange", "pk": 1, "fields": fields}]))
    call_command("loaddata", file, verbosity=0)
    time_machine.move_to(MONDAY, tick=False)

    assert shown(api_as(None), product) == "1.40"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("get", (401, 403, 200, 200, 200, 200, 200)),
        ("post", (401, 403, 403, 403, 403, 400, 400)),
        ("delete", (401, 403, 403, 403, 403, 404, 404)),
    ],
)
def test_staff_read_prices_and_managers_plan_them(api_as, product, method, expected):
    path = url_of(product) + ("/1" if method == "delete" else "")
    roles = (None, "customer", "cashier", "baker", "driver", "manager", "admin")

    assert tuple(getattr(api_as(role), method)(path, {}).status_code for role in roles) == expected
