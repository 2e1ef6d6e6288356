"""The catalogue: what is sold, at what price and VAT, on which days, and how much of it a day can bear."""

from products.models.capacity import MOST_PIECES, CapacityGroup, CapacityOverride
from products.models.category import LAST_POSITION, Category
from products.models.food import Allergen, Diet
from products.models.imports import GIVEN_UP_AFTER, ImportFile, ImportPage, ImportState, ProductImport
from products.models.masks import from_mask, to_mask
from products.models.prices import PriceChange
from products.models.product import CATALOGUE, EVERY_DAY, WEEKDAYS, Product, ProductQuerySet, ProductTarget
from products.models.vat import STANDARD, Place, VatClass, VatRate, contained_vat

__all__ = [
    "CATALOGUE",
    "EVERY_DAY",
    "GIVEN_UP_AFTER",
    "LAST_POSITION",
    "MOST_PIECES",
    "STANDARD",
    "WEEKDAYS",
    "Allergen",
    "CapacityGroup",
    "CapacityOverride",
    "Category",
    "Diet",
    "ImportFile",
    "ImportPage",
    "ImportState",
    "Place",
    "PriceChange",
    "Product",
    "ProductImport",
    "ProductQuerySet",
    "ProductTarget",
    "VatClass",
    "VatRate",
    "contained_vat",
    "from_mask",
    "to_mask",
]
