"""/api/categories and /api/categories/{slug}."""

from importlib import import_module
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from django.db import IntegrityError, transaction

from bakery.db import as_already_exists
from products.models import Category
from products.tests.factories import make_category, make_product

URL = "/api/categories"


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def errors_of(answer) -> list[tuple[str, str | None]]:
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def test_a_category_has_a_name_a_slug_and_a_position(manager):
    answer = manager.post(URL, {"name": "Pâtisserie", "position": 3})

    made = Category.objects.get()
    assert (answer.status_code, answer["Location"]) == (201, f"{URL}/patisserie")
    assert answer.json()["data"] == {"id": made.pk, "name": "Pâtisserie", "slug": "patisserie", "position": 3}
    assert manager.get(f"{URL}/patisserie").json() == answer.json()


def test_categories_are_listed_by_position_and_name(api_as):
    make_category(name="Cakes", position=2)
    make_category(name="Bread", position=1)
    make_category(name="Buns", position=1)
    listed = [category["slug"] for category in api_as(None).get(URL).json()["data"]]

    assert listed == ["bread", "buns", "cakes"]
    assert [c["slug"] for c in api_as(None).get(f"{URL}?ordering=-name").json()["data"]] == ["cakes", "buns", "bread"]
    assert [c["slug"] for c in api_as(None).get(f"{URL}?search=BU").json()["data"]] == ["buns"]


def test_the_slug_is_made_of_the_name_unless_it_is_sent(manager):
    slugs = [
        manager.post(URL, body).json()["data"]["slug"]
        for body in ({"name": "Tea & cake"}, {"name": "Tea, cake"}, {"name": "パン"}, {"name": "A", "slug": "my-own"})
    ]

    assert slugs == ["tea-cake", "tea-cake-2", "category-1", "my-own"]


def test_the_slug_stays_when_the_name_changes(manager):
    make_category(name="Bread")

    assert manager.patch(f"{URL}/bread", {"name": "Loaves"}).json()["data"]["slug"] == "bread"
    assert manager.put(f"{URL}/bread", {"name": "Pains", "slug": "pains"}).json()["data"]["slug"] == "pains"
    assert manager.get(f"{URL}/bread").status_code == 404


@pytest.mark.parametrize("name", ["bread", "BREAD", " Bread "])
def test_a_name_is_there_once_whatever_its_case(manager, name):
    make_category(name="Bread")

    answer = manager.post(URL, {"name": name})

    assert (answer.status_code, errors_of(answer)) == (409, [("already_exists", "name")])


def test_a_name_is_there_once_whatever_the_case_of_its_accents(manager):
    make_category(name="Éclairs")
    make_category(name="Tarts")

    assert manager.post(URL, {"name": "éclairs"}).status_code == 409
    assert manager.patch(f"{URL}/tarts", {"name": "ÉCLAIRS"}).status_code == 409
    assert manager.patch(f"{URL}/eclairs", {"name": "ÉCLAIRS"}).status_code == 200


def test_the_database_itself_refuses_the_other_case_of_an_accent(db):
    make_category(name="Éclairs")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Category.objects.bulk_create([Category(name="éclairs", slug="eclairs-2")])

    assert as_already_exists(refusal.value).problems[0].field == "name"


def test_names_that_are_there_twice_are_numbered_when_the_key_comes():
    stored = [SimpleNamespace(name=name, save=Mock()) for name in ("Éclairs", "éclairs (2)", "Brot", "éclairs")]
    apps = Mock(**{"get_model.return_value.objects.order_by.return_value": stored})

    import_module("products.migrations.0007_category_name_key").fold_names(apps, None)

    assert [category.name for category in stored] == ["Éclairs", "éclairs (2)", "Brot", "éclairs (3)"]
    assert all(category.save.called for category in stored)


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({}, 400, ("required", "name")),
        ({"name": ""}, 400, ("blank", "name")),
        ({"name": "x" * 101}, 400, ("max_length", "name")),
        ({"name": "B", "slug": "a b"}, 400, ("invalid", "slug")),
        ({"name": "B", "slug": "x" * 121}, 400, ("max_length", "slug")),
        ({"name": "B", "slug": "taken"}, 409, ("already_exists", "slug")),
        ({"name": "B", "position": -1}, 400, ("min_value", "position")),
        ({"name": "B", "position": 10**9}, 400, ("max_value", "position")),
    ],
)
def test_a_bad_category_is_refused_by_name(manager, sent, status, error):
    make_category(name="Taken", slug="taken")

    answer = manager.post(URL, sent)

    assert (answer.status_code, errors_of(answer)) == (status, [error])
    assert Category.objects.count() == 1


def test_a_category_with_products_is_in_use(manager):
    make_product(category=make_category(name="Bread"), name="Roll")

    answer = manager.delete(f"{URL}/bread")

    assert (answer.status_code, errors_of(answer)) == (409, [("in_use", None)])
    assert "Roll" in answer.json()["errors"][0]["message"]
    assert Category.objects.exists()


def test_an_empty_category_can_be_deleted(manager):
    make_category(name="Bread")

    assert manager.delete(f"{URL}/bread").status_code == 204
    assert manager.delete(f"{URL}/bread").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stale_change_changes_nothing(manager, method):
    make_category(name="Bread")
    stale = manager.get(f"{URL}/bread")["ETag"]
    manager.patch(f"{URL}/bread", {"name": "Loaves"})

    answer = getattr(manager, method)(f"{URL}/bread", {"name": "X"}, headers={"If-Match": stale})

    assert (answer.status_code, errors_of(answer)) == (412, [("stale", None)])
    assert Category.objects.get().name == "Loaves"


@pytest.mark.parametrize("path", ["", "/bread"])
def test_a_category_read_before_is_not_sent_again_until_it_changes(manager, path):
    make_category(name="Bread")
    tag = manager.get(URL + path)["ETag"]
    assert manager.get(URL + path, headers={"If-None-Match": tag}).status_code == 304
    manager.delete(f"{URL}/bread")
    make_category(name="Brioches", slug="bread")

    assert manager.get(URL + path, headers={"If-None-Match": tag}).json()


def test_a_name_of_letters_that_fold_into_many_is_taken_once(manager):
    name = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100

    assert manager.post(URL, {"name": name}).status_code == 201
    assert manager.post(URL, {"name": name}).status_code == 409


def test_the_list_costs_as_many_queries_for_many_as_for_few(api_as, queries_do_not_grow):
    assert queries_do_not_grow(api_as(None), URL, make_category) == 3


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("get", "", (200,) * 7),
        ("get", "/bread", (200,) * 7),
        ("post", "", (401, 403, 403, 403, 403, 400, 400)),
        ("put", "/bread", (401, 403, 403, 403, 403, 400, 400)),
        ("patch", "/bread", (401, 403, 403, 403, 403, 200, 200)),
        ("delete", "/bread", (401, 403, 403, 403, 403, 204, 404)),
    ],
)
def test_who_may_do_what_with_categories(api_as, method, path, expected):
    make_category(name="Bread")
    roles = (None, "customer", "cashier", "baker", "driver", "manager", "admin")

    assert tuple(getattr(api_as(role), method)(URL + path, {}).status_code for role in roles) == expected
