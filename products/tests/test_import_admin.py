"""Files of products in the admin: what they would change is looked at, confirmed, and undone."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from accounts.tests.factories import make_user
from bakery import clock, jobs, routines
from products import importing, services
from products.importing import review, uploads
from products.models import ImportFile, ImportPage, ImportState, Product, ProductImport
from products.tests.factories import make_category, make_product
from products.tests.test_import import CORPUS, HEADER, MANIFEST, given, holds
from tests.at_once import ON_POSTGRES, elsewhere, wait_until_somebody_waits

UPLOAD = "/admin/products/product/import/"
LIST = "/admin/products/productimport/"


@pytest.fixture
def user(db):
    return make_user(role="manager")


@pytest.fixture
def office(client: Client, user) -> Client:
    client.force_login(user)
    return client


def upload(office: Client, content: bytes | str, name: str = "products.csv") -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return office.post(UPLOAD, {"import_file": SimpleUploadedFile(name, raw)}, follow=True)


def act(office: Client, action: str, record: ProductImport | None = None, seen: str | None = None) -> Any:
    """Press a button on the page of an import: as it is now, or on one that shows the plan that was `seen` earlier."""
    record = record or ProductImport.objects.latest("pk")
    shown = seen if seen is not None else plan_on(office.get(f"{LIST}{record.pk}/change/"))
    return office.post(f"{LIST}{record.pk}/{action}/", {"plan": shown}, follow=True)


def plan_on(answer: Any) -> str:
    return "".join(re.findall(r'name="plan" value="(\w+)"', page(answer)))


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def page(answer: Any) -> str:
    return answer.content.decode()


def many(count: int, price: str = "1") -> str:
    return HEADER + "".join(f"Loaf {number},Bread,{price}\n" for number in range(count))


@pytest.mark.parametrize("name", MANIFEST)
def test_the_admin_takes_a_file_as_the_manifest_says(office, name):
    expected = MANIFEST[name]["expected"]
    given(MANIFEST[name]["given"])
    before = list(Product.objects.values())

    answer = upload(office, (CORPUS / name).read_bytes(), name)

    record = ProductImport.objects.get()
    assert list(Product.objects.values()) == before
    if not expected["accepted"]:
        rows = [row for kept in ImportPage.objects.all() for row in kept.rows]
        assert [(row["line"], row["column"], row["code"]) for row in rows] == [
            (error["line"], error["column"], error["code"]) for error in expected["errors"]
        ]
        assert record.state == ImportState.REFUSED
        assert f"{rows[0]['line']}</td>" in page(answer)
        return
    counts = {name: expected.get(name, 0) for name in ("created", "updated", "unchanged", "skipped")}
    assert (record.state, record.counts) == (ImportState.REVIEW, counts)
    act(office, "confirm")
    record.refresh_from_db()
    assert (record.state, record.counts) == (ImportState.DONE, counts)
    assert all(holds(product) for product in expected.get("stored", []))


# Looked at


def test_the_page_shows_field_by_field_what_would_change(office):
    make_product(category=make_category(name="Bread"), name="Loaf", price="1.00")
    make_product(category=make_category(name="Cakes"), name="Tart", price="2.00")

    answer = upload(office, "name,category,price,colour\nTart,cakes,2\nLoaf,bread,1.20\n<b>Roll</b>,Bread,0.50\n")

    assert "<del>1.00</del> → <ins>1.20</ins>" in page(answer)
    assert "&lt;b&gt;Roll&lt;/b&gt;" in page(answer)
    assert "The column “colour” is not known" in page(answer)
    assert "Tart" not in page(answer)
    assert not Product.objects.filter(name__contains="Roll").exists()


def test_rows_and_errors_come_in_pages_of_fifty(office):
    upload(office, many(120))
    record = ProductImport.objects.get()
    assert [len(kept.rows) for kept in record.pages.all()] == [50, 50, 20]
    third = page(office.get(f"{LIST}{record.pk}/change/?page=3"))
    assert "Loaf 119" in third
    assert "Loaf 99" not in third
    assert "Page 3 of 3" in third

    answer = upload(office, many(60, price="x"))
    assert "60 things in the file are wrong" in page(answer)
    assert page(answer).count("is not a number like 3.50") == 50
    assert "Page 1 of 2" in page(answer)


def test_what_is_not_wanted_is_dropped(office):
    upload(office, f"{HEADER}Loaf,Bread,1\n")

    act(office, "drop")

    assert not ProductImport.objects.exists()
    assert not ImportFile.objects.exists()


# Confirmed


def test_a_confirmed_import_is_on_record(office, user):
    content = f"{HEADER}Loaf,Bread,1\n".encode()
    upload(office, content)

    answer = act(office, "confirm")

    record = ProductImport.objects.get()
    assert (record.state, record.user, record.file_name) == (ImportState.DONE, user, "products.csv")
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert not ImportFile.objects.exists()
    assert told(answer) == ["products.csv was imported."]
    assert "products.csv" in page(office.get(LIST))


def test_a_plan_that_no_longer_holds_is_not_carried_out_but_shown_anew(office):
    product = make_product(category=make_category(name="Bread"), name="Loaf", price="1.00")
    upload(office, f"{HEADER}Loaf,Bread,1.20\n")
    services.update_product(product_id=product.pk, price="1.10")

    answer = act(office, "confirm")

    product.refresh_from_db()
    record = ProductImport.objects.get()
    assert (str(product.price), record.state) == ("1.10", ImportState.REVIEW)
    assert "The catalogue has changed since you looked, so nothing was imported." in page(answer)
    assert "<del>1.10</del> → <ins>1.20</ins>" in page(answer)
    act(office, "confirm")
    product.refresh_from_db()
    assert str(product.price) == "1.20"


@pytest.mark.parametrize("at_once", [1000, 0])
def test_a_page_that_shows_an_older_plan_confirms_nothing(office, monkeypatch, at_once):
    monkeypatch.setattr(uploads, "AT_ONCE", at_once)
    product = make_product(category=make_category(name="Bread"), name="Loaf", price="1.30")
    upload(office, f"{HEADER}Loaf,Bread,1.99\n")
    jobs.run_due()
    record = ProductImport.objects.get()
    seen = record.plan
    services.update_product(product_id=product.pk, price="7.77")
    act(office, "confirm", seen=seen)
    jobs.run_due()

    for old in (seen, ""):
        answer = act(office, "confirm", seen=old)
        jobs.run_due()

        product.refresh_from_db()
        record.refresh_from_db()
        assert (str(product.price), record.state) == ("7.77", ImportState.REVIEW)
        assert told(answer) == [review.LOOK_AGAIN]
        assert "<del>7.77</del> → <ins>1.99</ins>" in page(answer)

    act(office, "confirm")
    jobs.run_due()
    product.refresh_from_db()
    assert str(product.price) == "1.99"


def test_an_import_is_confirmed_once(office):
    upload(office, f"{HEADER}Loaf,Bread,1\n")
    act(office, "confirm")

    for action in ("confirm", "drop"):
        assert told(act(office, action)) == ["This import no longer waits to be confirmed."]

    assert Product.objects.get().version == 1


# Undone


def test_the_last_import_is_undone_once_that_is_confirmed(office):
    upload(office, f"{HEADER}Loaf,Bread,1\n")
    act(office, "confirm")
    record = ProductImport.objects.get()

    asked = page(office.get(f"{LIST}{record.pk}/undo/"))
    assert "1 product that it created is removed" in asked
    assert Product.objects.exists()
    answer = act(office, "undo")

    assert told(answer) == ["The catalogue is as it was before this import."]
    assert not Product.objects.exists()
    assert "Undo this import" not in page(answer)


def test_an_undo_that_is_refused_says_what_stands_in_the_way(office):
    upload(office, f"{HEADER}Loaf,Bread,1\n")
    act(office, "confirm")
    services.update_product(product_id=Product.objects.get().pk, price="2")

    assert told(act(office, "undo")) == ["Loaf was edited since."]


# Large files


@pytest.fixture
def _small_is_large(monkeypatch):
    monkeypatch.setattr(uploads, "AT_ONCE", 2)


@pytest.mark.usefixtures("_small_is_large")
def test_the_worker_plans_and_carries_out_a_large_file(office):
    answer = upload(office, many(3))
    record = ProductImport.objects.get()
    assert record.state == ImportState.READING
    assert 'http-equiv="refresh"' in page(answer)

    jobs.run_due()
    record.refresh_from_db()
    assert (record.state, record.created) == (ImportState.REVIEW, 3)
    assert 'http-equiv="refresh"' not in page(office.get(f"{LIST}{record.pk}/change/"))

    act(office, "confirm")
    assert not Product.objects.exists()
    jobs.run_due()
    record.refresh_from_db()
    assert (record.state, Product.objects.count()) == (ImportState.DONE, 3)


@pytest.mark.usefixtures("_small_is_large")
def test_the_worker_finds_what_is_wrong_in_a_large_file(office):
    upload(office, many(3, price="x"))

    jobs.run_due()

    record = ProductImport.objects.get()
    assert (record.state, record.errors) == (ImportState.REFUSED, 3)


def test_a_thousand_rows_go_on_at_once_and_one_more_does_not(office):
    upload(office, many(1000))
    assert ProductImport.objects.latest("pk").state == ImportState.REVIEW

    upload(office, many(1001))
    assert ProductImport.objects.latest("pk").state == ImportState.READING


@pytest.mark.usefixtures("_small_is_large")
def test_another_worker_takes_up_what_a_killed_one_had_in_hand(office):
    upload(office, many(3))
    long_ago = clock.now() - timedelta(minutes=11)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, worker_ids=["gone"], started_at=long_ago)

    jobs.revive(clock.now())
    jobs.run_due()

    assert ProductImport.objects.get().state == ImportState.REVIEW


@pytest.mark.usefixtures("_small_is_large")
def test_what_a_lost_worker_never_finished_is_called_failed(office):
    upload(office, many(3))

    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        ProductImport.objects.forget(clock.now())
        jobs.run_due()

    record = ProductImport.objects.get()
    assert record.state == ImportState.FAILED
    assert not ImportFile.objects.exists()
    assert "Nothing was imported" in page(office.get(f"{LIST}{record.pk}/change/"))


def test_uploads_that_nobody_confirmed_are_forgotten_after_a_day(office):
    upload(office, f"{HEADER}Loaf,Bread,1\n")
    act(office, "confirm")
    upload(office, f"{HEADER}Loaf,Bread,2\n")

    assert routines.run_due(clock.now() + timedelta(hours=23)) == []
    assert ProductImport.objects.count() == 2
    assert routines.run_due(clock.now() + timedelta(hours=25)) == []

    assert ProductImport.objects.get().state == ImportState.DONE
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_a_killed_web_server_left_is_the_workers_and_leaves_no_file(office, monkeypatch, moment):
    upload(office, f"{HEADER}Loaf,Bread,1\n")

    def die(*args, **kwargs):
        if moment == "after":
            importing.import_products(*args, **kwargs)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(review.apply, "import_products", die)
        with pytest.raises(SystemExit):
            act(office, "confirm")
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        jobs.run_due()

    assert (ProductImport.objects.get().state, Product.objects.count()) == (ImportState.DONE, 1)
    assert not ImportFile.objects.exists()


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_what_is_confirmed_at_the_last_moment_is_not_forgotten(client):
    client.force_login(make_user(role="manager"))
    upload(client, f"{HEADER}Loaf,Bread,1\n")
    a_day_later = clock.now() + timedelta(hours=25)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            confirmed = ProductImport.objects.filter(state=ImportState.REVIEW)
            confirmed.update(state=ImportState.IMPORTING, begun_at=a_day_later)
            forgetting = pool.submit(elsewhere, lambda: ProductImport.objects.forget(a_day_later))
            wait_until_somebody_waits()
        forgetting.result()

    assert ProductImport.objects.get().state == ImportState.IMPORTING


# Who may, and what is refused


@pytest.mark.parametrize("role", ["customer", "cashier", "baker", "driver"])
def test_imports_are_for_managers(db, client, role):
    record = ProductImport.objects.create(
        file_name="a.csv", state=ImportState.REVIEW, begun_at=clock.now(), created=1, plan="x"
    )
    client.force_login(make_user(role=role))

    statuses = {client.get(UPLOAD).status_code, client.get(LIST).status_code}
    statuses |= {client.get(f"{LIST}{record.pk}/{name}/").status_code for name in ("change", "undo")}
    statuses |= {client.post(f"{LIST}{record.pk}/{name}/").status_code for name in ("confirm", "drop", "undo")}

    assert statuses == ({302} if role == "customer" else {403})
    assert ProductImport.objects.get().state == ImportState.REVIEW


def test_one_person_may_be_granted_the_import_alone(db, client):
    user = make_user(role="baker")
    user.user_permissions.add(Permission.objects.get(codename="import_product"))
    client.force_login(user)

    upload(client, f"{HEADER}Loaf,Bread,1\n")
    act(client, "confirm")

    assert Product.objects.get().name == "Loaf"


def test_a_file_that_is_too_large_is_refused(office):
    answer = upload(office, b"x" * (20 * 1024 * 1024 + 1))

    assert told(answer) == ["The file is too large; at most 20 MiB are possible."]
    assert not ProductImport.objects.exists()


def test_an_import_that_is_not_there_is_not_found(office):
    assert office.get(f"{LIST}77/change/").status_code == 404
    assert act(office, "confirm", ProductImport(pk=77)).status_code == 404


def test_the_list_of_imports_costs_the_same_for_many(office, user, queries_do_not_grow):
    def add() -> None:
        ProductImport.objects.create(file_name="a.csv", user=user, state=ImportState.FAILED, begun_at=clock.now())

    queries_do_not_grow(office, LIST, add)
