"""What other rooms and apps ask about orders."""

from orders.selectors.availability import Availability, availability, closing_time
from orders.selectors.checks import checks
from orders.selectors.counter import Glance, Goods, at_a_glance, goods_for
from orders.selectors.demand import Taken, demand_on, taken_between
from orders.selectors.papers import (
    MOST_ON_PAPER,
    Delivery,
    Drive,
    Slip,
    SlipLine,
    Stack,
    delivery_list,
    packing_slips,
)
from orders.selectors.people import export, orders_of, standing_orders_of, wishes_of
from orders.selectors.receipts import receipt_lines

__all__ = [
    "MOST_ON_PAPER",
    "Availability",
    "Delivery",
    "Drive",
    "Glance",
    "Goods",
    "Slip",
    "SlipLine",
    "Stack",
    "Taken",
    "at_a_glance",
    "availability",
    "checks",
    "closing_time",
    "delivery_list",
    "demand_on",
    "export",
    "goods_for",
    "orders_of",
    "packing_slips",
    "receipt_lines",
    "standing_orders_of",
    "taken_between",
    "wishes_of",
]
