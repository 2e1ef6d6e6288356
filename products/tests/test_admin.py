"""The catalogue in the admin: every change goes through the services."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import make_user
from bakery import clock
from products import selectors, services
from products.admin.catalogue import ProductAdmin
from products.models import CapacityGroup, CapacityOverride, Category, PriceChange, Product, VatClass
from products.tests.factories import make_category, make_product, make_vat_class
from products.tests.pictures import drawn, files

ADD, LIST = "/admin/products/product/add/", "/admin/products/product/"


@pytest.fixture
def user(db):
    return make_user(role="manager")


@pytest.fixture
def office(client: Client, user) -> Client:
    client.force_login(user)
    return client


def page_of(product: Product) -> str:
    return reverse("admin:products_product_change", args=[product.pk])


def filled(office: Client, url: str, **changes: Any) -> dict[str, Any]:
    """What the page's form would send, with `changes`."""
    context = office.get(url).context
    data: dict[str, Any] = {}
    for form in [context["adminform"].form, *(f for fs in context["inline_admin_formsets"] for f in fs.formset.forms)]:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False and not isinstance(value, FieldFile):
                data[bound.html_name] = value
    for inline in context["inline_admin_formsets"]:
        for bound in inline.formset.management_form:
            data[bound.html_name] = bound.value()
    return {name: value for name, value in (data | changes).items() if value is not None}


