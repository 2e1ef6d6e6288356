"""The list of a day: preview, plan, status, and what stands on it."""

from datetime import timedelta

import pytest

from bakery.models import Closure
from orders.models import Channel, Status
from orders.tests.factories import move
from production.models import BakingItem, BakingPlan, PlanEdition
from production.tests.factories import DAY, make_demand, make_plan, make_target
from products.tests.factories import make_category, make_product

URL = "/api/baking-list/2026-11-25"


def items_of(response):
    assert response.status_code in (200, 201), response.json()
    return {item["product"]: item for item in response.json()["data"]["items"]}


def test_before_planning_a_day_shows_a_preview_of_its_orders_and_targets(api_as):
    bread = make_product(name="Traditional baguette", category=make_category(slug="bread"), batch_size=10)
    make_demand({bread: 84})
    make_target(bread, 40)

    response = api_as("baker").get(URL)

    assert response.status_code == 200
    assert "ETag" not in response
    assert response.json() == {
        "success": True,
        "message": "",
        "data": {
            "id": None,
            "date": "2026-11-25",
            "status": "preview",
            "version": None,
            "notes": "",
            "items": [
                {
                    "product": bread.pk,
                    "product_name": "Traditional baguette",
                    "category": "bread",
                    "ordered": 84,
                    "planned_for": 84,
                    "counter": 40,
                    "counter_source": "target",
                    "carried_over": 0,
                    "rounding": 6,
                    "planned": 130,
                    "batch_size": 10,
                    "batches": 13,
                    "produced": 0,
                    "wasted": 0,
                    "shortfall": 0,
                    "status": "todo",
                    "assigned_to": None,
                }
            ],
            "totals": {"ordered": 84, "planned": 130, "produced": 0},
        },
        "errors": [],
        "meta": {},
    }
    assert not BakingPlan.objects.exists()


def test_a_day_without_orders_and_targets_has_an_empty_preview(api_as):
    data = api_as("baker").get(URL).json()["data"]

    assert data["items"] == []
    assert data["totals"] == {"ordered": 0, "planned": 0, "produced": 0}


def test_planning_stores_what_the_preview_showed(api_as):
    bread, cake = make_product(batch_size=12), make_product()
    make_demand({bread: 20})
    make_target(cake, 7)
    manager = api_as("manager")
    preview = manager.get(URL).json()["data"]

    response = manager.post(
        "/api/baking-list", {"date": "2026-11-25", "include_forecast": False, "notes": "Market day"}
    )

    assert response.status_code == 201
    assert response["Location"] == URL
    plan = BakingPlan.objects.get()
    assert response.json()["data"] == preview | {
        "id": plan.pk, "status": "planned", "version": 1, "notes": "Market day"
    }  # fmt: skip
    assert response["ETag"] == manager.get(URL)["ETag"]
    assert PlanEdition.objects.get().quantities == {str(bread.pk): 24, str(cake.pk): 7}


def test_a_day_is_planned_once(api_as):
    manager = api_as("manager")
    make_plan()

    response = manager.post("/api/baking-list", {"date": "2026-11-25"})

    assert response.status_code == 409
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [("already_exists", "date")]
    assert BakingPlan.objects.count() == 1
    assert PlanEdition.objects.count() == 1


def test_a_plan_that_asks_for_a_forecast_where_there_is_none_goes_by_the_targets_and_says_so(api_as):
    bread = make_product()
    make_target(bread, 15)

    response = api_as("manager").post("/api/baking-list", {"date": "2026-11-25", "include_forecast": True})

    item = items_of(response)[bread.pk]
    assert (item["counter"], item["counter_source"]) == (15, "target")
    assert BakingPlan.objects.get().includes_forecast


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "required", "date"),
        ({"date": "2026-1-5"}, "invalid", "date"),
        ({"date": "20261125"}, "invalid", "date"),
        ({"date": "2026-02-30"}, "invalid", "date"),
        ({"date": 20261125}, "invalid", "date"),
        ({"date": None}, "null", "date"),
        ({"date": "2026-11-25", "include_forecast": "yes"}, "invalid", "include_forecast"),
        ({"date": "2026-11-25", "notes": "x" * 2001}, "max_length", "notes"),
        ({"date": "2026-11-25", "notes": 5}, "invalid", "notes"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_name(api_as, body, code, field):
    response = api_as("manager").post("/api/baking-list", body)

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [(code, field)]
    assert not BakingPlan.objects.exists()


@pytest.mark.parametrize("day", ["2026-1-5", "20261125", "2026-02-30", "today", "0000-01-01", "2026-11-25T08:00"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "", None),
        ("delete", "", None),
        ("post", "/refresh", None),
        ("put", "/status", {"status": "done"}),
        ("patch", "/items/1", {"produced": 1}),
        ("get", "/changes?since=1", None),
    ],
)
def test_a_bad_date_in_the_address_is_a_bad_request(api_as, day, method, path, body):
    response = getattr(api_as("manager"), method)(f"/api/baking-list/{day}{path}", body)

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [("invalid", "date")]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("delete", "", None),
        ("post", "/refresh", None),
        ("put", "/status", {"status": "in_progress"}),
        ("patch", "/items/{product}", {"produced": 1}),
        ("get", "/changes?since=1", None),
    ],
)
def test_a_preview_can_only_be_read(api_as, method, path, body):
    bread = make_product()
    make_demand({bread: 3})

    response = getattr(api_as("manager"), method)(URL + path.format(product=bread.pk), body)

    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "not_found"
    assert not BakingPlan.objects.exists()


