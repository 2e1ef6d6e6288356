"""How much the orders of a day ask for: of its capacity, and of its bakers."""

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from django.db.models import F, Q, Sum

from bakery.queries import KeptQuery
from orders.models import Order, OrderItem


class Taken(NamedTuple):
    """What orders hold of the days' capacity: pieces by (day, product id), units by (day, capacity group id)."""

    pieces: Counter[tuple[date, int]]
    units: Counter[tuple[date, int]]


def taken_between(
    first: date, last: date, *, products: Collection[int], groups: Collection[int], without: int | None = None
) -> Taken:
    """Return what the orders due from `first` to `last` hold of these products and groups, in one query.

    `without` is the id of an order that does not count.
    """
    orders = Order.objects.holding_capacity().due_between(first, last)
    if without is not None:
        orders = orders.exclude(pk=without)
    rows = (
        # Plus 0, so that no database walks through all that was ever sold of a product instead of the orders of a day.
        OrderItem.objects.alias(sold=F("product_id") + 0, shared=F("product__capacity_group_id") + 0)
        .filter(Q(sold__in=products) | Q(shared__in=groups), order__in=orders)
        .values_list("order__due_on", "product", "product__capacity_group", "product__capacity_units")
        .annotate(pieces=Sum("quantity"))
        .order_by()
    )
    taken = Taken(Counter(), Counter())
    for day, product, group, units, pieces in rows:
        taken.pieces[day, product] += pieces
        taken.units[day, group] += pieces * units
    return taken


_DEMAND: KeptQuery[tuple[int, int]] = KeptQuery(
    lambda day: (
        Order.objects.to_bake()
        .filter(due_on=day, items__isnull=False)
        .order_by()
        .values_list("items__product")
        .annotate(pieces=Sum("items__quantity"))
    )
)


def demand_on(day: date) -> dict[int, int]:
    """Return how many pieces of each product (by id), baked or not, the orders due on `day` ask for, in one query."""
    return dict(_DEMAND(day=day))
