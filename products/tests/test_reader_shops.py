"""Other shops' exports become our products."""

import csv
import io
import os
from decimal import Decimal
from pathlib import Path

import pytest

from products.reader import read_products
from products.tests.reading import faults, read

WOO = ["ID", "Type", "SKU", "Name", "Published", "Short description", "Description", "Regular price", "Categories"]
WOO += ["Images", "Parent", "Attribute 1 value(s)", "Attribute 2 value(s)", "Attribute 3 value(s)"]
SHOPIFY = ["Handle", "Title", "Body (HTML)", "Type", "Product Category", "Published", "Option1 Value", "Option2 Value"]
SHOPIFY += ["Variant SKU", "Variant Price", "Image Src", "Variant Image", "Status"]
SQUARE = ["Token", "Item Name", "Variation Name", "SKU", "Description", "Categories", "Price", "Archived"]


def export(header: list[str], *rows: dict[str, str], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def woo(**fields: str) -> dict[str, str]:
    names = {"price": "Regular price", "id": "ID", "sku": "SKU", "short": "Short description"}
    return {names.get(name, name.capitalize()): value for name, value in fields.items()}


def only(text: str):
    [row] = read(text).rows
    return row


def test_woocommerce_variations_take_what_they_lack_from_their_parent_wherever_it_stands():
    size = {"Attribute 1 value(s)": "Small", "Attribute 2 value(s)": "Red", "Attribute 3 value(s)": "Box"}
    text = export(
        WOO,
        woo(type="variation", name="Cake", parent="id:7", price="12", published="1") | size,
        woo(id="7", type="variable", name="Cake", published="'-1", categories="Cakes, More", images="c.png, d.png"),
        woo(type="variation, virtual", name="Orphan", parent="nobody", price="5", published="0"),
        woo(type="grouped", name="Box of cakes", published="1"),
    )
    file = read(text)

    assert file.rows == [
        (2, "", "Cake - Small, Red, Box", "Cakes", Decimal("12.00"), "c.png", "", False),
        (4, "", "Orphan", "Uncategorised", Decimal("5.00"), "", "", False),
    ]
    assert (file.errors, file.skipped) == ([], 2)
    assert [(notice.line, notice.column, notice.code) for notice in file.notices] == [
        (3, None, "skipped"),
        (5, None, "skipped"),
    ]


def test_woocommerce_writes_line_ends_commas_and_tags_in_its_own_way():
    row = only(
        export(
            WOO,
            woo(
                type="simple",
                name="Levain",
                price="6,50",
                short="short",
                description=r"<h2>Slow</h2>\n<p>3 &lt; 4<br>days</p><style>p {}</style> C:\\new",
                categories=r"Bread\, fresh > Sourdough,More",
            ),
            delimiter=";",
        )
    )

    assert row.description == "Slow\n\n3 < 4\ndays\n C:\\new"
    assert row.category == "Bread, fresh > Sourdough"
    assert row.active is None


def test_an_export_that_lacks_columns_leaves_those_fields_alone():
    file = read("Type,Name,Regular price\nsimple,Loaf,1\n")

    assert file.columns == {"name", "category", "price"}
    assert file.rows == [(2, "", "Loaf", "Uncategorised", Decimal("1.00"), None, None, None)]


@pytest.mark.parametrize(
    ("published", "status", "active"),
    [
        ("TRUE", "", True),
        ("FALSE", "", False),
        ("", "", None),
        ("TRUE", "Active", True),
        ("", "active", True),
        ("FALSE", "active", False),
        ("TRUE", "draft", False),
        ("TRUE", "archived", False),
    ],
)
def test_a_shopify_product_is_active_when_it_is_published_and_no_draft(published, status, active):
    product = {"Handle": "a", "Title": "Bun", "Variant Price": "1", "Published": published, "Status": status}

    assert only(export(SHOPIFY, product)).active is active


def test_shopify_variants_stand_under_their_handle_with_their_own_picture_and_price():
    first = {
        "Handle": "a",
        "Title": "Bun",
        "Product Category": "Food > Bakery",
        "Option1 Value": "S",
        "Image Src": "a.png",
    }
    file = read(
        export(
            SHOPIFY,
            first | {"Option2 Value": "Red", "Variant Price": "1"},
            {"Handle": "b", "Title": "Loaf", "Variant Price": "2", "Option1 Value": "Default Title"},
            {"Handle": "a", "Option1 Value": "M", "Variant Price": "", "Variant Image": "m.png"},
            {"Handle": "a", "Option1 Value": "L", "Variant Price": "3", "Variant Image": "l.png"},
            {"Handle": "a", "Image Src": "b.png"},
        )
    )

    assert [(row.line, row.name, row.category, row.image) for row in file.rows] == [
        (2, "Bun - S / Red", "Food > Bakery", "a.png"),
        (3, "Loaf", "Uncategorised", ""),
        (5, "Bun - L", "Food > Bakery", "l.png"),
    ]
    assert [(error.line, error.column, error.code) for error in file.errors] == [(4, "price", "required")]
    assert [notice.line for notice in file.notices] == [6]


def test_square_items_are_named_after_their_variation_unless_it_is_the_regular_one():
    file = read(
        export(
            SQUARE,
            {
                "Item Name": "Cake",
                "Variation Name": "REGULAR",
                "Price": "$3.50",
                "Archived": "N",
                "Categories": "Cakes, X",
            },
            {"Item Name": "Cake", "Variation Name": "Large", "Price": "£4,250.00"},
            {"Item Name": "Bun", "Price": "1", "Archived": "Y"},
        )
    )

    assert [(row.name, row.category, row.price, row.active, row.image) for row in file.rows] == [
        ("Cake", "Cakes", Decimal("3.50"), True, None),
        ("Bun", "Uncategorised", Decimal("1.00"), False, None),
    ]
    assert [(error.line, error.column, error.code) for error in file.errors] == [(3, "price", "invalid_price")]


def test_our_own_columns_win_over_another_shops():
    file = read("Type,Name,Regular price,Category,Price\nvariable,Loaf,9,Bread,1\n")

    assert [(row.name, row.price) for row in file.rows] == [("Loaf", Decimal("1.00"))]


def test_a_variant_whose_product_is_not_in_the_file_has_no_name():
    assert faults("Handle,Title,Option1 Value,Variant Price\na,,Small,1\n") == [(2, "name", "required")]
    assert faults("Item Name,Variation Name,Price\n,Large,1\n") == [(2, "name", "required")]


def test_a_cell_beyond_the_header_of_a_shops_export_is_refused():
    assert faults("Type,Name,Regular price\nsimple,Loaf,6,50\nsimple,Bun,1,,\n") == [(2, None, "too_many_columns")]


def test_a_column_that_a_shops_export_holds_twice_is_refused():
    assert faults("Type,Name,Regular price,Regular Price\nsimple,Loaf,1,2\n") == [
        (1, "regular price", "duplicate_column")
    ]


@pytest.mark.skipif("SHARED_DIR" not in os.environ, reason="SHARED_DIR, where real exports lie, is not set")
def test_real_exports_are_read_as_they_are():
    paths = sorted((Path(os.environ["SHARED_DIR"]) / "data" / "shop-exports").glob("*.csv"))
    assert paths
    for path in paths:
        file = read_products(path, filename=path.name)
        assert (file.errors, file.clashes) == ([], {})
        assert file.rows
