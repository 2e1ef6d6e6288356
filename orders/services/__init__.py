"""What writes orders: placing, editing, the life cycle, money, imports; standing orders, the waiting list."""

from orders.services.editing import edit_order
from orders.services.erasing import erase
from orders.services.importing import import_sales
from orders.services.lifecycle import allowed_statuses, change_status
from orders.services.payments import pay, sell
from orders.services.placing import hold_account, place_order
from orders.services.routine import tick
from orders.services.standing import (
    change_standing_order,
    create_standing_order,
    generate,
    lock_standing_order,
    remove_standing_order,
    require_consistent,
    skip_date,
)
from orders.services.waiting import stop_waiting, wait_for

__all__ = [
    "allowed_statuses",
    "change_standing_order",
    "change_status",
    "create_standing_order",
    "edit_order",
    "erase",
    "generate",
    "hold_account",
    "import_sales",
    "lock_standing_order",
    "pay",
    "place_order",
    "remove_standing_order",
    "require_consistent",
    "sell",
    "skip_date",
    "stop_waiting",
    "tick",
    "wait_for",
]