def test_the_list_takes_no_parameter(api_as):
    response = api_as("baker").get(f"{URL}?page=1")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "page"


# What stands on it


def test_what_is_sold_but_not_baked_is_never_on_it(api_as):
    coffee, bread = make_product(is_baked=False), make_product()
    make_demand({coffee: 3, bread: 2})
    make_target(coffee, 9)
    baker = api_as("baker")

    assert set(items_of(baker.get(URL))) == {bread.pk}
    make_plan()
    assert set(items_of(baker.get(URL))) == {bread.pk}
    bread.is_baked = False
    bread.save()
    assert items_of(baker.get(URL)) == {}


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        *(({"status": status}, status != Status.CANCELLED) for status in Status.values),
        ({"channel": Channel.COUNTER, "status": Status.COMPLETED}, False),
        ({"channel": Channel.PHONE}, True),
        ({"channel": Channel.STANDING}, True),
    ],
)
def test_all_orders_count_but_cancelled_ones_and_sales_at_the_till(api_as, fields, counts):
    bread = make_product()
    make_demand({bread: 5}, **fields)

    items = items_of(api_as("baker").get(URL))

    assert [item["ordered"] for item in items.values()] == ([5] if counts else [])


def test_orders_of_other_days_do_not_count(api_as):
    bread = make_product()
    for days in (-1, 0, 1):
        make_demand({bread: 10}, day=DAY + timedelta(days=days))

    assert items_of(api_as("baker").get(URL))[bread.pk]["ordered"] == 10


@pytest.mark.parametrize(
    "fields",
    [
        {"is_active": False},
        {"weekdays": [1, 2, 4, 5, 6, 7]},
        {"available_until": DAY - timedelta(days=1)},
        {"available_from": DAY + timedelta(days=1)},
    ],
)
def test_a_target_counts_only_for_what_is_sold_that_day_but_an_order_always(api_as, fields):
    bread, cake = make_product(), make_product()
    make_demand({bread: 4})
    for product in (bread, cake):
        make_target(product, 10)
        for name, value in fields.items():
            setattr(product, name, value)
        product.save()

    items = items_of(api_as("baker").get(URL))

    assert set(items) == {bread.pk}
    item = items[bread.pk]
    assert (item["counter"], item["counter_source"], item["planned"]) == (0, "none", 4)


def test_a_target_counts_on_its_weekday_alone_and_one_of_zero_not_at_all(api_as):
    bread, cake = make_product(), make_product()
    make_target(bread, 10, day=DAY + timedelta(days=1))
    make_target(cake, 0)

    assert items_of(api_as("baker").get(URL)) == {}


def test_nothing_is_baked_for_the_counter_while_the_shop_is_closed(api_as):
    bread = make_product()
    make_target(bread, 10)
    make_demand({bread: 3})
    Closure.objects.create(first_day=DAY, last_day=DAY)

    item = items_of(api_as("baker").get(URL))[bread.pk]

    assert (item["planned_for"], item["counter"], item["planned"]) == (3, 0, 3)


def test_items_stand_by_category_then_by_name(api_as):
    cakes = make_category(name="Cakes", position=2)
    bread, rolls = make_category(name="Bread", position=1), make_category(name="Rolls", position=1)
    names = [("b", cakes), ("Z", bread), ("a", bread), ("C", rolls), ("A", cakes)]
    make_demand({make_product(name=name, category=category): 1 for name, category in names})
    baker = api_as("baker")

    def shown():
        return [item["product_name"] for item in baker.get(URL).json()["data"]["items"]]

    assert shown() == ["a", "Z", "C", "A", "b"]
    make_plan()
    assert shown() == ["a", "Z", "C", "A", "b"]


