"""The back office of the catalogue."""

from products.admin.catalogue import (
    CapacityGroupAdmin,
    CapacityOverrideAdmin,
    CategoryAdmin,
    ProductAdmin,
    VatClassAdmin,
)
from products.admin.imports import ProductImportAdmin

__all__ = [
    "CapacityGroupAdmin",
    "CapacityOverrideAdmin",
    "CategoryAdmin",
    "ProductAdmin",
    "ProductImportAdmin",
    "VatClassAdmin",
]
