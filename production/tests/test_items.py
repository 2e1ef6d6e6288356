"""Changing one product of a list: a person's figures, what was baked, who bakes it."""

import pytest

from accounts.tests.factories import make_user
from production.models import BakingItem, BakingPlan
from production.tests.factories import make_demand, make_plan, make_target
from products.tests.factories import make_product

URL = "/api/baking-list/2026-11-25"
FIGURES = ("planned_for", "counter", "rounding", "planned", "batches", "shortfall")


@pytest.fixture
def bread(db):
    """84 ordered, 40 for the counter, in batches of 10: 130 planned."""
    bread = make_product(name="Baguette", batch_size=10)
    make_demand({bread: 84})
    make_target(bread, 40)
    make_plan()
    return bread


def change(client, product, **body):
    return client.patch(f"{URL}/items/{product.pk}", body)


@pytest.mark.parametrize(
    ("body", "figures"),
    [
        # counter: planned in whole batches.
        ({"counter": 0}, (84, 0, 6, 90, 9, 0)),
        ({"counter": 6}, (84, 6, 0, 90, 9, 0)),
        ({"counter": 7}, (84, 7, 9, 100, 10, 0)),
        ({"counter": 40}, (84, 40, 6, 130, 13, 0)),
        # planned: taken as it is, what it exceeds the orders by is the counter's.
        ({"planned": 100}, (84, 16, 0, 100, 10, 0)),
        ({"planned": 101}, (84, 17, 0, 101, 11, 0)),
        ({"planned": 84}, (84, 0, 0, 84, 9, 0)),
        ({"planned": 50}, (84, 0, -34, 50, 5, 34)),
        ({"planned": 0}, (84, 0, -84, 0, 0, 84)),
        # Both, as a client sends back what it read: the rounding takes up the difference.
        ({"planned": 130, "counter": 40}, (84, 40, 6, 130, 13, 0)),
        ({"planned": 100, "counter": 40}, (84, 40, -24, 100, 10, 24)),
    ],
)
def test_a_persons_figures_show_as_a_counter_set_by_hand_and_always_add_up(api_as, bread, body, figures):
    response = change(api_as("manager"), bread, **body)

    assert response.status_code == 200
    item = response.json()["data"]
    assert tuple(item[name] for name in FIGURES) == figures
    assert item["counter_source"] == "manual"
    assert item["planned"] == item["planned_for"] + item["counter"] - item["carried_over"] + item["rounding"]
    assert api_as("manager").get(URL).json()["data"]["items"] == [item]


def test_an_answer_is_the_item_as_the_list_shows_it(api_as, bread):
    make_demand({bread: 11})

    response = change(api_as("baker"), bread, produced=120, wasted=3, status="done")

    assert response.json()["data"] == {
        "product": bread.pk,
        "product_name": "Baguette",
        "category": bread.category.slug,
        "ordered": 95,
        "planned_for": 84,
        "counter": 40,
        "counter_source": "target",
        "carried_over": 0,
        "rounding": 6,
        "planned": 130,
        "batch_size": 10,
        "batches": 13,
        "produced": 120,
        "wasted": 3,
        "shortfall": 5,
        "status": "done",
        "assigned_to": None,
    }
    listed = api_as("baker").get(URL)
    assert listed.json()["data"]["items"] == [response.json()["data"]]
    assert listed.json()["data"]["totals"]["produced"] == 120
    assert listed["ETag"] == response["ETag"]


def test_what_is_left_over_from_before_need_not_be_baked(api_as, bread):
    BakingItem.objects.update(carried_over=50, rounding=56)

    item = change(api_as("manager"), bread, counter=40).json()["data"]
    assert (item["planned"], item["rounding"], item["shortfall"]) == (80, 6, 0)

    item = change(api_as("manager"), bread, planned=40).json()["data"]
    assert (item["counter"], item["rounding"], item["shortfall"]) == (6, 0, 0)

    BakingItem.objects.update(carried_over=200, rounding=150)
    item = change(api_as("manager"), bread, counter=20).json()["data"]
    assert (item["planned"], item["rounding"], item["batches"], item["shortfall"]) == (0, 96, 0, 0)


def test_a_patch_changes_what_it_names(api_as, bread):
    manager = api_as("manager")
    baker = make_user(role="baker")
    change(manager, bread, produced=10, wasted=1, status="baking", assigned_to=baker.pk, counter=20)

    item = change(manager, bread, wasted=2).json()["data"]

    assert (item["produced"], item["wasted"], item["status"]) == (10, 2, "baking")
    assert (item["assigned_to"], item["counter"], item["counter_source"]) == (baker.pk, 20, "manual")
    assert change(manager, bread, assigned_to=None).json()["data"]["assigned_to"] is None