@pytest.mark.parametrize("planned", [False, True])
def test_a_list_costs_the_same_queries_whatever_stands_on_it(api_as, queries_do_not_grow, planned):
    make_demand({make_product(): 1})
    if planned:
        make_plan()

    def add_rows():
        for _ in range(5):
            product = make_product()
            make_demand({product: 2})
            make_target(product, 3)

    assert queries_do_not_grow(api_as("baker"), URL, add_rows) <= 6


# After planning


def test_orders_that_come_in_after_planning_show_as_shortfall(api_as):
    bread, cake = make_product(batch_size=10), make_product(batch_size=6)
    make_demand({bread: 84})
    make_target(bread, 40)
    make_plan()
    baker = api_as("baker")
    before = baker.get(URL)

    make_demand({bread: 10, cake: 4})
    after = baker.get(URL)

    bread_item, cake_item = items_of(after)[bread.pk], items_of(after)[cake.pk]
    assert bread_item == items_of(before)[bread.pk] | {"ordered": 94, "shortfall": 4}
    assert cake_item["ordered"] == cake_item["shortfall"] == 4
    assert (cake_item["planned_for"], cake_item["planned"], cake_item["batches"]) == (0, 0, 0)
    assert after.json()["data"]["totals"] == {"ordered": 98, "planned": 130, "produced": 0}
    # The tag follows what is stored.
    assert after["ETag"] == before["ETag"]
    assert BakingItem.objects.count() == 1


def test_a_product_that_nobody_orders_any_more_stays_on_the_list(api_as):
    bread = make_product()
    order = make_demand({bread: 5})
    make_plan()
    move(order, Status.CANCELLED)

    item = items_of(api_as("baker").get(URL))[bread.pk]

    assert (item["ordered"], item["planned_for"], item["planned"], item["shortfall"]) == (0, 5, 5, 0)


def test_a_list_goes_from_planned_to_in_progress_to_done(api_as):
    make_plan()
    baker = api_as("baker")

    for status in ("in_progress", "in_progress", "done", "done"):
        response = baker.put(f"{URL}/status", {"status": status})
        assert response.status_code == 200
        assert response.json()["data"]["status"] == status

    # The status that it has changes nothing.
    assert BakingPlan.objects.get().version == 3


@pytest.mark.parametrize(
    ("status", "to"), [("planned", "done"), ("in_progress", "planned"), ("done", "planned"), ("done", "in_progress")]
)
def test_a_list_takes_no_other_step(api_as, status, to):
    plan = make_plan()
    BakingPlan.objects.update(status=status)

    response = api_as("manager").put(f"{URL}/status", {"status": to})

    assert response.status_code == 409
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [("illegal_transition", "status")]
    plan.refresh_from_db()
    assert (plan.status, plan.version) == (status, 1)


@pytest.mark.parametrize(
    ("body", "code"), [({}, "required"), ({"status": "preview"}, "invalid_choice"), ({"status": 1}, "invalid_choice")]
)
def test_a_status_must_be_one_of_the_list(api_as, body, code):
    make_plan()

    response = api_as("baker").put(f"{URL}/status", body)

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [(code, "status")]


def test_deleting_a_plan_brings_the_preview_back(api_as):
    make_demand({make_product(): 5})
    make_plan()
    manager = api_as("manager")

    response = manager.delete(URL)

    assert (response.status_code, response.content) == (204, b"")
    assert manager.get(URL).json()["data"]["id"] is None
    assert not BakingItem.objects.exists()
    assert not PlanEdition.objects.exists()


@pytest.mark.parametrize("field", ["produced", "wasted"])
def test_a_list_that_tells_what_was_baked_is_not_deleted(api_as, field):
    make_demand({make_product(): 5})
    plan = make_plan()
    plan.items.update(**{field: 1})

    response = api_as("manager").delete(URL)

    assert response.status_code == 409
    assert response.json()["errors"][0]["code"] == "in_use"
    assert BakingPlan.objects.filter(pk=plan.pk).exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("delete", "", None),
        ("post", "/refresh", None),
        ("put", "/status", {"status": "in_progress"}),
        ("put", "/status", {"status": "planned"}),
        ("patch", "/items/{product}", {"produced": 4, "planned": 9}),
    ],
)
def test_a_stale_tag_changes_nothing(api_as, method, path, body):
    bread = make_product()
    make_demand({bread: 5})
    make_plan()
    manager = api_as("manager")
    tag = manager.get(URL)["ETag"]
    manager.patch(f"{URL}/items/{bread.pk}", {"produced": 3})
    before = manager.get(URL)
    call = getattr(manager, method)

    response = call(URL + path.format(product=bread.pk), body, HTTP_IF_MATCH=tag)

    assert response.status_code == 412
    assert response.json()["errors"][0]["code"] == "stale"
    after = manager.get(URL)
    assert (after.json(), after["ETag"]) == (before.json(), before["ETag"])
    if method != "delete":
        assert call(URL + path.format(product=bread.pk), body, HTTP_IF_MATCH=after["ETag"]).status_code == 200
        assert call(URL + path.format(product=bread.pk), body, HTTP_IF_MATCH="*").status_code == 200


