"""What may be ordered for when: time, opening hours, what is sold that day, how much an order and a day can bear."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q

from bakery import clock
from bakery.errors import Conflict
from bakery.models import Closure, OpeningHours, is_open
from bakery.queries import KeptQuery
from orders import selectors
from orders.errors import CapacityExceeded, MaximumExceeded, ProductUnavailable, ShopClosed, TooLate
from orders.models import Order, OrderItem
from products.models import CapacityGroup, CapacityOverride, Product, ProductQuerySet


class Before(NamedTuple):
    """What an order asked for before an edit. A new order asked for nothing."""

    due_at: datetime | None = None
    due_on: date | None = None
    pieces: Counter[int] = Counter()


NOTHING = Before()


class Shortfall(NamedTuple):
    """What of a line could not be had, and the first reason why: not_baked, too_late, over_maximum or sold_out."""

    product: int
    product_name: str
    wanted: int
    ordered: int
    reason: str


def deadline_of(order: Order, products: Iterable[Product]) -> datetime:
    """Return until when the customer may change their mind: the due time less the longest lead time."""
    return order.due_at - max(product.lead_time for product in products)


def require_sound(
    order: Order,
    items: list[OrderItem],
    products: dict[int, Product],
    *,
    now: datetime,
    override: bool,
    before: Before = NOTHING,
    locked: bool = False,
) -> list[str]:
    """Check `order` with `items` for what it asks more than `before`; `products` holds all of both, by id.

    Where it asks for more, they are locked and read anew in `products`, unless they are `locked` already. An edit is
    not refused for what it leaves as it was. `override` goes over lead times, closing, the maximum per order and
    capacity, never over the past; the codes of what it went over are returned. Raises TooLate, ProductUnavailable,
    ShopClosed, MaximumExceeded (or a Conflict of several), CapacityExceeded.
    """
    moved = before.due_at != order.due_at
    if moved and order.due_at < now:
        raise TooLate("This time is over.", field="due_at")
    held = before.pieces if before.due_on == order.due_on else Counter[int]()
    grown = {pk for pk, pieces in pieces_of(items).items() if pieces > held[pk]}
    earlier = before.due_at is None or order.due_at < before.due_at
    if grown:
        _lock(products, anew=not locked)
    # Of what is refused as retired nothing more is told.
    retired = {pk for pk in grown if not products[pk].is_active}
    hurried = [products[pk] for pk in pieces_of(items) if pk not in retired and (earlier or pk not in before.pieces)]

    final = _unavailable(order.due_on, items, products, among=grown)
    pliant = _short_of_time(order, hurried, now)
    pliant += _closed(order) if moved else []
    pliant += _over_maximum(items, products, before.pieces)
    _refuse(final if override else final + pliant)
    if grown:
        pliant += _over_capacity(order, items, products, held)
    _refuse([] if override else pliant)
    return sorted({refusal.code for refusal in pliant})


def _refuse(refusals: list[Conflict]) -> None:
    if refusals:
        kinds = {type(refusal) for refusal in refusals}
        kind = kinds.pop() if len(kinds) == 1 else Conflict
        raise kind.of([problem for refusal in refusals for problem in refusal.problems])


def cut_to_fit(
    order: Order, items: list[OrderItem], products: dict[int, Product], *, now: datetime
) -> tuple[list[OrderItem], list[Shortfall]]:
    """Return the lines of a new order with as many pieces as can be had, and what they lack.

    Whoever may take less asks this in place of `require_sound`; it locks `products` and reads them anew, too. Raises
    TooLate where the due time is over, ShopClosed.
    """
    if order.due_at < now:
        raise TooLate("This time is over.", field="due_at")
    for refusal in _closed(order):
        raise refusal
    _lock(products)
    left = _left(order, products, NOTHING.pieces)
    kept, lacking = [], []
    for item in items:
        wanted, product, reason = item.quantity, products[item.product_id], "sold_out"
        room = left.room_for(product)
        if not product.is_available_on(order.due_on):
            room, reason = 0, "not_baked"
        elif order.due_at - now < product.lead_time:
            room, reason = 0, "too_late"
        elif product.max_per_order is not None and wanted > product.max_per_order:
            room, reason = min(product.max_per_order, wanted if room is None else room), "over_maximum"
        item.quantity = wanted if room is None else min(wanted, room)
        if item.quantity:
            left.take(product, item.quantity)
            kept.append(item)
        if item.quantity < wanted:
            lacking.append(Shortfall(product.pk, product.name, wanted, item.quantity, reason))
    return kept, lacking


def lock_capacity(products: Iterable[int]) -> dict[int, Product]:
    """Lock these products (ids) and all that share a capacity group with one, then the groups; return the products.

    Whoever is about to free capacity, and to give it to somebody else, calls it before any other lock of capacity.
    """
    wanted = set(products)
    of_wanted = Product.objects.filter(pk__in=wanted).exclude(capacity_group=None)
    groups = set(of_wanted.values_list("capacity_group", flat=True))
    rows = _locked_products().filter(Q(pk__in=wanted) | Q(capacity_group__in=groups))
    found = {product.pk: product for product in rows}
    list(CapacityGroup.objects.select_for_update(no_key=True).filter(pk__in=groups).order_by("pk"))
    return found


def pieces_of(items: Iterable[OrderItem]) -> Counter[int]:
    """Return how many pieces of each product, by id, the lines ask for together."""
    pieces = Counter[int]()
    for item in items:
        pieces[item.product_id] += item.quantity
    return pieces


def _unavailable(day: date, items: list[OrderItem], products: dict[int, Product], *, among: set[int]) -> list[Conflict]:
    return [
        ProductUnavailable(_told_unavailable(products[item.product_id], day), field=f"items.{index}.product")
        for index, item in enumerate(items)
        if item.product_id in among and not products[item.product_id].is_available_on(day)
    ]


def _told_unavailable(product: Product, day: date) -> str:
    """The public may know that there was a product, but not which one."""
    return f"{product} is not sold on {day}." if product.is_active else "This product is not sold."


def _over_maximum(items: list[OrderItem], products: dict[int, Product], before: Counter[int]) -> list[Conflict]:
    """What the order held `before` a maximum came, it keeps: only more than that is refused."""
    refusals: list[Conflict] = []
    wanted = Counter[int]()
    for index, item in enumerate(items):
        product, earlier = products[item.product_id], wanted[item.product_id]
        wanted[product.pk] += item.quantity
        if product.max_per_order is None or not product.is_active:
            continue
        most = max(product.max_per_order, before[product.pk])
        if earlier <= most < wanted[product.pk]:
            message = f"One order may hold at most {most} of {product}."
            refusals.append(MaximumExceeded(message, field=f"items.{index}.quantity"))
    return refusals


def _short_of_time(order: Order, products: list[Product], now: datetime) -> list[Conflict]:
    slowest = max(products, key=lambda product: product.lead_time_hours, default=None)
    if slowest is None or order.due_at - now >= slowest.lead_time:
        return []
    return [TooLate(f"{slowest} is to be ordered {slowest.lead_time_hours} hours ahead.", field="due_at")]


def _closed(order: Order) -> list[Conflict]:
    hours, closures = _HOURS(), _CLOSURES(day=order.due_on)
    if is_open(order.due_at, hours, closures):
        return []
    day = f"{order.due_on:%A} {order.due_on}"
    spans = [span for span in hours if span.weekday == order.due_on.isoweekday()]
    if closures or not spans:
        return [ShopClosed(f"The shop is closed on {day}.", field="due_at")]
    times = " and ".join(f"{span.opens:%H:%M}–{span.closes:%H:%M}" for span in spans)
    at = f"{clock.local(order.due_at):%H:%M}"
    return [ShopClosed(f"The shop is closed at {at}; on {day} it is open {times}.", field="due_at")]


class _Limits(NamedTuple):
    """The capacity of a day: pieces by product id, units by capacity group id. What is missing has no limit."""

    pieces: dict[int, int]
    units: dict[int, int]

    def room_for(self, product: Product) -> int | None:
        """Return how many pieces fit; None where nothing limits them."""
        room = [self.pieces[product.pk]] if product.pk in self.pieces else []
        if product.capacity_group_id in self.units:
            room.append(self.units[product.capacity_group_id] // product.capacity_units)
        return min(room) if room else None

    def take(self, product: Product, quantity: int) -> None:
        if product.pk in self.pieces:
            self.pieces[product.pk] -= quantity
        if product.capacity_group_id in self.units:
            self.units[product.capacity_group_id] -= quantity * product.capacity_units


def _left(order: Order, products: dict[int, Product], held: Counter[int]) -> _Limits:
    """Return what is left for `products`, which are locked, on the order's day, with what the order holds itself."""
    limits = _limits(order.due_on, products)
    if not limits.pieces and not limits.units:
        return limits
    taken = selectors.taken_between(
        order.due_on, order.due_on, products=limits.pieces, groups=limits.units, without=order.pk
    )
    held_units = Counter[int]()
    for pk, pieces in held.items():
        held_units[products[pk].capacity_group_id or 0] += pieces * products[pk].capacity_units
    return _Limits(
        {pk: max(limit - taken.pieces[order.due_on, pk], held[pk], 0) for pk, limit in limits.pieces.items()},
        {pk: max(limit - taken.units[order.due_on, pk], held_units[pk], 0) for pk, limit in limits.units.items()},
    )


