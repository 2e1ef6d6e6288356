"""The product exports of other shop systems, turned into our columns.

The mapping of a shop takes each record as fields under its own short names, and yields the cells of a product
in the order of ``COLUMNS``, or a notice on why a record is none. The cells are checked afterwards like any.
"""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple, TypeAlias

from products.reader.cells import INVISIBLE, clean_text
from products.reader.errors import CellError
from products.reader.table import Record, is_blank

COLUMNS = ("sku", "name", "category", "price", "image", "description", "active")
NO_CATEGORY = "Uncategorised"

Fields: TypeAlias = dict[str, str]
Rows: TypeAlias = Iterator[tuple[int, Fields]]
Products: TypeAlias = Iterator[Record | CellError]

SCRIPT = re.compile(r"<(script|style)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE)
END_OF_BLOCK = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])\s*>", re.IGNORECASE)
TAG = re.compile(r"<[/!]?[a-z-][^<>]*>", re.IGNORECASE)
THREE_LINE_ENDS = re.compile(r"\n\s*\n\s*\n")
WOO_LINE_END = re.compile(r"(\\?)\\n")
WOO_COMMA = re.compile(r"(?<!\\),")


class Shop(NamedTuple):
    """How the export of one shop system is recognised and read."""

    marks: frozenset[str]
    """Column names that together tell this export from any other file."""
    fields: dict[str, str]
    """The columns that are read, and what the mapping calls them."""
    sources: dict[str, tuple[str, ...]]
    """Our columns that may be absent, and the fields that each of them is made of."""
    products: Callable[[Rows], Products]


def recognise(header: list[str]) -> Shop | None:
    """Say which shop's export this is, if any. A header with all that we require ourselves is never one."""
    names = set(header)
    if names.issuperset(("name", "category", "price")):
        return None
    return next((shop for shop in SHOPS if shop.marks <= names), None)


def columns_of(shop: Shop, header: list[str]) -> frozenset[str]:
    """Tell which of our columns this file of the shop fills."""
    present = {shop.fields[name] for name in header if name in shop.fields}
    filled = {column for column, sources in shop.sources.items() if present.intersection(sources)}
    return frozenset({"name", "category", "price"} | filled)


def products_of(shop: Shop, header: list[str], records: Iterator[Record]) -> Products:
    """Read the records of a shop's export as products."""
    absent = dict.fromkeys(shop.fields.values(), "")
    places = [(at, shop.fields[name]) for at, name in enumerate(header) if name in shop.fields]

    def rows() -> Rows:
        for line, cells in records:
            if not is_blank(cells):
                given = {field: cells[at].strip(INVISIBLE) for at, field in places if at < len(cells)}
                yield line, absent | given

    return shop.products(rows())


def plain_text(html: str) -> str:
    """Take the tags off a description; paragraphs become lines."""
    if "<" not in html and "&" not in html:
        return html
    text = unescape(TAG.sub("", END_OF_BLOCK.sub("\n", SCRIPT.sub("", html))))
    return THREE_LINE_ENDS.sub("\n\n", text.strip(INVISIBLE))


def _named(title: str, variant: str) -> str:
    """Name a variant; without a title it has no name, which is then reported."""
    return f"{title} - {variant}" if title and variant else title


def _woocommerce(rows: Rows) -> Products:
    """Variations take from their parent what they lack; the parent itself has no price and is no product."""
    found = list(rows)
    parents: dict[str, Fields] = {}
    for _, fields in found:
        if "variable" in _woo_types(fields):
            parents[f"id:{fields['id']}"] = fields
            if fields["sku"]:
                parents[fields["sku"]] = fields
    for line, fields in found:
        types = _woo_types(fields)
        if not types.isdisjoint(("variable", "grouped")):
            yield CellError(
                line, None, "skipped", "This product has no price of its own; its variations or parts have theirs."
            )
            continue
        parent = parents.get(fields["parent"], {}) if "variation" in types else {}
        yield line, _woo_cells(fields, parent)


def _woo_cells(fields: Fields, parent: Fields) -> list[str]:
    def own_or_parents(field: str) -> str:
        return fields[field] or parent.get(field, "")

    name = own_or_parents("name")
    if name == parent.get("name"):
        # WooCommerce names a variation after its parent alone when it has three attributes or more.
        values = ", ".join(value for field, value in fields.items() if field.startswith("attribute") and value)
        name = _named(name, values)
    description = own_or_parents("description") or own_or_parents("short description")
    description = WOO_LINE_END.sub(lambda match: "\\n" if match[1] else "\n", description)
    category, image = (WOO_COMMA.split(own_or_parents(field))[0].strip() for field in ("categories", "images"))
    active = _woo_active(fields)
    if parent and _woo_active(parent) == "0":
        active = "0"
    return [
        fields["sku"],
        name,
        category.replace("\\,", ",") or NO_CATEGORY,
        fields["price"],
        image,
        plain_text(description),
        active,
    ]


