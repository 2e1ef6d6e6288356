"""Everything that changes the catalogue."""

from products.services.catalogue import (
    add_vat_rate,
    create_category,
    create_product,
    create_vat_class,
    remove_category,
    remove_image,
    remove_product,
    set_image,
    set_targets,
    standard_class,
    touch_catalogue,
    update_category,
    update_product,
)

__all__ = [
    "add_vat_rate",
    "create_category",
    "create_product",
    "create_vat_class",
    "remove_category",
    "remove_image",
    "remove_product",
    "set_image",
    "set_targets",
    "standard_class",
    "touch_catalogue",
    "update_category",
    "update_product",
]
