from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from products import services
from products.models import Category, Place, Product, VatClass, VatRate

_numbers = count(1)


def make_category(**fields: Any) -> Category:
    return services.create_category(**{"name": f"Category {next(_numbers):06}", **fields})


def make_vat_class(*, takeaway: str | None = None, eat_in: str | None = None, **fields: Any) -> VatClass:
    """Make a VAT class; the given rates are valid from 2020 on."""
    number = next(_numbers)
    vat_class = services.create_vat_class(**{"slug": f"class-{number}", "name": f"Class {number}", **fields})
    for place, rate in ((Place.TAKEAWAY, takeaway), (Place.EAT_IN, eat_in)):
        if rate is not None:
            make_vat_rate(vat_class=vat_class, place=place, rate=rate)
    return vat_class


def make_vat_rate(
    *, vat_class: VatClass, rate: str, valid_from: date = date(2020, 1, 1), place: Place = Place.TAKEAWAY
) -> VatRate:
    return services.add_vat_rate(vat_class=vat_class, place=place, rate=Decimal(rate), valid_from=valid_from)


def make_product(*, category: Category | None = None, price: str | Decimal = "1.30", **fields: Any) -> Product:
    """Make a product; `weekdays`, `allergens`, `may_contain` and `diets` are given as the API shows them."""
    fields = {"name": f"Product {next(_numbers)}", **fields}
    return services.create_product(category=category or make_category(), price=Decimal(price), **fields)
