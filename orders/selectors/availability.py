"""What is left of the days ahead."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from bakery import clock
from bakery.errors import DomainError
from bakery.models import Closure, OpeningHours
from orders.selectors.demand import taken_between
from products.models import CapacityOverride, Product

MOST_ROWS = 20_000


class Availability(NamedTuple):
    """What is left of a product on a day: None without a limit, 0 with the reason where nothing is to be had."""

    product: int
    date: date
    available: int | None
    reason: str


def availability(
    first: date,
    last: date,
    *,
    now: datetime,
    products: Collection[int] | None = None,
    among: QuerySet[Product] | None = None,
) -> list[Availability]:
    """Return what is left of `products` (ids; all active ones where None) on each day from `first` to `last`.

    `among` holds the products that the caller may know of, or else all; one that is not in it is unknown.

    A day is too late for a product when even its last open minute is nearer than the product's lead time. Raises
    DomainError for an unknown id. The number of queries depends neither on days nor on products.
    """
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    wanted = _products(products, Product.objects.all() if among is None else among)
    if len(days) * len(wanted) > MOST_ROWS:
        raise DomainError(f"That is more than {MOST_ROWS} answers; ask for fewer days or products.", field="product")
    calendar = _Calendar(first, last, wanted)
    return [calendar.look_up(product, day, now) for day in days for product in wanted]


def _products(ids: Collection[int] | None, among: QuerySet[Product]) -> list[Product]:
    products = among.select_related("capacity_group")
    if ids is None:
        return list(products.filter(is_active=True))
    found = {product.pk: product for product in products.filter(pk__in=ids)}
    unknown = [pk for pk in ids if pk not in found]
    if unknown:
        raise DomainError(f"There is no product {unknown[0]}.", field="product", code="does_not_exist")
    return [found[pk] for pk in dict.fromkeys(ids)]


def closing_time(day: date) -> time:
    """Return when the shop closes on `day`: midnight is 23:59, and noon stands for hours that are not known."""
    closing = list(OpeningHours.objects.filter(weekday=day.isoweekday()).values_list("closes", flat=True))
    if not closing:
        return time(12)
    return time(23, 59) if time.min in closing else max(closing)


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
        if not closing:
            return None
        # Where the clock shows the hour of closing twice, the shop closes the second time.
        return datetime.combine(day, max(closing), clock.shop_zone()).replace(fold=1).astimezone(UTC)

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
