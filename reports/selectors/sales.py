"""What was sold, summed in the database: one row per group comes over, never the tickets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, QuerySet, Sum
from django.db.models.functions import ExtractHour

from bakery import clock
from bakery.db import to_cents
from orders.models import OrderItem, Status

Key = str | int


@dataclass
class Figures:
    """Sums over some order lines. Money includes VAT but for `net`."""

    orders: int = 0
    quantity: int = 0
    gross: Decimal = Decimal("0.00")
    vat: Decimal = Decimal("0.00")

    @property
    def net(self) -> Decimal:
        return self.gross - self.vat

    def add(self, other: "Figures") -> None:
        self.orders += other.orders
        self.quantity += other.quantity
        self.gross += other.gross
        self.vat += other.vat


@dataclass
class Row(Figures):
    """The figures of one period, product or category. `key` is for machines and orders the rows."""

    key: Key = ""
    label: str = ""


@dataclass
class SalesReport:
    first: date
    last: date
    group_by: str
    rows: list[Row]
    total: Figures


def sales(*, first: date, last: date, group_by: str) -> SalesReport:
    """Return the sales of completed orders by the shop's day (hour, …) that they were due, both ends included.

    `group_by` is one of GROUPINGS; days, weeks and months without sales have their rows, too. Returns of another
    till count with their negative figures.
    """
    lines = OrderItem.objects.filter(order__status=Status.COMPLETED, order__due_on__range=(first, last))
    rows: dict[Key, Row] = {}
    if group_by in _WITHOUT_GAPS:
        for number in range((last - first).days + 1):
            key, label = _PERIODS[group_by](first + timedelta(days=number))
            rows[key] = Row(key=key, label=label)
    for key, label, figures in _groups(lines, group_by):
        rows.setdefault(key, Row(key=key, label=label)).add(figures)
    total = Figures()
    for row in rows.values():
        total.add(row)
    if group_by in _WITHIN_ORDERS:
        total.orders = lines.aggregate(orders=Count("order_id", distinct=True))["orders"]
    return SalesReport(first, last, group_by, sorted(rows.values(), key=lambda row: row.key), total)


def _groups(lines: QuerySet[OrderItem], group_by: str) -> Iterator[tuple[Key, str, Figures]]:
    """Yield key, label and figures; of periods one for each day, which may share a key."""
    if group_by in _WITHIN_ORDERS:
        for (key, label), figures in _summed(lines, *_WITHIN_ORDERS[group_by]):
            yield key, label, figures
    elif group_by == "hour":
        # Of the shop's wall clock: the hour that summer time repeats is one row.
        local = lines.annotate(hour=ExtractHour("order__due_at", tzinfo=clock.shop_zone()))
        for (hour,), figures in _summed(local, "hour"):
            yield f"{hour:02}", f"{hour:02}:00–{hour:02}:59", figures
    else:
        for (day,), figures in _summed(lines, "order__due_on"):
            yield *_PERIODS[group_by](day), figures


def _summed(lines: QuerySet[OrderItem], *by: str) -> Iterator[tuple[Any, Figures]]:
    money = DecimalField(max_digits=20, decimal_places=2)  # a sum is longer than an amount
    groups = lines.order_by().values_list(*by).annotate(
        orders=Count("order_id", distinct=True),
        quantity=Sum("quantity"),
        gross=Sum("line_total", output_field=money),
        vat=Sum("vat_amount", output_field=money),
    )  # fmt: skip
    for *group, orders, quantity, gross, vat in groups:
        # SQLite adds up in floating point; to the cent its sums are exact.
        yield group, Figures(orders, quantity, to_cents(gross), to_cents(vat))


def _week(day: date) -> tuple[Key, str]:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}", f"Week {week}, {year}"


# How a day's period is called: its key and its label.
_PERIODS: dict[str, Callable[[date], tuple[Key, str]]] = {
    "day": lambda day: (f"{day}", f"{day}"),
    "week": _week,
    "month": lambda day: (f"{day:%Y-%m}", f"{day:%B %Y}"),
    "weekday": lambda day: (f"{day:%u}", f"{day:%A}"),
}
_WITHOUT_GAPS = ("day", "week", "month")
# An order may stand in several of their rows, so that the rows' orders add up to more than there are.
_WITHIN_ORDERS = {
    "product": ("product_id", "product__name"),
    "category": ("product__category__slug", "product__category__name"),
}
GROUPINGS = (*_PERIODS, "hour", *_WITHIN_ORDERS)