def told(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_a_product_is_made_with_sets_and_targets(office, user):
    category = make_category(name="Bread")
    before = services.revision_on(clock.today())
    data = filled(
        office, ADD, name="Stollen", category=category.pk, price="12.00", vat_class=VatClass.objects.get().pk,
        weekdays=["5", "6"], allergens=["gluten", "nuts"], diets=["vegetarian"], is_active="on",
    )  # fmt: skip
    data |= {"targets-TOTAL_FORMS": 1, "targets-0-weekday": 6, "targets-0-quantity": 20}

    answer = office.post(ADD, data)

    assert answer.status_code == 302, answer.context["errors"]
    product = Product.objects.get()
    assert (product.slug, product.weekdays, product.allergens) == ("stollen", [5, 6], ["gluten", "nuts"])
    assert (product.diets, product.may_contain, product.is_baked) == (["vegetarian"], [], True)
    assert selectors.targets_of(product.pk) == {6: 20}
    assert product.history.get().history_user == user
    assert services.revision_on(clock.today()) > before


def test_a_change_counts_the_version_up_and_leaves_the_rest_alone(office, user):
    product = make_product(name="Roll", allergens=["eggs"], weekdays=[1, 2], image_source="a.png")

    answer = office.post(page_of(product), filled(office, page_of(product), name="Bun", allergens=["milk"]))

    assert answer.status_code == 302
    product.refresh_from_db()
    assert (product.name, product.slug, product.allergens, product.weekdays) == ("Bun", "roll", ["milk"], [1, 2])
    assert (product.version, product.image_source) == (2, "a.png")
    assert product.history.first().history_user == user


def test_saving_without_a_change_changes_nothing(office):
    product = make_product(allergens=["eggs"])

    office.post(page_of(product), filled(office, page_of(product)))

    product.refresh_from_db()
    assert (product.version, product.history.count()) == (1, 1)


def test_a_form_that_is_out_of_date_changes_nothing(office):
    product = make_product(name="Roll")
    data = filled(office, page_of(product), name="Mine")
    office.post(page_of(product), filled(office, page_of(product), name="Theirs"))

    answer = office.post(page_of(product), data, follow=True)

    product.refresh_from_db()
    assert product.name == "Theirs"
    assert told(answer)[-1:] == ["It was changed in the meantime. Read it again and repeat your change."]


def test_a_refusal_is_told_and_changes_nothing(office):
    product = make_product()
    data = filled(office, page_of(product), available_from="2026-02-01", available_until="2026-01-01")

    answer = office.post(page_of(product), data, follow=True)

    product.refresh_from_db()
    assert product.version == 1
    assert b"season" in answer.content


@pytest.mark.parametrize("field", ["name", "sku", "unit", "description", "image_source"])
def test_a_control_character_is_refused_as_in_the_api(office, field):
    product = make_product(name="Roll")

    answer = office.post(page_of(product), filled(office, page_of(product), **{field: "a\x07b"}), follow=True)

    product.refresh_from_db()
    assert (product.name, product.version) == ("Roll", 1)
    assert told(answer)[-1:] == ["It holds a control character."]


def test_a_control_character_in_a_category_is_refused_as_in_the_api(office):
    office.post("/admin/products/category/add/", {"name": "Bre\u202ead", "slug": "bread", "position": 0})

    assert not Category.objects.exists()


def test_a_duplicate_is_told_in_the_form(office):
    make_product(name="Other", sku="A1")
    product = make_product(sku="B1")

    answer = office.post(page_of(product), filled(office, page_of(product), sku="A1"))

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors


def test_an_old_list_takes_back_nothing_that_others_have_changed(office):
    product, category = make_product(price="1.40", is_active=False), make_category(position=5)
    shown = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save"}

    office.post(LIST, shown | {"form-0-id": product.pk, "form-0-price": "1.30", "form-0-is_active": "on"})
    office.post("/admin/products/category/", shown | {"form-0-id": category.pk, "form-0-position": 1})

    product.refresh_from_db()
    category.refresh_from_db()
    assert (product.price, product.is_active, product.version) == (Decimal("1.40"), False, 1)
    assert (category.position, category.version) == (5, 1)


def test_products_are_found_by_name_sku_category_and_state(office):
    make_product(name="Roll", sku="R-1", category=make_category(name="Bread"))
    make_product(name="Tart", is_active=False)

    def shown(query: str) -> set[str]:
        return {product.name for product in office.get(f"{LIST}?{query}").context["cl"].result_list}

    assert shown("") == {"Roll", "Tart"}
    assert shown("q=r-1") == {"Roll"}
    assert shown("is_active__exact=0") == {"Tart"}
    assert shown(f"category__id__exact={Category.objects.get(name='Bread').pk}") == {"Roll"}


def test_the_list_costs_as_many_queries_for_many_products_as_for_few(office, queries_do_not_grow):
    category = make_category()
    queries_do_not_grow(office, LIST, lambda: make_product(category=category))


@pytest.mark.parametrize(("action", "before"), [("put_on_sale", False), ("take_off_sale", True)])
def test_products_are_put_on_and_taken_off_sale(office, action, before):
    product = make_product(is_active=before)

    office.post(LIST, {"action": action, "_selected_action": [product.pk]})

    product.refresh_from_db()
    assert (product.is_active, product.version) == (not before, 2)


def test_a_product_is_deleted_from_the_list_and_its_page(office):
    first, second = make_product(), make_product()

    office.post(LIST, {"action": "delete_selected", "_selected_action": [first.pk], "post": "yes"})
    office.post(reverse("admin:products_product_delete", args=[second.pk]), {"post": "yes"})

    assert not Product.objects.exists()


def test_a_picture_is_drawn_anew_replaced_and_taken_away(
    office, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.MEDIA_ROOT = tmp_path
    product = make_product()
    image = SimpleUploadedFile("x.jpg", drawn("JPEG", comment=b"secret note"))

    with django_capture_on_commit_callbacks(execute=True):
        office.post(page_of(product), filled(office, page_of(product), image=image))
    product.refresh_from_db()
    assert re.fullmatch(r"products/[0-9a-f]{32}\.jpg", product.image.name)
    assert b"secret" not in product.image.read()
    product.image.close()

    office.post(page_of(product), filled(office, page_of(product), **{"image-clear": "on"}))
    product.refresh_from_db()
    assert product.image.name == ""


def test_a_page_that_fails_after_all_leaves_no_picture(office, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    product = make_product()
    form = filled(office, page_of(product), image=SimpleUploadedFile("x.jpg", drawn("JPEG")))

    def fail(*_):
        raise SystemExit

    monkeypatch.setattr(ProductAdmin, "log_change", fail)
    with pytest.raises(SystemExit):
        office.post(page_of(product), form)

    assert files(tmp_path) == []


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_cannot_be_stored_is_told_and_the_rest_is_saved(office, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    product = make_product(name="Roll")
    form = filled(office, page_of(product), name="Bun", image=SimpleUploadedFile("x.jpg", drawn("JPEG")))
    monkeypatch.setattr(FileSystemStorage, "_save", lambda *_: 1 / 0)

    answer = office.post(page_of(product), form, follow=True)

    product.refresh_from_db()
    assert (product.name, product.image.name) == ("Bun", "")
    assert "The picture: Pictures cannot be stored at the moment. Try again later." in told(answer)


def test_a_picture_of_more_than_5_mib_is_refused_as_in_the_api(office, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    product = make_product()
    upload = SimpleUploadedFile("x.jpg", drawn("JPEG") + bytes(5 * 1024 * 1024))

    answer = office.post(page_of(product), filled(office, page_of(product), image=upload), follow=True)

    assert told(answer) == ["The picture is too large; at most 5 MiB are possible."]
    product.refresh_from_db()
    assert product.image.name == ""


def test_a_price_below_nothing_is_refused_at_its_field_in_plain_words(office):
    product = make_product(price="1.30")

    answer = office.post(page_of(product), filled(office, page_of(product), price="-1"))

    errors = answer.context["adminform"].form.errors
    assert errors == {"price": ["Ensure this value is greater than or equal to 0."]}
    assert Product.objects.get().price == Decimal("1.30")


def test_history_is_shown(office):
    product = make_product(name="Roll")
    office.post(page_of(product), filled(office, page_of(product), name="Bun"))

    page = office.get(reverse("admin:products_product_history", args=[product.pk]))

    assert page.status_code == 200
    assert b"Bun" in page.content


# Categories, VAT, capacity


def test_categories_are_made_changed_moved_and_deleted(office):
    office.post("/admin/products/category/add/", {"name": "Pâtisserie", "slug": "", "position": 3})
    category = Category.objects.get()
    url = reverse("admin:products_category_change", args=[category.pk])
    assert (category.slug, category.position) == ("patisserie", 3)

    office.post(url, filled(office, url, name="Cakes"))
    category.refresh_from_db()
    assert (category.name, category.slug, category.version) == ("Cakes", "patisserie", 2)

    office.post(url, filled(office, url, position=1))
    category.refresh_from_db()
    assert (category.position, category.version) == (1, 3)

    office.post(reverse("admin:products_category_delete", args=[category.pk]), {"post": "yes"})
    assert not Category.objects.exists()


def test_a_category_of_the_same_name_is_refused_in_words(office):
    make_category(name="Éclairs")

    answer = office.post("/admin/products/category/add/", {"name": "éclairs", "position": 0}, follow=True)

    assert "There is already a category with this name." in answer.content.decode()
    assert Category.objects.count() == 1


def test_a_new_rate_shows_in_the_catalogue_at_once(office, api_as):
    vat_class = make_vat_class()
    product = make_product(vat_class=vat_class)
    guest = api_as(None)
    tag = guest.get("/api/products")["ETag"]
    url = reverse("admin:products_vatclass_change", args=[vat_class.pk])
    rate = {"rates-0-place": "takeaway", "rates-0-rate": "5.50", "rates-0-valid_from": "2020-01-01"}

    answer = office.post(url, filled(office, url) | {"rates-TOTAL_FORMS": 1} | rate)

    assert answer.status_code == 302
    listed = guest.get("/api/products", headers={"If-None-Match": tag})
    assert [(p["id"], p["vat_rate"]) for p in listed.json()["data"]] == [(product.pk, "5.50")]


@pytest.mark.django_db(transaction=True)
def test_vat_classes_are_deleted_from_the_list(client):
    client.force_login(make_user(role="manager"))
    before = services.revision_on(clock.today())
    chosen = [make_vat_class(takeaway="5.50").pk, make_vat_class().pk]
    wanted = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}

    answer = client.post("/admin/products/vatclass/", wanted)

    assert answer.status_code == 302
    assert not VatClass.objects.filter(pk__in=chosen).exists()
    assert services.revision_on(clock.today()) > before


def test_capacity_groups_and_their_days_are_kept(office):
    url = "/admin/products/capacitygroup/add/"
    day = {"overrides-0-day": "2026-12-24", "overrides-0-capacity": "900"}

    office.post(url, filled(office, url, name="Oven", daily_capacity=400) | {"overrides-TOTAL_FORMS": 1} | day)
    override = CapacityOverride.objects.get()
    assert (override.group, override.day, override.capacity) == (CapacityGroup.objects.get(), date(2026, 12, 24), 900)

    product = make_product()
    office.post("/admin/products/capacityoverride/add/", {"product": product.pk, "day": "2026-12-24", "capacity": 5})
    assert product.overrides.get().capacity == 5
    assert office.get("/admin/products/capacityoverride/").status_code == 200


@pytest.mark.parametrize(
    "model", ["product", "category", "vatclass", "capacitygroup", "capacityoverride", "productimport"]
)
def test_who_may_see_what_in_the_admin(db, client, model):
    statuses = []
    for role in ("customer", "cashier", "baker", "driver", "manager", "admin"):
        client.force_login(make_user(role=role))
        statuses.append(client.get(f"/admin/products/{model}/").status_code)

    staff = 200 if model in ("product", "category") else 403
    assert statuses == [302, staff, staff, staff, 200, 200]


# Import and export


@pytest.mark.parametrize(("form", "start"), [("0", b"\xef\xbb\xbfsku,name"), ("1", b"PK")])
def test_what_is_listed_can_be_exported(office, form, start):
    make_product(name="Loaf")
    make_product(name="Hidden", is_active=False)
    url = "/admin/products/product/export/?is_active__exact=1"
    assert office.get(url).status_code == 200

    answer = office.post(url, {"format": form, "resource": "0"})

    assert answer.content.startswith(start)
    if form == "0":
        assert b"Loaf" in answer.content
        assert b"Hidden" not in answer.content


@pytest.mark.parametrize("path", ["import/", "export/"])
def test_import_and_export_are_for_managers(db, client, path):
    statuses = []
    for role in ("customer", "cashier", "baker", "driver", "manager", "admin"):
        client.force_login(make_user(role=role))
        statuses.append(client.get(f"/admin/products/product/{path}").status_code)

    assert statuses == [302, 403, 403, 403, 200, 200]


@pytest.fixture
def friday(time_machine):
    time_machine.move_to(datetime(2026, 11, 27, 11, tzinfo=UTC), tick=False)


def planned(office, product, day: str, price: str = "1.40") -> dict[str, Any]:
    plan = {"price_changes-TOTAL_FORMS": 1, "price_changes-0-valid_from": day, "price_changes-0-price": price}
    return filled(office, page_of(product)) | plan


def test_a_price_is_planned_and_taken_back_on_the_page_of_its_product(friday, office, user):
    product = make_product(price="1.30")

    assert office.post(page_of(product), planned(office, product, "2026-11-30")).status_code == 302
    plan = PriceChange.objects.get()
    assert (plan.valid_from, plan.price, plan.user) == (date(2026, 11, 30), Decimal("1.40"), user)
    page = office.get(page_of(product)).text
    assert "1.40 from 2026-11-30" in page
    assert "1.30 since 2026-11-27 12:00" in page

    data = filled(office, page_of(product)) | {"price_changes-0-DELETE": "on"}
    assert office.post(page_of(product), data).status_code == 302
    assert not PriceChange.objects.exists()


def test_the_page_of_the_day_shows_the_new_price(friday, office, user, time_machine):
    product = make_product(price="1.30")
    office.post(page_of(product), planned(office, product, "2026-11-30"))
    time_machine.move_to(datetime(2026, 11, 29, 23, tzinfo=UTC), tick=False)
    office.force_login(user)

    assert "1.40" in office.get(LIST).text
    page = office.get(page_of(product)).text
    assert re.search(r"1\.40 since 2026-11-30 00:00, by \w+<br>1\.30 since 2026-11-27 12:00", page)
    assert office.post(page_of(product), filled(office, page_of(product))).status_code == 302
    assert PriceChange.objects.get().price == Decimal("1.40")


@pytest.mark.parametrize(
    ("day", "words"), [("2026-11-26", "2026-11-27"), ("2026-12-24", "duplicate"), ("9999-01-01", "2199")]
)
def test_a_plan_that_cannot_be_is_told_and_changes_nothing(friday, office, day, words):
    product = make_product(price="1.30")
    services.plan_price(product_id=product.pk, price=Decimal(2), valid_from=date(2026, 12, 24), actor=None)
    data = filled(office, page_of(product)) | {
        "price_changes-TOTAL_FORMS": 2, "price_changes-1-valid_from": day, "price_changes-1-price": "1.40",
    }  # fmt: skip

    answer = office.post(page_of(product), data, follow=True)

    assert words in answer.text
    assert PriceChange.objects.count() == 1


def test_a_second_price_for_today_is_told_and_changes_nothing(friday, office):
    product = make_product(price="1.30")
    office.post(page_of(product), planned(office, product, "2026-11-27"))

    answer = office.post(page_of(product), planned(office, product, "2026-11-27", "1.50"), follow=True)

    assert "There is already a price" in answer.text
    product.refresh_from_db()
    assert product.price == Decimal("1.40")
