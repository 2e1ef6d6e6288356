"""Planning again: new orders, a person's figures, and the paper on the wall."""

import pytest

from orders.models import Status
from orders.tests.factories import move
from production.models import BakingItem, PlanEdition
from production.tests.factories import make_demand, make_plan, make_target
from products.models import ProductTarget
from products.tests.factories import make_product

URL = "/api/baking-list/2026-11-25"
FIGURES = ("planned_for", "counter", "rounding", "planned", "shortfall")


def figures(response, product):
    assert response.status_code == 200, response.json()
    item = next(item for item in response.json()["data"]["items"] if item["product"] == product.pk)
    return tuple(item[name] for name in FIGURES)


def test_refreshing_plans_the_orders_of_now_as_a_new_version(api_as):
    bread, cake = make_product(batch_size=10), make_product(batch_size=6)
    make_demand({bread: 84})
    make_target(bread, 40)
    make_plan()
    make_demand({bread: 10, cake: 4})
    manager = api_as("manager")

    response = manager.post(f"{URL}/refresh")

    assert response.json()["data"]["version"] == 2
    assert figures(response, bread) == (94, 40, 6, 140, 0)
    assert figures(response, cake) == (4, 0, 2, 6, 0)
    assert response.json() == manager.get(URL).json()
    quantities = dict(PlanEdition.objects.values_list("number", "quantities"))
    assert quantities == {1: {str(bread.pk): 130}, 2: {str(bread.pk): 140, str(cake.pk): 6}}


def test_refreshing_takes_up_new_targets_and_batch_sizes(api_as):
    bread = make_product(batch_size=10)
    target = make_target(bread, 15)
    make_plan()
    ProductTarget.objects.filter(pk=target.pk).update(quantity=30)
    bread.batch_size = 8
    bread.save()

    response = api_as("manager").post(f"{URL}/refresh")

    assert figures(response, bread) == (0, 30, 2, 32, 0)


def test_a_product_that_left_the_orders_stays_with_nothing_to_bake(api_as):
    bread = make_product(batch_size=10)
    order = make_demand({bread: 25})
    make_plan()
    move(order, Status.CANCELLED)

    response = api_as("manager").post(f"{URL}/refresh")

    assert figures(response, bread) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        # A counter set by hand stays, and the orders are planned on top of it.
        ([{"counter": 25}], (94, 25, 1, 120, 0)),
        ([{"counter": 0}], (94, 0, 6, 100, 0)),
        # `planned` set by hand stays, and what it lacks goes on to show.
        ([{"planned": 130}], (94, 46, -10, 130, 10)),
        ([{"planned": 101}], (94, 17, -10, 101, 10)),
        ([{"planned": 50}], (94, 0, -44, 50, 44)),
        # The last word counts.
        ([{"planned": 50}, {"counter": 25}], (94, 25, 1, 120, 0)),
    ],
)
def test_refreshing_leaves_the_figures_that_a_person_set(api_as, said, after):
    bread = make_product(batch_size=10)
    make_demand({bread: 84})
    make_target(bread, 40)
    make_plan()
    manager = api_as("manager")
    for body in said:
        assert manager.patch(f"{URL}/items/{bread.pk}", body).status_code == 200
    make_demand({bread: 10})

    response = manager.post(f"{URL}/refresh")

    assert figures(response, bread) == after
    assert response.json()["data"]["items"][0]["counter_source"] == "manual"


def test_refreshing_leaves_what_was_recorded(api_as):
    bread = make_product()
    make_demand({bread: 5})
    plan = make_plan()
    plan.items.update(produced=4, wasted=1, status="baking")
    make_demand({bread: 2})

    item = api_as("manager").post(f"{URL}/refresh").json()["data"]["items"][0]

    assert (item["produced"], item["wasted"], item["status"], item["planned"]) == (4, 1, "baking", 7)


def test_a_list_that_is_done_is_not_planned_again(api_as):
    make_demand({make_product(): 5})
    plan = make_plan()
    type(plan).objects.update(status="done")

    response = api_as("manager").post(f"{URL}/refresh")

    assert response.status_code == 409
    assert response.json()["errors"][0]["code"] == "illegal_transition"
    plan.refresh_from_db()
    assert plan.edition == 1


def test_refreshing_costs_the_same_queries_whatever_stands_on_the_list(api_as, django_assert_max_num_queries):
    make_demand({make_product(): 5 for _ in range(40)})
    make_plan()
    make_demand({make_product(): 5 for _ in range(40)})

    with django_assert_max_num_queries(25):
        api_as("manager").post(f"{URL}/refresh")

    assert BakingItem.objects.count() == 80


# The paper on the wall


def test_changes_tell_what_to_correct_on_the_paper_of_a_version(api_as):
    bread, cake = make_product(name="Bread", batch_size=10), make_product(name="Cake")
    same, gone = make_product(name="Same"), make_product(name="Gone")
    make_demand({bread: 84, same: 3})
    order = make_demand({gone: 7})
    make_plan()
    manager = api_as("manager")

    def changes(since):
        response = manager.get(f"{URL}/changes?since={since}")
        assert response.status_code == 200
        return [tuple(change.values()) for change in response.json()["data"]]

    assert changes(1) == []
    make_demand({bread: 10, cake: 4})
    move(order, Status.CANCELLED)
    assert changes(1) == []  # nothing is planned otherwise yet

    manager.post(f"{URL}/refresh")
    assert changes(1) == [
        (bread.pk, "Bread", 90, 100, 10),
        (cake.pk, "Cake", 0, 4, 4),
        (gone.pk, "Gone", 7, 0, -7),
    ]
    assert changes(2) == []

    manager.patch(f"{URL}/items/{cake.pk}", {"planned": 1})
    assert changes(2) == [(cake.pk, "Cake", 4, 1, -3)]
    assert manager.get(f"{URL}/changes?since=2").json() == {
        "success": True,
        "message": "",
        "data": [{"product": cake.pk, "product_name": "Cake", "before": 4, "after": 1, "difference": -3}],
        "errors": [],
        "meta": {},
    }


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("", "required", "since"),
        ("?since=", "invalid", "since"),
        ("?since=0", "invalid", "since"),
        ("?since=-1", "invalid", "since"),
        ("?since=1.0", "invalid", "since"),
        ("?since=2", "invalid", "since"),
        ("?since=999999999", "invalid", "since"),
        ("?since=99999999999999999999", "invalid", "since"),
        ("?since=1&until=2", "unknown_parameter", "until"),
    ],
)
def test_changes_want_a_version_that_was(api_as, query, code, field):
    make_plan()

    response = api_as("baker").get(f"{URL}/changes{query}")

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [(code, field)]
