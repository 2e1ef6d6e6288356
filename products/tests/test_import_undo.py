"""The last import is taken back whole, or not at all."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.tests.factories import make_user
from bakery import clock
from products import importing, services
from products.errors import CannotUndo
from products.models import Category, ImportState, Product, ProductImport
from products.tests.factories import make_category, make_product
from products.tests.test_import import HEADER, run

pytestmark = pytest.mark.django_db

WITH_SKU = "sku,name,category,price,description,active,image\n"


def bring_in(content: str, name: str = "products.csv", **how: Any) -> ProductImport:
    file = importing.read_file(io.BytesIO(content.encode()), filename=name)
    return importing.import_products(file, **{"user": None, **how})


def undo(record: ProductImport, **how: Any) -> None:
    importing.undo_import(import_id=record.pk, **{"user": None, **how})


def catalogue() -> list[Any]:
    """All that is stored of products and categories but versions and times."""
    columns = [field.attname for field in Product._meta.concrete_fields]
    own = [name for name in columns if name not in ("version", "updated_at")]
    return [*Product.objects.order_by("pk").values(*own), *Category.objects.order_by("pk").values("pk", "name", "slug")]


def reasons(*, undoing: ProductImport) -> list[str]:
    """Why it is refused; the catalogue stays as it is."""
    before = catalogue()
    with pytest.raises(CannotUndo) as refused:
        undo(undoing)
    assert catalogue() == before
    undoing.refresh_from_db()
    return [problem.message for problem in refused.value.problems]


def test_an_undo_leaves_the_catalogue_as_it_was():
    bread = make_category(name="Bread")
    changed = make_product(category=bread, name="Loaf", sku="A1", price="1", description="old", is_active=True)
    make_product(category=bread, name="Same", price="1")
    before = catalogue()
    record = bring_in(
        WITH_SKU + "A1,Big loaf,Cakes,2,new,no,https://example.com/a.jpg\n,Same,bread,1,,,\nB2,Tart,Tarts,3,,,\n"
    )
    assert record.counts == {"created": 1, "updated": 1, "unchanged": 1, "skipped": 0}

    undo(record)

    assert catalogue() == before
    changed.refresh_from_db()
    assert (changed.version, ProductImport.objects.get().state) == (3, ImportState.UNDONE)


def test_history_tells_of_the_import_and_of_its_undo():
    user = make_user(role="manager")
    loaf = make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    record = bring_in(f"{HEADER}Loaf,Bread,2\nTart,Cakes,3\n", user=user)
    tart = Product.objects.get(name="Tart")

    undo(record, user=user)

    told = [(row.history_type, row.price, row.history_user, row.history_change_reason) for row in loaf.history.all()]
    assert told[:2] == [("~", 1, user, f"undo of import {record.pk}"), ("~", 2, user, f"import {record.pk}")]
    assert [row.history_type for row in Product.history.filter(id=tart.pk)] == ["-", "+"]
    assert [row.history_type for row in Category.history.filter(name="Cakes")] == ["-", "+"]


def test_what_a_fixture_brought_without_history_is_put_back_too():
    loaf = make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    loaf.history.all().delete()
    record = bring_in(f"{HEADER}Loaf,Bread,2\n")

    undo(record)

    loaf.refresh_from_db()
    assert loaf.price == 1


def test_what_a_fixture_brought_back_is_what_an_undo_puts_back(tmp_path: Path):
    loaf = make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    fixture = tmp_path / "catalogue.json"
    call_command("dumpdata", "products", output=fixture, verbosity=0)
    bring_in(f"{HEADER}Loaf,Bread,2\n")
    call_command("loaddata", fixture, verbosity=0)
    record = bring_in(f"{HEADER}Loaf,Bread,3\n")

    undo(record)

    loaf.refresh_from_db()
    assert loaf.price == 1


def test_an_undo_shows_at_once(api_as):
    guest = api_as(None)
    loaf = make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    record = bring_in(f"{HEADER}Loaf,Bread,2\nCroissant,Bread,2\n")
    assert guest.get("/api/products?search=croisant").json()["data"] != []
    tag = guest.get(f"/api/products/{loaf.pk}")["ETag"]

    undo(record)

    answer = guest.get(f"/api/products/{loaf.pk}", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["data"]["price"]) == (200, "1.00")
    assert guest.get("/api/products?search=croisant").json()["data"] == []


# Only the last one


def test_imports_are_undone_from_the_last_one_backwards():
    before = catalogue()
    first = bring_in(f"{HEADER}Loaf,Bread,1\n")
    between = catalogue()
    second = bring_in(f"{HEADER}Loaf,Bread,2\n", name="second.csv")

    assert reasons(undoing=first) == [f"Only the last import can be undone; that is number {second.pk}, second.csv."]
    undo(second)
    assert catalogue() == between
    undo(first)

    assert catalogue() == before
    assert reasons(undoing=first) == ["There is no import that could be undone."]


def test_an_edit_between_two_imports_is_not_lost_by_undoing_both():
    first = bring_in(f"{HEADER}Loaf,Bread,1\n")
    services.update_product(product_id=Product.objects.get().pk, description="By hand.")
    undo(bring_in(f"{HEADER}Loaf,Bread,2\n"))

    assert reasons(undoing=first) == ["Loaf was edited since."]


def test_an_import_that_changed_nothing_is_on_record_and_not_what_undo_means():
    first = bring_in(f"{HEADER}Loaf,Bread,1\n")
    again = bring_in(f"{HEADER}Loaf,Bread,1\n")

    assert (again.state, again.unchanged) == (ImportState.DONE, 1)
    undo(first)
    assert not Product.objects.exists()


# What stands in the way


def test_what_was_edited_or_removed_since_stands_in_the_way():
    make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    record = bring_in(f"{HEADER}Loaf,Bread,2\nRoll,Bread,2\nTart,Bread,2\n")
    loaf, roll, tart = Product.objects.order_by("pk")
    services.update_product(product_id=loaf.pk, description="new")
    services.update_product(product_id=roll.pk, weight_g=60)
    services.remove_product(product_id=tart.pk)

    assert reasons(undoing=record) == ["Loaf was edited since.", "Roll was edited since.", "Tart was removed since."]


def test_targets_of_a_new_product_stand_in_the_way():
    record = bring_in(f"{HEADER}Roll,Bread,2\n")
    services.set_targets(product_id=Product.objects.get().pk, targets={1: 5})

    assert reasons(undoing=record) == ["Roll is in product targets since."]


def test_categories_that_are_used_or_gone_stand_in_the_way():
    cakes = make_category(name="Cakes")
    moved = make_product(category=cakes, name="Tart", sku="T1", price="1")
    record = bring_in("sku,name,category,price\nT1,Tart,Tarts,1\n")
    tarts = Category.objects.get(name="Tarts")
    services.remove_category(category_id=cakes.pk)
    make_product(category=tarts, name="Other")
    assert reasons(undoing=record) == [
        "The category Tarts has other products since.",
        "The category that Tart (T1) was in is no longer there.",
    ]

    services.update_category(category_id=tarts.pk, position=3)
    assert "The category Tarts was edited since." in reasons(undoing=record)
    moved.refresh_from_db()
    assert moved.category == tarts


def test_no_more_than_twenty_reasons_are_named():
    record = bring_in(HEADER + "".join(f"Loaf {number:02},Bread,1\n" for number in range(30)))
    for product in Product.objects.all():
        services.update_product(product_id=product.pk, description="new")

    told = reasons(undoing=record)

    assert len(told) == 21
    assert (told[0], told[-1]) == ("Loaf 00 was edited since.", "There are more.")


def test_an_undo_of_many_rows_takes_few_queries(django_assert_max_num_queries):
    make_product(category=make_category(name="Bread"), name="Loaf 1", price="9")
    record = bring_in(HEADER + "".join(f"Loaf {number},Category {number % 70},1\n" for number in range(3000)))

    with django_assert_max_num_queries(50):
        undo(record)

    assert Product.objects.count() == 1


# The command


def command(*args: str) -> str:
    out = io.StringIO()
    call_command("undo_import", *args, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_names_the_last_import_and_undoes_it(tmp_path: Path):
    path = tmp_path / "products.csv"
    path.write_text(f"{HEADER}Loaf,Bread,1\n")
    run(path)
    record = ProductImport.objects.get()
    assert (record.file_name, record.user) == ("products.csv", None)

    assert command() == f"{record.pk}: products.csv of {clock.now():%Y-%m-%d %H:%M} UTC, created 1, updated 0\n"
    assert command(str(record.pk)) == "undone: 1 products removed, 0 changed back\n"

    assert not Product.objects.exists()
    with pytest.raises(CommandError, match="There is no import"):
        command()


def test_the_command_says_what_stands_in_the_way():
    record = bring_in(f"{HEADER}Loaf,Bread,1\n")
    services.update_product(product_id=Product.objects.get().pk, price="2")
    out = io.StringIO()

    with pytest.raises(CommandError, match="Nothing was undone"):
        call_command("undo_import", str(record.pk), stderr=out)

    assert out.getvalue() == "Loaf was edited since.\n"
    assert Product.objects.get().price == 2