def _woo_types(fields: Fields) -> set[str]:
    return {part.strip() for part in fields["type"].lower().split(",")}


def _woo_active(fields: Fields) -> str:
    """1 is published, 0 private and -1 a draft, which WooCommerce itself writes with an apostrophe."""
    text = clean_text(fields["published"])
    return "0" if text == "-1" else text


def _shopify(rows: Rows) -> Products:
    """Rows of one handle are variants of the product that the first of them describes, or further pictures."""
    products: dict[str, Fields] = {}
    for line, fields in rows:
        options = [fields[option] for option in ("option 1", "option 2", "option 3") if fields[option]]
        if not (fields["title"] or fields["sku"] or fields["price"] or options):
            yield CellError(line, None, "skipped", "This row only brings a further picture of a product.")
            continue
        if fields["title"]:
            products[fields["handle"]] = fields
        product = products.get(fields["handle"], fields)
        variant = "" if options == ["Default Title"] else " / ".join(options)
        yield (
            line,
            [
                fields["sku"],
                _named(product["title"], variant),
                product["type"] or product["category"] or NO_CATEGORY,
                fields["price"],
                fields["variant image"] or product["image"],
                plain_text(product["description"]),
                _shopify_active(product),
            ],
        )


def _shopify_active(product: Fields) -> str:
    """Draft, archived and unlisted products are not for the public; nor is what is not in the online shop."""
    status = product["status"].lower()
    if status in ("draft", "archived", "unlisted"):
        return "no"
    if status in ("active", ""):
        return product["published"] or ("yes" if status else "")
    return status


def _square(rows: Rows) -> Products:
    for line, fields in rows:
        variation = "" if fields["variation"].lower() == "regular" else fields["variation"]
        categories = fields["categories"].split(",")[0].strip()
        yield (
            line,
            [
                fields["sku"],
                _named(fields["name"], variation),
                fields["category"] or categories or fields["reporting category"] or NO_CATEGORY,
                fields["price"],
                "",
                plain_text(fields["description"]),
                {"y": "no", "n": "yes"}.get(fields["archived"].lower(), fields["archived"]),
            ],
        )


SHOPIFY_SOURCES = {
    "sku": ("sku",),
    "image": ("image", "variant image"),
    "description": ("description",),
    "active": ("published", "status"),
}

SHOPS = (
    Shop(
        marks=frozenset({"type", "name", "regular price"}),
        fields={
            "id": "id",
            "type": "type",
            "sku": "sku",
            "name": "name",
            "published": "published",
            "short description": "short description",
            "description": "description",
            "regular price": "price",
            "categories": "categories",
            "images": "images",
            "parent": "parent",
            **{f"attribute {number} value(s)": f"attribute {number}" for number in range(1, 10)},
        },
        sources={
            "sku": ("sku",),
            "image": ("images",),
            "description": ("description", "short description"),
            "active": ("published",),
        },
        products=_woocommerce,
    ),
    Shop(
        marks=frozenset({"handle", "title", "variant price"}),
        fields={
            "handle": "handle",
            "title": "title",
            "body (html)": "description",
            "type": "type",
            "product category": "category",
            "published": "published",
            "status": "status",
            "option1 value": "option 1",
            "option2 value": "option 2",
            "option3 value": "option 3",
            "variant sku": "sku",
            "variant price": "price",
            "image src": "image",
            "variant image": "variant image",
        },
        sources=SHOPIFY_SOURCES,
        products=_shopify,
    ),
    Shop(
        marks=frozenset({"url handle", "title", "price"}),
        fields={
            "url handle": "handle",
            "title": "title",
            "description": "description",
            "type": "type",
            "product category": "category",
            "published on online store": "published",
            "status": "status",
            "option1 value": "option 1",
            "option2 value": "option 2",
            "option3 value": "option 3",
            "sku": "sku",
            "price": "price",
            "product image url": "image",
            "variant image url": "variant image",
        },
        sources=SHOPIFY_SOURCES,
        products=_shopify,
    ),
    Shop(
        marks=frozenset({"item name", "variation name", "price"}),
        fields={
            "item name": "name",
            "variation name": "variation",
            "sku": "sku",
            "description": "description",
            "category": "category",
            "categories": "categories",
            "reporting category": "reporting category",
            "price": "price",
            "archived": "archived",
        },
        sources={"sku": ("sku",), "description": ("description",), "active": ("archived",)},
        products=_square,
    ),
)

KNOWN_COLUMNS = frozenset(COLUMNS).union(*(shop.fields for shop in SHOPS))
