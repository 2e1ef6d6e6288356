"""Everything that writes orders: placing and editing, the life cycle, money, another till's tickets."""

from orders.services.editing import edit_order
from orders.services.importing import import_sales
from orders.services.lifecycle import allowed_statuses, change_status
from orders.services.payments import pay, sell
from orders.services.placing import place_order

__all__ = ["allowed_statuses", "change_status", "edit_order", "import_sales", "pay", "place_order", "sell"]
