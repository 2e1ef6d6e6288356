"""Everything that changes the catalogue."""

from products.services.catalogue import (
    add_vat_rate,
    create_category,
    create_product,
    create_vat_class,
    give_image,
    remove_category,
    remove_image,
    remove_product,
    set_image,
    set_targets,
    standard_class,
    update_category,
    update_product,
)
from products.services.prices import plan_price, withdraw_price
from products.services.rates import load_vat
from products.services.revision import await_next_price, revision_on, touch_catalogue
from products.services.routine import tick

__all__ = [
    "add_vat_rate",
    "await_next_price",
    "create_category",
    "create_product",
    "create_vat_class",
    "give_image",
    "load_vat",
    "plan_price",
    "remove_category",
    "remove_image",
    "remove_product",
    "revision_on",
    "set_image",
    "set_targets",
    "standard_class",
    "tick",
    "touch_catalogue",
    "update_category",
    "update_product",
    "withdraw_price",
]
