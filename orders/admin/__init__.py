"""The back office of orders."""

from orders.admin.orders import OrderAdmin
from orders.admin.overrides import OverrideAdmin
from orders.admin.standing import StandingOrderAdmin, WishAdmin

__all__ = ["OrderAdmin", "OverrideAdmin", "StandingOrderAdmin", "WishAdmin"]
