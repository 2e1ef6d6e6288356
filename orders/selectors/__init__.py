"""What other rooms and apps ask about orders."""

from orders.selectors.availability import Availability, availability, closing_time
from orders.selectors.checks import checks
from orders.selectors.demand import Taken, demand_on, taken_between
from orders.selectors.people import export, orders_of, standing_orders_of, wishes_of

__all__ = [
    "Availability",
    "Taken",
    "availability",
    "checks",
    "closing_time",
    "demand_on",
    "export",
    "orders_of",
    "standing_orders_of",
    "taken_between",
    "wishes_of",
]
