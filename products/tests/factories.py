from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from products.models import EVERY_DAY, Allergen, Category, Diet, Place, Product, VatClass, VatRate, to_mask

_numbers = count(1)
_SETS = {
    "weekdays": ("weekday_mask", EVERY_DAY),
    "allergens": ("allergen_mask", Allergen.values),
    "may_contain": ("may_contain_mask", Allergen.values),
    "diets": ("diet_mask", Diet.values),
}


def make_category(**fields: Any) -> Category:
    number = next(_numbers)
    return Category.objects.create(**{"name": f"Category {number}", "slug": f"category-{number}", **fields})


def make_vat_class(*, takeaway: str | None = None, eat_in: str | None = None, **fields: Any) -> VatClass:
    """Make a VAT class; the given rates are valid from 2020 on."""
    number = next(_numbers)
    vat_class = VatClass.objects.create(**{"slug": f"class-{number}", "name": f"Class {number}", **fields})
    for place, rate in ((Place.TAKEAWAY, takeaway), (Place.EAT_IN, eat_in)):
        if rate is not None:
            make_vat_rate(vat_class=vat_class, place=place, rate=rate)
    return vat_class


def make_vat_rate(*, vat_class: VatClass, rate: str, valid_from: date = date(2020, 1, 1), **fields: Any) -> VatRate:
    return VatRate.objects.create(
        vat_class=vat_class, rate=Decimal(rate), valid_from=valid_from, **{"place": Place.TAKEAWAY, **fields}
    )


def make_product(**fields: Any) -> Product:
    """Make a product; `weekdays`, `allergens`, `may_contain` and `diets` are given as the API shows them."""
    number = next(_numbers)
    for name, (mask, among) in _SETS.items():
        if name in fields:
            fields[mask] = to_mask(fields.pop(name), among)
    fields.setdefault("category", None)
    fields["category"] = fields["category"] or make_category()
    fields["price"] = Decimal(fields.get("price", "1.30"))
    if "vat_class" not in fields:
        fields["vat_class"] = VatClass.objects.get_or_create(slug="standard", defaults={"name": "Standard"})[0]
    return Product.objects.create(**{"name": f"Product {number}", "slug": f"product-{number}", **fields})
