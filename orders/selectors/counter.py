"""What people at the counter look at: a day's orders, and what they can promise of it on the telephone."""

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce, Round

from bakery.db import CENT
from orders.models import FINAL, OWING, Channel, Fulfilment, Order, OrderQuerySet, Status
from orders.selectors.availability import availability
from products.models import Product

MOST_SHOWN = 200
MOST_FOUND = 12
NOTHING = Decimal(0)


class Glance(NamedTuple):
    """The orders of a day: how many at each status, what is owed, and those still to go, the earliest first."""

    day: date
    counts: dict[Status, int]
    unpaid: int
    owed: Decimal
    pickups: list[Order]
    deliveries: list[Order]
    not_shown: int

    def next_due(self, now: datetime) -> Order | None:
        """Return the first of those still to go that is not late at `now`."""
        coming = [order for order in (*self.pickups, *self.deliveries) if order.due_at >= now]
        return min(coming, key=lambda order: order.due_at, default=None)


def at_a_glance(orders: OrderQuerySet, day: date) -> Glance:
    """Return what is to be known at the counter of those of `orders` that are due on `day`, in two queries."""
    of_day = orders.due_between(day, day).exclude(channel=Channel.COUNTER)
    counts, unpaid, owed = Counter[Status](), 0, NOTHING
    rows = of_day.order_by().values_list("status")
    # In whole cents: SQLite adds up floating-point numbers.
    asked = {name: Round(Coalesce(Sum(name, filter=OWING), NOTHING), 2) for name in ("total", "paid")}
    sums = rows.annotate(
        count=Count("pk"), owing=Count("pk", filter=OWING), ask=asked["total"], given=asked["paid"],
    )  # fmt: skip
    for status, count, owe, total, paid in sums:
        counts[Status(status)] += count
        unpaid, owed = unpaid + owe, owed + (total - paid).quantize(CENT)
    shown = list(of_day.still_to_go().order_by("due_at", "pk")[:MOST_SHOWN])
    to_go = sum(counts[status] for status in Status if status not in FINAL)
    return Glance(
        day,
        {status: counts[status] for status in Status if counts[status]},
        unpaid,
        owed,
        [order for order in shown if order.fulfilment == Fulfilment.PICKUP],
        [order for order in shown if order.fulfilment == Fulfilment.DELIVERY],
        to_go - len(shown),
    )


class Goods(NamedTuple):
    """A product on a day: `left` is None without a limit; `reason` says why it is not to be had."""

    product: Product
    left: int | None
    reason: str


def goods_for(
    day: date,
    *,
    now: datetime,
    words: str = "",
    ids: Collection[int] = (),
    order: Order | None = None,
) -> list[Goods]:
    """Return what is left on `day` of the products with these `ids`, or else of the first few that `words` are about.

    What `order` holds on that day is its own to keep. The number of queries does not grow with the products.
    """
    found = Product.objects.filter(pk__in=ids) if ids else Product.objects.filter(is_active=True).about(words)
    products = {product.pk: product for product in (found if ids else found[:MOST_FOUND])}
    held = Counter[int]()
    if order and order.due_on == day:
        for item in order.items.all():
            held[item.product_id] += item.quantity
    rows = availability(day, day, now=now, products=products) if products else []
    return [
        Goods(products[row.product], row.available, row.reason)
        if row.available is None or not held[row.product]
        else Goods(products[row.product], row.available + held[row.product], "")
        for row in rows
    ]