def test_fields_that_nobody_may_set_are_ignored(api_as, bread):
    before = api_as("manager").get(URL)

    response = change(api_as("manager"), bread, ordered=1, planned_for=1, carried_over=9, rounding=5, batches=1, x="y")

    assert response.status_code == 200
    after = api_as("manager").get(URL)
    assert (after.json(), after["ETag"]) == (before.json(), before["ETag"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"counter": -1}, "min_value"),
        ({"planned": -1}, "min_value"),
        ({"produced": -1}, "min_value"),
        ({"wasted": -1}, "min_value"),
        ({"counter": 1_000_001}, "max_value"),
        ({"produced": 10**18}, "max_value"),
        ({"produced": 10**30}, "invalid"),
        ({"planned": "5"}, "invalid"),
        ({"planned": 1.5}, "invalid"),
        ({"planned": True}, "invalid"),
        ({"planned": None}, "null"),
        ({"status": "planned"}, "invalid_choice"),
        ({"assigned_to": 0}, "min_value"),
        ({"assigned_to": 999999}, "does_not_exist"),
        ({"assigned_to": 10**19 - 1}, "does_not_exist"),
        ({"assigned_to": "baker"}, "invalid"),
    ],
)
def test_a_bad_figure_is_refused_by_name(api_as, bread, body, code):
    before = api_as("manager").get(URL)

    response = change(api_as("manager"), bread, **body)

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [(code, *body)]
    after = api_as("manager").get(URL)
    assert (after.json(), after["ETag"]) == (before.json(), before["ETag"])


@pytest.mark.parametrize("fields", [{"role": "customer"}, {"role": "baker", "is_active": False}])
def test_only_active_staff_are_given_something_to_bake(api_as, bread, fields):
    response = change(api_as("manager"), bread, assigned_to=make_user(**fields).pk)

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [("does_not_exist", "assigned_to")]


# A product that is not on the list


def test_a_product_that_is_not_on_the_list_is_added(api_as, bread):
    cake = make_product(batch_size=6)

    item = change(api_as("manager"), cake, planned=20).json()["data"]

    assert tuple(item[name] for name in FIGURES) == (0, 20, 0, 20, 4, 0)
    assert item["counter_source"] == "manual"
    assert item["batch_size"] == 6
    assert {i["product"] for i in api_as("manager").get(URL).json()["data"]["items"]} == {bread.pk, cake.pk}


@pytest.mark.parametrize(
    ("body", "figures"),
    [
        ({"planned": 30}, (25, 5, 0, 30, 5, 0)),
        ({"planned": 20}, (25, 0, -5, 20, 4, 5)),
        ({"counter": 4}, (25, 4, 1, 30, 5, 0)),
        ({"produced": 12}, (0, 0, 0, 0, 0, 25)),
        ({}, (0, 0, 0, 0, 0, 25)),
    ],
)
def test_who_plans_a_product_that_was_ordered_late_plans_its_orders_too(api_as, bread, body, figures):
    cake = make_product(batch_size=6)
    make_demand({cake: 25})

    item = change(api_as("manager"), cake, **body).json()["data"]

    assert tuple(item[name] for name in FIGURES) == figures
    assert BakingItem.objects.filter(product=cake).count() == 1


def test_a_baker_may_record_a_product_that_nobody_planned(api_as, bread):
    cake = make_product()

    item = change(api_as("baker"), cake, produced=12).json()["data"]

    assert (item["planned"], item["counter_source"], item["produced"]) == (0, "none", 12)


def test_an_unknown_product_is_not_there(api_as, bread):
    for product in ("999999", "0", "9" * 18, "9" * 40, "bread", "-1"):
        response = api_as("manager").patch(f"{URL}/items/{product}", {"planned": 5})
        assert response.status_code == 404
        assert response.json()["errors"][0]["code"] == "not_found"
    assert BakingItem.objects.count() == 1


def test_what_is_not_baked_cannot_be_planned(api_as, bread):
    coffee = make_product(is_baked=False)

    response = change(api_as("manager"), coffee, planned=5)

    assert response.status_code == 409
    assert response.json()["errors"][0]["code"] == "product_unavailable"
    assert BakingItem.objects.count() == 1
    assert BakingPlan.objects.get().version == 1