def _over_capacity(
    order: Order, items: list[OrderItem], products: dict[int, Product], held: Counter[int]
) -> list[Conflict]:
    """Take the lines one by one out of what is left of the day; return a refusal for each that does not fit.

    The order's own `held` pieces are its to keep.
    """
    left, day = _left(order, products, held), order.due_on
    refusals: list[Conflict] = []
    earlier = Counter[int]()
    for index, item in enumerate(items):
        product = products[item.product_id]
        room = left.room_for(product)
        if room is not None and item.quantity > room:
            most = room + earlier[product.pk]
            message = f"Of {product} only {most} are left on {day}." if most else f"{product} is sold out on {day}."
            refusals.append(CapacityExceeded(message, field=f"items.{index}.quantity"))
            continue
        earlier[product.pk] += item.quantity
        left.take(product, item.quantity)
    return refusals


def _locked_products() -> ProductQuerySet:
    """Return the products, each to be locked as it is read, in the order of their ids.

    Whoever takes from the same limit waits here, and then sees the limits and the orders of that moment.
    """
    return Product.objects.select_for_update(no_key=True).order_by("pk")


_LOCKED = KeptQuery(lambda pks: _locked_products().filter(pk__in=pks))
_HOURS = KeptQuery(lambda: OpeningHours.objects.all())
_CLOSURES = KeptQuery(lambda day: Closure.objects.covering(day))
_OVERRIDES: KeptQuery[tuple[int | None, int | None, int]] = KeptQuery(
    lambda day: CapacityOverride.objects.filter(day=day).order_by().values_list("product", "group", "capacity")
)


