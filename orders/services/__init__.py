"""Everything that writes orders: placing, editing, the life cycle, money, another till's tickets, standing orders."""

from orders.services.editing import edit_order
from orders.services.importing import import_sales
from orders.services.lifecycle import allowed_statuses, change_status
from orders.services.payments import pay, sell
from orders.services.placing import place_order
from orders.services.standing import (
    change_standing_order,
    create_standing_order,
    lock_standing_order,
    remove_standing_order,
    require_consistent,
    skip_date,
)
from orders.services.standing import generate as tick

__all__ = [
    "allowed_statuses",
    "change_standing_order",
    "change_status",
    "create_standing_order",
    "edit_order",
    "import_sales",
    "lock_standing_order",
    "pay",
    "place_order",
    "remove_standing_order",
    "require_consistent",
    "sell",
    "skip_date",
    "tick",
]
