"""Files of products through the API and the command: all of them, or nothing."""

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.tests.factories import make_user
from products import importing, indexing, services
from products.errors import PlanOutdated
from products.importing import apply
from products.importing import plan as planning
from products.models import Category, Product, ProductImport
from products.tests.factories import make_category, make_product
from tests.at_once import ON_POSTGRES, elsewhere, wait_until_somebody_waits

CORPUS = Path(__file__).parent / "corpus"
MANIFEST = json.loads((CORPUS / "manifest.json").read_text())["files"]
URL = "/api/products/import"
HEADER = "name,category,price\n"


def upload(client: Any, content: bytes | str, name: str = "products.csv", **more: Any) -> Any:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(URL, {"file": file, **more}, format="multipart")


def run(path: Path, *options: str) -> tuple[bool, str, str]:
    """Run the command; return whether it took the file, and what it wrote to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_products", str(path), *options, stdout=out, stderr=err)
    except CommandError:
        return False, out.getvalue(), err.getvalue()
    return True, out.getvalue(), err.getvalue()


def read(path: Path) -> importing.SourceFile:
    with path.open("rb") as file:
        return importing.read_file(file, filename=path.name)


@pytest.fixture
def manager(api_as):
    return api_as("manager")


@pytest.fixture
def write(tmp_path):
    def to_file(content: str) -> Path:
        path = tmp_path / "products.csv"
        path.write_text(content)
        return path

    return to_file


def given(products: list[dict[str, Any]]) -> None:
    categories: dict[str, Category] = {}
    for one in products:
        fields = {**one, "is_active": one.get("active", True)}
        fields.pop("active", None)
        name = fields.pop("category")
        category = categories.get(name) or make_category(name=name)
        categories[name] = category
        make_product(category=category, **fields)


def stored() -> list[dict[str, Any]]:
    columns = ("sku", "name", "category__name", "price", "image_source", "description", "is_active", "version")
    return list(Product.objects.order_by("pk").values(*columns))


def holds(expected: dict[str, Any]) -> bool:
    names = {"category": "category__name", "image": "image_source", "active": "is_active"}
    fields = {names.get(name, name): value for name, value in expected.items()}
    fields["price"] = Decimal(fields["price"])
    return Product.objects.filter(**fields).exists()


# The corpus, through both doors


@pytest.mark.parametrize("name", MANIFEST)
def test_the_api_takes_a_file_as_the_manifest_says(manager, name):
    expected = MANIFEST[name]["expected"]
    given(MANIFEST[name]["given"])
    before = stored()

    answer = upload(manager, (CORPUS / name).read_bytes(), name)

    if expected["accepted"]:
        counts = {count: expected[count] for count in ("created", "updated", "unchanged")}
        assert answer.status_code == 200, answer.content
        assert answer.json()["data"] == {**counts, "skipped": expected.get("skipped", 0), "dry_run": False}
    else:
        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
            (".".join(str(part) for part in ("rows", e["line"], e["column"]) if part is not None), e["code"])
            for e in expected["errors"]
        ]
        assert stored() == before
    assert all(holds(product) for product in expected.get("stored", []))


@pytest.mark.parametrize("name", MANIFEST)
def test_the_command_takes_a_file_as_the_manifest_says(db, name):
    expected = MANIFEST[name]["expected"]
    given(MANIFEST[name]["given"])
    before = stored()

    taken, out, err = run(CORPUS / name)

    assert taken == expected["accepted"]
    if taken:
        assert out == (
            f"created {expected['created']}, updated {expected['updated']}, unchanged {expected['unchanged']}, "
            f"skipped {expected.get('skipped', 0)}\n"
        )
    else:
        places = [
            f"line {e['line']}" + (f", column {e['column']}" if e["column"] else "") + f", {e['code']}: "
            for e in expected["errors"]
        ]
        lines = err.splitlines()
        assert len(lines) == len(places)
        assert all(line.startswith(place) for line, place in zip(lines, places, strict=True))
        assert stored() == before
    assert all(holds(product) for product in expected.get("stored", []))


# What a row means


def test_a_row_with_a_sku_changes_the_product_of_that_sku(manager):
    product = make_product(category=make_category(name="Bread"), name="Loaf", sku="A1", description="old", price="1")
    services.update_product(product_id=product.pk, is_active=False, weight_g=500)

    answer = upload(manager, "sku,name,category,price\nA1,Big loaf,Cakes,2\n")

    assert answer.json()["data"]["updated"] == 1
    product.refresh_from_db()
    assert (product.name, product.category.name, product.price, product.version) == ("Big loaf", "Cakes", 2, 3)
    # A column that is absent leaves its field alone, and the address stays.
    assert (product.description, product.is_active, product.weight_g, product.slug) == ("old", False, 500, "loaf")


def test_a_blank_cell_empties_what_may_be_empty(manager):
    make_product(category=make_category(name="Bread"), name="Loaf", description="old", is_active=False)

    upload(manager, "name,category,price,description,active\nLoaf,Bread,1.30,,\n")

    assert stored()[0]["description"] == ""
    assert stored()[0]["is_active"] is False


def test_a_row_without_a_sku_means_the_one_without_then_the_only_one_with(manager):
    bread = make_category(name="Bread")
    with_sku = make_product(category=bread, name="Loaf", sku="A1")
    upload(manager, f"{HEADER}Loaf,Bread,2\n")
    with_sku.refresh_from_db()
    assert with_sku.price == 2

    without = make_product(category=bread, name="Loaf")
    upload(manager, f"{HEADER}Loaf,Bread,3\n")
    with_sku.refresh_from_db()
    without.refresh_from_db()
    assert (with_sku.price, without.price) == (2, 3)


def test_a_product_is_written_once_however_its_rows_name_it(manager):
    make_product(category=make_category(name="Bread"), name="Loaf", sku="A1")

    answer = upload(manager, "sku,name,category,price\n,Loaf,Bread,2\nA1,Loaf,Bread,3\n")

    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("rows.3.sku", "duplicate_key")]


def test_a_category_is_the_same_whatever_its_case_and_made_where_it_is_missing(manager):
    make_category(name="Éclairs")

    answer = upload(manager, f"{HEADER}Café,éclairs,1\nLoaf,Bread,1\nRoll,BREAD,1\n")

    assert answer.json()["data"]["created"] == 3
    assert sorted(Category.objects.values_list("name", "slug")) == [("Bread", "bread"), ("Éclairs", "eclairs")]
    again = upload(manager, f"{HEADER}Café,éclairs,1\nLoaf,Bread,1\nRoll,BREAD,1\n")
    assert again.json()["data"]["unchanged"] == 3


def test_slugs_are_numbered_within_a_file_and_beside_what_is_there(manager):
    make_product(name="Loaf")

    upload(manager, "sku,name,category,price\na,Loaf,Bread,1\nb,Loaf,Bread,1\nc,パン,Bread,1\n")

    assert list(Product.objects.order_by("pk").values_list("slug", flat=True)) == [
        "loaf",
        "loaf-2",
        "loaf-3",
        "product-1",
    ]


# What is left behind


def test_history_tells_who_imported_what_and_is_silent_on_what_stayed(api_as):
    user = make_user(role="manager")
    bread = make_category(name="Bread")
    same, changed = (make_product(category=bread, name=name, price="1") for name in ("Same", "Changed"))

    upload(api_as(user), f"{HEADER}Same,Bread,1\nChanged,Bread,2\nNew,Cakes,3\n")

    new = Product.objects.get(name="New")
    kinds = {
        product.name: [(row.history_type, row.history_user, row.price) for row in product.history.order_by("pk")]
        for product in (same, changed, new)
    }
    assert kinds == {
        "Same": [("+", None, 1)],
        "Changed": [("+", None, 1), ("~", user, 2)],
        "New": [("+", user, 3)],
    }
    assert new.category.history.get().history_user == user
    assert (same.history.get().version, new.version) == (1, 1)


def test_an_imported_product_is_like_one_that_was_made_by_hand(manager):
    upload(manager, f"{HEADER}Loaf,Bread,1\n")
    imported = Product.objects.get()
    made = make_product(category=imported.category, name="Made", price="1")

    own = ("id", "name", "slug", "created_at", "updated_at")
    columns = [field.attname for field in Product._meta.concrete_fields if field.name not in own]
    assert {name: getattr(imported, name) for name in columns} == {name: getattr(made, name) for name in columns}
    imported.full_clean()


def test_an_import_shows_at_once(api_as, manager):
    guest = api_as(None)
    assert guest.get("/api/products").json()["data"] == []

    upload(manager, f"{HEADER}Loaf,Bread,1\n")

    assert [product["name"] for product in guest.get("/api/products").json()["data"]] == ["Loaf"]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(manager, write):
    content = f"{HEADER}Loaf,Bread,1\n"
    answer = upload(manager, content, dry_run="true")

    counts = {"created": 1, "updated": 0, "unchanged": 0, "skipped": 0, "dry_run": True}
    assert answer.json()["data"].items() >= counts.items()
    assert run(write(content), "--dry-run")[1].endswith("\ncreated 1, updated 0, unchanged 0, skipped 0 (dry run)\n")
    assert not Product.objects.exists()
    assert not Category.objects.exists()


def test_a_dry_run_tells_each_change_field_by_field(manager, write):
    make_product(category=make_category(name="Bread"), name="Loaf", sku="A1", price="1", description="old")
    content = "sku,name,category,price,description,colour\nA1,Loaf,bread,1.20,,x\n,Roll,Bread,0.50,soft,x\n"

    told = upload(manager, content, dry_run="true").json()["data"]

    assert told["changes"] == [
        {
            "line": 2, "action": "updated", "sku": "A1", "name": "Loaf", "differences": [
                {"field": "price", "old": "1.00", "new": "1.20"},
                {"field": "description", "old": "old", "new": ""},
            ],
        },
        {
            "line": 3, "action": "created", "sku": "", "name": "Roll", "differences": [
                {"field": "category", "old": None, "new": "Bread"},
                {"field": "price", "old": None, "new": "0.50"},
                {"field": "description", "old": None, "new": "soft"},
            ],
        },
    ]  # fmt: skip
    assert [(notice["line"], notice["code"]) for notice in told["notices"]] == [(1, "ignored_column")]
    assert run(write(content), "--dry-run")[1].splitlines()[:3] == [
        "line 2: updated Loaf (A1): price 1.00 → 1.20, description old → (empty)",
        "line 3: created Roll: category Bread, price 0.50, description soft",
        "line 1: The column “colour” is not known, it was ignored.",
    ]


def test_a_dry_run_of_many_rows_tells_the_first_fifty(manager, write):
    content = HEADER + "".join(f"Loaf {number},Bread,1\n" for number in range(60))

    told = upload(manager, content, dry_run="true").json()["data"]

    assert (told["created"], len(told["changes"])) == (60, 50)
    assert "… and 10 more" in run(write(content), "--dry-run")[1].splitlines()


def test_a_reviewed_plan_is_carried_out_while_the_catalogue_is_as_it_was(manager, write):
    content = f"{HEADER}Loaf,Bread,1\n"
    plan = upload(manager, content, dry_run="true").json()["data"]["plan"]
    assert f"--plan {plan} " in run(write(content), "--dry-run")[1]

    assert upload(manager, content, plan=plan).json()["data"]["created"] == 1


@pytest.mark.parametrize("change", ["catalogue", "file", "plan"])
def test_a_reviewed_plan_that_no_longer_holds_is_refused(manager, write, change):
    content = f"{HEADER}Loaf,Bread,1\n"
    plan = upload(manager, content, dry_run="true").json()["data"]["plan"]
    if change == "catalogue":
        make_product(category=make_category(name="Bread"), name="Loaf", price="5")
    content = content.replace("1", "2") if change == "file" else content
    plan = "no plan" if change == "plan" else plan
    before = stored()

    answer = upload(manager, content, plan=plan)
    taken, _, _ = run(write(content), "--plan", plan)

    assert (answer.status_code, taken) == (409, False)
    assert [(e["code"], e["field"]) for e in answer.json()["errors"]] == [("plan_outdated", "plan")]
    assert stored() == before
    assert not ProductImport.objects.exists()


def test_a_change_at_the_last_moment_voids_a_reviewed_plan(db, write, monkeypatch):
    file = read(write(f"{HEADER}Loaf,Bread,2\n"))
    plan_import = planning.plan_import
    reviewed = plan_import(file).fingerprint

    def meanwhile(file):
        plan = plan_import(file)
        make_product(category=make_category(name="Bread"), name="Loaf", price="1")
        return plan

    monkeypatch.setattr(planning, "plan_import", meanwhile)
    with pytest.raises(PlanOutdated):
        importing.import_products(file, user=None, reviewed=reviewed)

    assert [product["price"] for product in stored()] == [1]


def test_a_plan_is_made_anew_where_the_catalogue_changed_in_between(db, write, monkeypatch):
    file = read(write(f"{HEADER}Loaf,Bread,2\n"))
    plan_import = planning.plan_import
    plans = []

    def meanwhile(file):
        plans.append(plan_import(file))
        if len(plans) == 1:
            make_product(category=make_category(name="Bread"), name="Loaf", price="1")
        return plans[-1]

    monkeypatch.setattr(planning, "plan_import", meanwhile)
    result = importing.import_products(file, user=None)

    assert (result.created, result.updated) == (0, 1)
    assert [product["price"] for product in stored()] == [2]


def test_an_import_that_breaks_off_leaves_nothing(db, write, monkeypatch):
    def die(*_: object) -> None:
        raise RuntimeError("power cut")

    file = read(write(f"{HEADER}Loaf,Bread,2\n"))
    with pytest.raises(RuntimeError):
        importing.import_products(file, user=None, progress=die)

    assert not Product.objects.exists()
    assert not Category.objects.exists()
    assert importing.import_products(file, user=None).created == 1


def test_an_import_of_many_rows_takes_few_queries(db, write, django_assert_max_num_queries):
    rows = "".join(f"Loaf {number},Category {number % 7},1\n" for number in range(5000))
    file = read(write(HEADER + rows))

    with django_assert_max_num_queries(40):
        importing.import_products(file, user=None)
    with django_assert_max_num_queries(9):  # three of them are settings of SQLite
        importing.import_products(file, user=None)

    assert Product.objects.count() == Product.history.count() == 5000


def test_rows_go_in_as_they_are_in_however_many_parts(db, write, monkeypatch):
    monkeypatch.setattr(apply, "CHUNK", 2)
    monkeypatch.setattr(apply, "MANY", 2)
    odd = ["tab\tand\\backslash", "\\N", "\\.", 'two\nlines, "quoted"', "%s {rows} $1"]
    header = "sku,name,category,price,description,active\n"

    def file(price):
        rows = [
            f'{n},Loaf {n},Bread,{price},"{text.replace(chr(34), 2 * chr(34))}",\n' for n, text in enumerate(odd, 1)
        ]
        return read(write(header + "".join(rows)))

    told = []
    for price, kind in [(1, "created"), (2, "updated")]:
        result = importing.import_products(file(price), user=None, progress=lambda *step: told.append(step))
        assert getattr(result, kind) == len(odd)
        rows = Product.objects.order_by("pk").values_list("sku", "name", "price", "description", "is_active")
        assert list(rows) == [(str(n), f"Loaf {n}", price, text, True) for n, text in enumerate(odd, 1)]

    assert told[2:5] == [("Writing", 2, 5), ("Writing", 4, 5), ("Writing", 5, 5)]
    assert indexing.drifts() == []


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="it is SQLite that maps its file")
def test_an_import_takes_no_memory_for_the_file_of_the_database(db, write):
    def mapped(*_: object) -> int:
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA mmap_size").fetchone()[0]

    usual, meanwhile = mapped(), set()
    importing.import_products(
        read(write(f"{HEADER}Loaf,Bread,2\n")), user=None, progress=lambda *_: meanwhile.add(mapped())
    )

    assert (meanwhile, mapped()) == ({0}, usual)
    assert usual > 0


# What the API and the command refuse


def test_an_upload_without_a_file_is_refused(manager):
    answer = manager.post(URL, {"dry_run": "true"}, format="multipart")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "file")


@pytest.mark.parametrize("rest", [b"--edge", b'--edge\r\nContent-Disposition: form-data; name="dry_r'])
def test_an_upload_that_breaks_off_before_it_says_dry_run_imports_nothing(manager, rest):
    whole = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        b"name,category,price\nLoaf,Bread,1\r\n"
        b'--edge\r\nContent-Disposition: form-data; name="dry_run"\r\n\r\ntrue\r\n--edge--\r\n'
    )
    came = whole[: whole.index(b"\n--edge") + 1] + rest

    answer = manager.generic(
        "POST", URL, content_type="multipart/form-data; boundary=edge",
        **{"wsgi.input": io.BytesIO(came), "CONTENT_LENGTH": str(len(whole))},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "parse_error")
    assert not Product.objects.exists()


@pytest.mark.parametrize("dry_run", ["maybe", "1", ""])
def test_dry_run_is_true_or_false(manager, dry_run):
    answer = upload(manager, f"{HEADER}Loaf,Bread,1\n", dry_run=dry_run)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "dry_run")
    assert not Product.objects.exists()


def test_an_empty_file_is_refused_by_the_reader(manager):
    answer = upload(manager, b"")

    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("rows.1", "empty_file")]


def test_an_upload_above_20_mib_is_too_large(manager):
    answer = upload(manager, b"x" * (20 * 1024 * 1024 + 1))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_large")


@pytest.mark.parametrize(("faults", "told"), [(1, "The file has 1 error;"), (2, "The file has 2 errors;")])
def test_the_command_counts_the_faults_of_a_file(db, write, faults, told):
    file = write(HEADER + "".join(f"Loaf {number},Bread,x\n" for number in range(faults)))

    with pytest.raises(CommandError, match=f"{told} nothing was imported"):
        call_command("import_products", str(file), stderr=io.StringIO())


def test_the_first_thousand_errors_are_told(manager, write):
    content = HEADER + "".join(f"Loaf {number},Bread,x\n" for number in range(1200))
    answer = upload(manager, content)

    assert len(answer.json()["errors"]) == 1000
    assert answer.json()["errors"][-1]["field"] == "rows.1001.price"
    assert len(run(write(content))[2].splitlines()) == 1200


def test_a_file_that_is_not_there_is_said_in_words(db, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: No such file"):
        call_command("import_products", str(tmp_path / "no.csv"))


def test_a_file_whose_name_is_no_utf_8_is_imported(db, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text(f"{HEADER}Loaf,Bread,1\n")

    assert run(path)[1].startswith("created 1")
    assert ProductImport.objects.get().file_name == "caf?.csv"


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_an_import_locks_products_in_the_order_of_their_keys_as_orders_do():
    def file_of(count, price):
        content = HEADER + "".join(f"Loaf {number},Bread,{price}\n" for number in range(count))
        return importing.read_file(io.BytesIO(content.encode()), filename="products.csv")

    importing.import_products(file_of(1000, "1.00"), user=None)
    first = Product.objects.get(name="Loaf 0").pk
    Product.objects.filter(pk=first).update(description="Now it lies last in the table.")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE products_product")

    def bring_in():
        return importing.import_products(file_of(200, "9.00"), user=None)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Product.objects.select_for_update().get(pk=first)
            importing_now = pool.submit(elsewhere, bring_in)
            wait_until_somebody_waits()
            # It waits for the first one, so it holds none of the others yet.
            others = list(Product.objects.exclude(pk=first).select_for_update(nowait=True))
        assert len(others) == 999
        assert importing_now.result().updated == 200
