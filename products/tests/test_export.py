"""GET /api/products/export: harmless in a spreadsheet, and unchanged when it comes back."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from products.models import Product
from products.tests.factories import make_category, make_product

URL = "/api/products/export"
ODD = ["=1+1", "+1", "-1", "@sum", "'=1", "'quoted' bun", "007", "1.50", "true", "a;b,c", '"x"', "Crème", "2026-01-01"]


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def content_of(answer) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def test_the_export_is_a_csv_file_with_the_columns_of_an_import(manager):
    make_product(category=make_category(name="Bread"), sku="A1", name="Loaf", description="a\nb", image_source="a.png")
    make_product(category=make_category(name="Cakes"), name="=Tart", price="12", is_active=False)

    answer = manager.get(URL)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="products-' in answer["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(content_of(answer).decode("utf-8-sig"))))
    assert rows == [
        ["sku", "name", "category", "price", "image", "description", "active"],
        ["A1", "Loaf", "Bread", "1.30", "a.png", "a\nb", "true"],
        ["", "'=Tart", "Cakes", "12.00", "", "", "false"],
    ]


def test_the_workbook_holds_prices_as_numbers_and_all_else_as_text(manager):
    make_product(category=make_category(name="Bread"), sku="007", name="=Loaf", price="1.30")

    book = load_workbook(io.BytesIO(content_of(manager.get(URL, {"as": "xlsx"}))))

    cells = list(book.active)[1]
    assert [cell.value for cell in cells] == ["007", "'=Loaf", "Bread", 1.3, None, None, "true"]
    assert [cell.data_type for cell in cells[:4]] == ["s", "s", "s", "n"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_control_character_in_a_product_does_not_keep_the_others_from_their_export(manager, form):
    product = make_product(category=make_category(name="Bread"), name="Loaf")
    Product.objects.filter(pk=product.pk).update(description="Dark\x0b and\x01 long", name="\x07=Loaf")

    file = SimpleUploadedFile(f"products.{form}", content_of(manager.get(URL, {"as": form})))
    manager.post("/api/products/import", {"file": file}, format="multipart")

    assert Product.objects.get(name="=Loaf").description == "Dark and long"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_comes_back_unchanged(manager, form):
    for number, text in enumerate(ODD):
        make_product(category=make_category(name=text), name=text, price=f"{number}.10", description=f"{text}\n\ttwo")
        make_product(category=make_category(), sku=text, name="Same", is_active=bool(number % 2))
    bread = make_category(name="Bread")
    for sku in ("", "A", "B"):
        make_product(category=bread, name="Loaf", sku=sku)
    before = list(Product.objects.order_by("pk").values())

    file = SimpleUploadedFile(f"products.{form}", content_of(manager.get(URL, {"as": form})))
    answer = manager.post("/api/products/import", {"file": file}, format="multipart")

    assert answer.status_code == 200, answer.content
    assert answer.json()["data"]["unchanged"] == len(before)
    assert list(Product.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(("query", "field"), [("as=pdf", "as"), ("as=", "as"), ("form=csv", "form")])
def test_a_bad_parameter_is_refused_by_name(manager, query, field):
    answer = manager.get(f"{URL}?{query}")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_any_kind_of_file_may_be_accepted(manager):
    assert content_of(manager.get(URL, headers={"Accept": "text/csv"})).startswith(b"\xef\xbb\xbfsku,")
