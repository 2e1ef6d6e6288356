"""What the cash book says: totals of days and of sessions."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from bakery import clock
from bakery.db import CENT
from cashbook.models import CashEntry, CashSession, EntryType, Method, cents

ZERO = Decimal("0.00")


@dataclass
class Totals:
    """Sums of signed amounts. What came in and what went out are both positive; `net` is their difference."""

    money_in: Decimal = ZERO
    money_out: Decimal = ZERO
    net: Decimal = ZERO
    by_method: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(Method.values, ZERO))
    by_type: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(EntryType.values, ZERO))

    def add(self, group: dict[str, Any]) -> None:
        """Take in what the database added up, in cents, of one method and type."""
        net, came_in = group["net"] * CENT, (group["came_in"] or 0) * CENT
        self.money_in += came_in
        self.money_out += came_in - net
        self.net += net
        self.by_method[group["method"]] += net
        self.by_type[group["type"]] += net


@dataclass(kw_only=True)
class Day(Totals):
    date: date


@dataclass(frozen=True)
class Summary:
    """Every day from `first` to `last`, also those without an entry, and all of them together."""

    first: date
    last: date
    days: list[Day]
    total: Totals


def summary(first: date, last: date, register: str | None = None) -> Summary:
    """Add up the entries of the shop's days from `first` to `last`, both included; of one register, or of all."""
    entries = CashEntry.objects.during(first, last)
    if register is not None:
        entries = entries.filter(register__name=register)
    days = {day: Day(date=day) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))}
    total = Totals()
    for group in _grouped(entries.annotate(day=TruncDate("created_at", tzinfo=clock.shop_zone())), "day"):
        days[group["day"]].add(group)
        total.add(group)
    return Summary(first, last, list(days.values()), total)


@dataclass(kw_only=True)
class Report(Totals):
    """What a session has taken so far, and the cash that its drawer should hold. Reading it changes nothing."""

    session: CashSession
    expected: Decimal
    entries: int = 0
    reversals: int = 0
    first_number: int | None = None
    last_number: int | None = None
    chain_head: str = ""


def report(session: CashSession) -> Report:
    """Add up a session, open or closed. Its drawer should hold the float and the cash that came in, less what went."""
    # One statement, so that no entry can come in between the sums and the counts.
    groups = list(
        _grouped(session.entries.all()).annotate(
            entries=Count("pk"), reversals=Count("reversal_of"), first=Min("number"), last=Max("number")
        )
    )
    found = Report(session=session, expected=session.float_amount)
    for group in groups:
        found.add(group)
        found.entries += group["entries"]
        found.reversals += group["reversals"]
    if groups:
        found.expected += found.by_method[Method.CASH]
        found.first_number = min(group["first"] for group in groups)
        found.last_number = max(group["last"] for group in groups)
        found.chain_head = session.entries.values_list("hash", flat=True).get(number=found.last_number)
    return found


def _grouped(entries: QuerySet[CashEntry], *by: str) -> QuerySet[CashEntry, Any]:
    groups: QuerySet[CashEntry, Any] = (
        entries.order_by()
        .values(*by, "method", "type")
        .annotate(net=Sum(cents("signed_amount")), came_in=Sum(cents("signed_amount"), filter=Q(signed_amount__gt=0)))
    )
    return groups