def test_every_stored_change_has_its_own_tag(api_as):
    bread = make_product()
    make_plan()
    manager = api_as("manager")
    tags = [manager.get(URL)["ETag"]]

    for call, path, body in (
        (manager.patch, f"/items/{bread.pk}", {"planned": 9}),
        (manager.put, "/status", {"status": "in_progress"}),
        (manager.patch, f"/items/{bread.pk}", {"status": "baking"}),
        (manager.post, "/refresh", None),
    ):
        response = call(URL + path, body)
        assert response["ETag"] == manager.get(URL)["ETag"]
        tags.append(response["ETag"])

    assert len(set(tags)) == 5
    assert all(tag.startswith('"') for tag in tags)


def test_a_plan_sent_again_with_its_key_is_answered_again(api_as):
    manager = api_as("manager")
    first = manager.post("/api/baking-list", {"date": "2026-11-25"}, HTTP_IDEMPOTENCY_KEY="k1")

    again = manager.post("/api/baking-list", {"date": "2026-11-25"}, HTTP_IDEMPOTENCY_KEY="k1")

    assert (again.status_code, again.json()) == (201, first.json())
    assert BakingPlan.objects.count() == 1


# Who may do what


READ, RECORD, PLAN = "read", "record", "plan"
ALLOWED = {
    "cashier": {READ},
    "baker": {READ, RECORD},
    "driver": set(),
    "customer": set(),
    "manager": {READ, RECORD, PLAN},
    "admin": {READ, RECORD, PLAN},
}


@pytest.mark.parametrize("role", [None, *ALLOWED])
@pytest.mark.parametrize(
    ("method", "path", "body", "needs"),
    [
        ("get", "/2026-11-25", None, READ),
        ("get", "/2026-11-26", None, READ),
        ("get", "/2026-11-25/changes?since=1", None, READ),
        ("post", "", {"date": "2026-11-27"}, PLAN),
        ("post", "/2026-11-25/refresh", None, PLAN),
        ("delete", "/2026-11-25", None, PLAN),
        ("put", "/2026-11-25/status", {"status": "in_progress"}, RECORD),
        ("patch", "/2026-11-25/items/{product}", {"produced": 1}, RECORD),
        ("patch", "/2026-11-25/items/{product}", {"wasted": 1}, RECORD),
        ("patch", "/2026-11-25/items/{product}", {"status": "done"}, RECORD),
        ("patch", "/2026-11-25/items/{product}", {"counter": 1}, PLAN),
        ("patch", "/2026-11-25/items/{product}", {"planned": 1}, PLAN),
        ("patch", "/2026-11-25/items/{product}", {"assigned_to": None}, PLAN),
        ("patch", "/2026-11-25/items/{product}", {"produced": 1, "planned": 1}, PLAN),
    ],
)
def test_who_may_do_what(api_as, role, method, path, body, needs):
    bread = make_product()
    make_demand({bread: 5})
    make_plan()
    before = list(BakingItem.objects.values()), list(BakingPlan.objects.values())

    response = getattr(api_as(role), method)("/api/baking-list" + path.format(product=bread.pk), body)

    if role is not None and needs in ALLOWED[role]:
        assert response.status_code in (200, 201, 204)
    else:
        assert response.status_code == (401 if role is None else 403)
        code = "not_authenticated" if role is None else "permission_denied"
        assert response.json()["errors"][0]["code"] == code
        assert (list(BakingItem.objects.values()), list(BakingPlan.objects.values())) == before


def test_a_field_that_the_role_may_not_change_is_named(api_as):
    bread = make_product()
    make_plan()

    response = api_as("baker").patch(f"{URL}/items/{bread.pk}", {"counter": 1, "produced": 2, "assigned_to": 1})

    assert response.status_code == 403
    assert {e["field"] for e in response.json()["errors"]} == {"counter", "assigned_to"}
    assert not BakingItem.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("put", "/2026-11-25"), ("patch", "/2026-11-25")])
def test_other_methods_are_not_allowed(api_as, method, path):
    assert getattr(api_as("manager"), method)(f"/api/baking-list{path}").status_code == 405
