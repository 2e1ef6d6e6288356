"""A bakery on paper: what orders, capacity and money must come to, in plain Python, in whole cents and in UTC."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Paris")
STEPS = {
    "pending": {"confirmed": {"cashier"}, "cancelled": {"cashier", "customer"}},
    "confirmed": {"baking": {"baker"}, "cancelled": {"cashier", "customer"}},
    "baking": {"ready": {"baker"}, "cancelled": set()},
    "ready": {"completed": {"cashier"}, "cancelled": set(), "no_show": set()},
    "completed": {},
    "cancelled": {},
    "no_show": {},
}
EDITABLE = {"pending", "confirmed"}


@dataclass
class Product:
    name: str
    price: int
    rates: dict[str, Decimal]
    capacity: int | None = None
    group: int | None = None
    units: int = 1
    lead: timedelta = timedelta(0)
    most: int | None = None
    is_active: bool = True


@dataclass
class Line:
    product: int
    quantity: int
    price: int


@dataclass
class Order:
    due_at: datetime
    consumption: str
    lines: list[Line]
    deadline: datetime
    is_own: bool = False
    is_excused: bool = False
    is_sale: bool = False
    status: str = "pending"
    refunded: set[int] = field(default_factory=set)
    payments: list[int] = field(default_factory=list)
    history: list[tuple[str, str]] = field(default_factory=list)

    @property
    def day(self) -> date:
        return shop_day(self.due_at)

    @property
    def pieces(self) -> Counter[int]:
        return pieces_of(self.lines)

    @property
    def total(self) -> int:
        return sum(line.price * line.quantity for line in self.lines)

    @property
    def paid(self) -> int:
        return sum(self.payments)

    @property
    def payment_status(self) -> str:
        if self.paid == 0 and any(payment < 0 for payment in self.payments):
            return "refunded"
        if self.paid == self.total:
            return "paid"
        return "partial" if self.paid else "unpaid"

    @property
    def holds_capacity(self) -> bool:
        return not self.is_sale and self.status not in ("cancelled", "no_show")


@dataclass
class Bakery:
    """Everything of the shop; `other` holds the capacities for one date, by day and product or group."""

    products: dict[int, Product]
    groups: dict[int, int]
    orders: dict[int, Order] = field(default_factory=dict)
    other: dict[tuple[date, str, int], int] = field(default_factory=dict)

    def limits(self, day: date) -> tuple[dict[int, int], dict[int, int]]:
        pieces = {pk: self.other.get((day, "product", pk), product.capacity) for pk, product in self.products.items()}
        units = {pk: self.other.get((day, "group", pk), capacity) for pk, capacity in self.groups.items()}
        return {pk: limit for pk, limit in pieces.items() if limit is not None}, units

    def taken(self, day: date, without: Order | None = None) -> tuple[Counter[int], Counter[int]]:
        pieces, units = Counter[int](), Counter[int]()
        for order in self.orders.values():
            if order.holds_capacity and order.day == day and order is not without:
                pieces += order.pieces
        for pk, count in pieces.items():
            if (group := self.products[pk].group) is not None:
                units[group] += count * self.products[pk].units
        return pieces, units

    def left(self, pk: int, day: date) -> int | None:
        """Return how many pieces can still be ordered; None where nothing limits them."""
        product, (pieces, units) = self.products[pk], self.limits(day)
        taken, taken_units = self.taken(day)
        room = [pieces[pk] - taken[pk]] if pk in pieces else []
        if product.group is not None:
            room.append((units[product.group] - taken_units[product.group]) // product.units)
        return max(0, min(room)) if room else None

    def fits(self, lines: list[Line], day: date, order: Order | None = None) -> bool:
        """Whether the day has room for all of it; what `order` holds of the day already stays its own."""
        own = order.pieces if order and order.day == day else Counter[int]()
        wanted = pieces_of(lines)
        pieces, units = self.limits(day)
        taken, taken_units = self.taken(day, without=order)
        for pk, count in wanted.items():
            if pk in pieces and count > max(pieces[pk] - taken[pk], own[pk]):
                return False
        for group, limit in units.items():
            needed, held = self._units(wanted, group), self._units(own, group)
            if needed > max(limit - taken_units[group], held):
                return False
        return True

    def deadline(self, due_at: datetime, lines: list[Line]) -> datetime:
        return due_at - max(self.products[line.product].lead for line in lines)

    def drift(self, today: date) -> set[str]:
        """Return what the auditor must say: the days that a lower limit left oversold, unless it was on purpose."""
        found = set()
        for day in {order.day for order in self.orders.values() if order.day >= today}:
            pieces, units = self.limits(day)
            taken, taken_units = self.taken(day)
            on_purpose = sum(
                (order.pieces for order in self.orders.values()
                 if order.is_excused and order.holds_capacity and order.day == day), Counter[int](),
            )  # fmt: skip
            found |= {
                f"{day}: {taken[pk]} of product {pk} are ordered, and {limit} can be made."
                for pk, limit in pieces.items() if taken[pk] > limit and not on_purpose[pk]
            }  # fmt: skip
            found |= {
                f"{day}: {taken_units[pk]} units of capacity group {pk} are taken, and there are {limit}."
                for pk, limit in units.items() if taken_units[pk] > limit and not self._units(on_purpose, pk)
            }  # fmt: skip
        return found

    def vat(self, order: Order) -> dict[str, tuple[str, str, str]]:
        """Return by rate what the order contains: net, VAT, gross."""
        gross = Counter[Decimal]()
        for line in order.lines:
            gross[self.products[line.product].rates[order.consumption]] += line.price * line.quantity
        found = {}
        for rate, cents in gross.items():
            vat = int((cents * rate / (100 + rate)).quantize(Decimal(1), rounding=ROUND_HALF_UP))
            found[f"{rate:.2f}"] = (euros(cents - vat), euros(vat), euros(cents))
        return found

    def _units(self, pieces: Counter[int], group: int) -> int:
        return sum(count * self.products[pk].units for pk, count in pieces.items() if self.products[pk].group == group)


def pieces_of(lines: list[Line]) -> Counter[int]:
    found = Counter[int]()
    for line in lines:
        found[line.product] += line.quantity
    return found


def shop_day(instant: datetime) -> date:
    return instant.astimezone(ZONE).date()


def euros(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"
