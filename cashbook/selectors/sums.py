"""What the cash book says: totals of days, sessions and months."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Sign, TruncDate

from bakery import clock
from bakery.db import CENT
from cashbook.models import CashEntry, EntryType, Method, cents, shares_in

ZERO = Decimal("0.00")
# What VAT is about; the other types only move money.
TURNOVER = (EntryType.SALE, EntryType.REFUND)


@dataclass
class Totals:
    """Sums of signed amounts. What came in and what went out are both positive; `net` is their difference."""

    money_in: Decimal = ZERO
    money_out: Decimal = ZERO
    net: Decimal = ZERO
    by_method: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(Method.values, ZERO))
    by_type: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(EntryType.values, ZERO))
    # Sales less refunds at each rate; None has what was booked without its VAT.
    gross_and_vat: dict[Decimal | None, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def turnover(self) -> Decimal:
        """Sales less refunds, VAT included."""
        return sum((self.by_type[kind] for kind in TURNOVER), ZERO)

    @property
    def by_vat(self) -> list["VatTotal"]:
        """The turnover at each VAT rate, the lowest first; what was booked without its VAT last, as net."""
        told = sorted((rate, *sums) for rate, sums in self.gross_and_vat.items() if rate is not None)
        untold = [(None, *sums) for rate, sums in self.gross_and_vat.items() if rate is None]
        return [VatTotal(rate, gross - vat, vat, gross) for rate, gross, vat in [*told, *untold]]

    def add(self, group: dict[str, Any]) -> None:
        """Take in what the database added up, in cents, of one method, type, VAT and sign."""
        net = group["cents"] * CENT
        self.money_in += max(net, ZERO)
        self.money_out += max(-net, ZERO)
        self.net += net
        self.by_method[group["method"]] += net
        self.by_type[group["type"]] += net
        if group["type"] in TURNOVER:
            # Entries with the same VAT have the same amount.
            times = group["entries"] * int(group["sign"])
            for rate, gross, vat in shares_in(group["vat"]):
                self._add_vat(rate, times * gross, times * vat)
            if not group["vat"]:
                self._add_vat(None, net, ZERO)

    def _add_vat(self, rate: Decimal | None, gross: Decimal, vat: Decimal) -> None:
        so_far = self.gross_and_vat.get(rate, (ZERO, ZERO))
        self.gross_and_vat[rate] = (so_far[0] + gross, so_far[1] + vat)


@dataclass(frozen=True)
class VatTotal:
    """The turnover at one VAT rate, in per cent."""

    rate: Decimal | None
    net: Decimal
    vat: Decimal
    gross: Decimal


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
    for group in grouped(entries.annotate(day=TruncDate("created_at", tzinfo=clock.shop_zone())), "day"):
        days[group["day"]].add(group)
        total.add(group)
    return Summary(first, last, list(days.values()), total)


def grouped(entries: QuerySet[CashEntry], *by: str) -> QuerySet[CashEntry, Any]:
    """Have the database add up `entries` by method, type, VAT and sign: one statement, which sees one moment."""
    groups: QuerySet[CashEntry, Any] = (
        entries.order_by()
        .annotate(sign=Sign("signed_amount"))
        .values(*by, "method", "type", "vat", "sign")
        .annotate(
            cents=Sum(cents("signed_amount")),
            entries=Count("pk"),
            reversals=Count("reversal_of"),
            voided=Coalesce(Sum(cents("amount"), filter=Q(reversal_of__isnull=False)), 0),
            first=Min("number"),
            last=Max("number"),
        )
    )
    return groups