def lock_products(ids: Iterable[int]) -> dict[int, Product]:
    """Lock these products in the order of their ids, and return those that there are, by id."""
    return {product.pk: product for product in _LOCKED(pks=sorted(ids))}


def _lock(products: dict[int, Product], *, anew: bool = True) -> None:
    """Lock these products, reading them `anew`, and then their capacity groups in the order of their ids."""
    if anew:
        products.update(lock_products(products))
    groups = _groups(products)
    if groups:
        list(CapacityGroup.objects.select_for_update(no_key=True).filter(pk__in=groups).order_by("pk"))


def _groups(products: dict[int, Product]) -> set[int]:
    return {product.capacity_group_id for product in products.values() if product.capacity_group_id}


def _limits(day: date, products: dict[int, Product]) -> _Limits:
    """Return what limits these products, which are locked, on `day`."""
    groups = _groups(products)
    pieces = {pk: product.daily_capacity for pk, product in products.items()}
    units = dict(CapacityGroup.objects.filter(pk__in=groups).values_list("pk", "daily_capacity")) if groups else {}
    for product, group, capacity in _OVERRIDES(day=day):
        if product in pieces:
            pieces[product] = capacity
        elif group in groups:
            units[group] = capacity
    return _Limits({pk: limit for pk, limit in pieces.items() if limit is not None}, units)
