"""What goes on paper for the orders of a day: slips to pack by, and the list that the driver takes along."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from orders.models import RELEASED, Fulfilment, Order, OrderItem, OrderQuerySet
from products.models import Allergen

MOST_ON_PAPER = 500


class SlipLine(NamedTuple):
    """A line to pack. Its allergens, in the words of Regulation (EU) 1169/2011, are the product's of today."""

    quantity: int
    name: str
    note: str
    contains: list[str]
    may_contain: list[str]


class Slip(NamedTuple):
    """An order to pack."""

    order: Order
    lines: list[SlipLine]
    contains: list[str]
    may_contain: list[str]


class Stack(NamedTuple):
    """The slips that fit one print, and how many orders it leaves out."""

    slips: list[Slip]
    left_out: int


class Delivery(NamedTuple):
    """A stop of the driver's, and the money to bring back."""

    order: Order
    goods: list[str]
    to_collect: Decimal


class Drive(NamedTuple):
    """The deliveries of a day, the earliest first."""

    day: date
    deliveries: list[Delivery]

    @property
    def to_collect(self) -> Decimal:
        return sum((delivery.to_collect for delivery in self.deliveries), Decimal(0))


def packing_slips(orders: OrderQuerySet) -> Stack:
    """Return a slip for each of `orders`, by the time they are due, in a number of queries that does not grow."""
    found, left_out = _first(orders)
    return Stack([_slip(order) for order in found], left_out)


def delivery_list(orders: OrderQuerySet) -> tuple[list[Drive], int]:
    """Return the deliveries among `orders` day by day, and how many are left out, in queries that do not grow.

    Nobody drives to one that is cancelled, nor collects money for it.
    """
    found, left_out = _first(orders.filter(fulfilment=Fulfilment.DELIVERY).exclude(status__in=RELEASED))
    days = groupby((_delivery(order) for order in found), key=lambda delivery: delivery.order.due_on)
    return [Drive(day, list(deliveries)) for day, deliveries in days], left_out


def _first(orders: OrderQuerySet) -> tuple[list[Order], int]:
    in_time = orders.order_by("due_at", "pk").prefetch_related("items__product")
    found = list(in_time[: MOST_ON_PAPER + 1])
    if len(found) <= MOST_ON_PAPER:
        return found, 0
    return found[:MOST_ON_PAPER], orders.count() - MOST_ON_PAPER


def _slip(order: Order) -> Slip:
    items = list(order.items.all())
    contains = {allergen for item in items for allergen in item.product.allergens}
    traces = {allergen for item in items for allergen in item.product.may_contain} - contains
    lines = [_line(item) for item in items]
    return Slip(order, lines, _named(contains), _named(traces))


def _line(item: OrderItem) -> SlipLine:
    product = item.product
    contains, may_contain = _named(product.allergens), _named(product.may_contain)
    return SlipLine(item.quantity, item.product_name, item.note, contains, may_contain)


def _named(allergens: Iterable[str]) -> list[str]:
    """Return the names that the regulation gives these allergens, in its order."""
    wanted = set(allergens)
    return [allergen.label for allergen in Allergen if allergen in wanted]


def _delivery(order: Order) -> Delivery:
    return Delivery(order, [_goods(item) for item in order.items.all()], max(order.balance, Decimal(0)))


def _goods(item: OrderItem) -> str:
    goods = f"{item.quantity} × {item.product_name}"
    return f"{goods} – {item.note}" if item.note else goods
