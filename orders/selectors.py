"""What other rooms and apps ask about orders: demand per day, and what is left of a day's capacity."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import F, Q, Sum

from bakery import clock
from bakery.errors import DomainError
from bakery.models import Closure, OpeningHours
from orders.models import Order, OrderItem
from products.models import CapacityOverride, Product

MOST_ROWS = 20_000


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


def demand_on(day: date) -> dict[int, int]:
    """Return how many pieces of each baked product (by id) the orders due on `day` ask for, in one query."""
    return {product: pieces for (_, product), pieces in demand_between(day, day).items()}


def demand_between(first: date, last: date) -> dict[tuple[date, int], int]:
    """Return the pieces by (day, product id) that the orders due from `first` to `last` ask to be baked."""
    orders = Order.objects.to_bake().due_between(first, last)
    rows: Iterable[tuple[date, int, int]] = (
        OrderItem.objects.filter(order__in=orders, product__is_baked=True)
        .values_list("order__due_on", "product")
        .annotate(pieces=Sum("quantity"))
        .order_by()
    )
    return {(day, product): pieces for day, product, pieces in rows}


class Availability(NamedTuple):
    """What is left of a product on a day: None without a limit, 0 with the reason where nothing is to be had."""

    product: int
    date: date
    available: int | None
    reason: str


def availability(
    first: date, last: date, *, now: datetime, products: Collection[int] | None = None
) -> list[Availability]:
    """Return what is left of `products` (ids; all active ones where None) on each day from `first` to `last`.

    A day is too late for a product when even its last open minute is nearer than the product's lead time. Raises
    DomainError for an id that no product has. The number of queries depends neither on days nor on products.
    """
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    wanted = _products(products)
    if len(days) * len(wanted) > MOST_ROWS:
        raise DomainError(f"That is more than {MOST_ROWS} answers; ask for fewer days or products.", field="product")
    calendar = _Calendar(first, last, wanted)
    return [calendar.look_up(product, day, now) for day in days for product in wanted]


def _products(ids: Collection[int] | None) -> list[Product]:
    products = Product.objects.select_related("capacity_group")
    if ids is None:
        return list(products.filter(is_active=True))
    found = {product.pk: product for product in products.filter(pk__in=ids)}
    unknown = [pk for pk in ids if pk not in found]
    if unknown:
        raise DomainError(f"There is no product {unknown[0]}.", field="product", code="does_not_exist")
    return [found[pk] for pk in dict.fromkeys(ids)]


class _Calendar:
    """What decides about some products on some days, read at once."""

    def __init__(self, first: date, last: date, products: list[Product]) -> None:
        groups = {product.capacity_group_id for product in products if product.capacity_group_id}
        overrides = CapacityOverride.objects.filter(
            Q(product__in=products) | Q(group__in=groups), day__range=(first, last)
        )
        self.limits = {(row.day, row.product_id, row.group_id): row.capacity for row in overrides}
        named = {product for _, product, _ in self.limits if product}
        limited = {product.pk for product in products if product.daily_capacity is not None} | named
        self.taken = taken_between(first, last, products=limited, groups=groups)
        self.hours = list(OpeningHours.objects.all())
        self.closures = list(Closure.objects.filter(first_day__lte=last, last_day__gte=first))

    def look_up(self, product: Product, day: date, now: datetime) -> Availability:
        last_minute = self._last_minute(day)
        left = self._left(product, day)
        if last_minute is None:
            reason = "shop_closed"
        elif not product.is_available_on(day):
            reason = "not_baked"
        elif last_minute - now < product.lead_time:
            reason = "too_late"
        else:
            reason = "sold_out" if left == 0 else ""
        return Availability(product.pk, day, 0 if reason else left, reason)

    def _last_minute(self, day: date) -> datetime | None:
        """Return the last instant of `day` at which the shop is open; None where it stays closed."""
        if any(closure.first_day <= day <= closure.last_day for closure in self.closures):
            return None
        end_of_day = clock.bounds(day, day)[1].astimezone(UTC) - timedelta(minutes=1)
        closing = [span.closes for span in self.hours if span.weekday == day.isoweekday()]
        if not self.hours or time.min in closing:
            return end_of_day
        return datetime.combine(day, max(closing), clock.shop_zone()).astimezone(UTC) if closing else None

    def _left(self, product: Product, day: date) -> int | None:
        room = []
        pieces = self.limits.get((day, product.pk, None), product.daily_capacity)
        if pieces is not None:
            room.append(pieces - self.taken.pieces[day, product.pk])
        group = product.capacity_group
        if group:
            units = self.limits.get((day, None, group.pk), group.daily_capacity) - self.taken.units[day, group.pk]
            room.append(units // product.capacity_units)
        return max(min(room), 0) if room else None
