"""What a session or a month came to: the X report of this moment, the Z report and the closing that are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import Max, QuerySet

from bakery import clock
from cashbook.models import (
    CashEntry,
    CashSession,
    EntryType,
    Method,
    MonthlyClosing,
    Register,
    ZReport,
    instant,
)
from cashbook.selectors.sums import ZERO, Totals, grouped

Figures = dict[str, Any]


@dataclass(kw_only=True)
class Span(Totals):
    """Some entries of one register that follow each other."""

    entries: int = 0
    transactions: int = 0
    reversals: int = 0
    voided: Decimal = ZERO
    first_number: int | None = None
    last_number: int | None = None
    sales_by_method: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(Method.values, ZERO))
    refunds_by_method: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(Method.values, ZERO))

    def add(self, group: dict[str, Any]) -> None:
        super().add(group)
        self.entries += group["entries"]
        self.reversals += group["reversals"]
        self.voided += Decimal(group["voided"]).scaleb(-2)
        self.first_number = min(self.first_number or group["first"], group["first"])
        self.last_number = max(self.last_number or 0, group["last"])
        tenders = {EntryType.SALE: self.sales_by_method, EntryType.REFUND: self.refunds_by_method}.get(group["type"])
        if tenders is not None:
            tenders[group["method"]] += Decimal(group["cents"]).scaleb(-2)
            self.transactions += group["entries"] - group["reversals"]

    def figures(self) -> Figures:
        """Return the sums as a statement keeps them, money as text."""
        return {
            "in": _money(self.money_in),
            "out": _money(self.money_out),
            "net": _money(self.net),
            "turnover": _money(self.turnover),
            "by_method": _moneys(self.by_method),
            "by_type": _moneys(self.by_type),
            "by_vat": [
                [None if row.rate is None else _money(row.rate), _money(row.net), _money(row.vat), _money(row.gross)]
                for row in self.by_vat
            ],
            "sales_by_method": _moneys(self.sales_by_method),
            "refunds_by_method": _moneys(self.refunds_by_method),
            "entries": self.entries,
            "transactions": self.transactions,
            "reversals": self.reversals,
            "voided": _money(self.voided),
            "first_number": self.first_number,
            "last_number": self.last_number,
        }

    def read(self, figures: Figures) -> None:
        """Take over what `figures` wrote."""
        self.money_in, self.money_out, self.net = (Decimal(figures[name]) for name in ("in", "out", "net"))
        for sums, name in (
            (self.by_method, "by_method"),
            (self.by_type, "by_type"),
            (self.sales_by_method, "sales_by_method"),
            (self.refunds_by_method, "refunds_by_method"),
        ):
            sums.update((key, Decimal(amount)) for key, amount in figures[name].items())
        self.gross_and_vat = {
            None if rate is None else Decimal(rate): (Decimal(gross), Decimal(vat))
            for rate, _, vat, gross in figures["by_vat"]
        }
        for name in ("entries", "transactions", "reversals", "first_number", "last_number"):
            setattr(self, name, figures[name])
        self.voided = Decimal(figures["voided"])


@dataclass(kw_only=True)
class Report(Span):
    """What a session has taken, and the cash that its drawer should hold. Reading it changes nothing."""

    session: CashSession
    expected: Decimal
    # The book's end at that moment, and all that the register had sold less refunds since it was set up.
    book_number: int
    chain_head: str
    perpetual_total: Decimal
    z_number: int | None = None
    made_at: datetime

    @property
    def kind(self) -> str:
        """`Z` once it is kept for good, `X` before."""
        return "X" if self.z_number is None else "Z"

    def figures(self) -> Figures:
        """Return all that a Z report keeps. People are their ids, so that it outlives their names."""
        session = self.session
        return {
            **super().figures(),
            "session": session.number,
            "opened_at": instant(session.opened_at),
            "opened_by": session.opened_by_id,
            "float": _money(session.float_amount),
            "closed_at": session.closed_at and instant(session.closed_at),
            "closed_by": session.closed_by_id,
            "expected": _money(self.expected),
            "counted": None if session.counted is None else _money(session.counted),
            "difference": None if session.difference is None else _money(session.difference),
            "denominations": session.denominations,
            "note": session.note,
            "book_number": self.book_number,
            "chain_head": self.chain_head,
            "perpetual_total": _money(self.perpetual_total),
        }


def report(session: CashSession, *, upto: int | None = None) -> Report:
    """Add up a session as its book stood at the entry number `upto`, or stands now.

    X, Z and the proof of a Z are this one function. The drawer should hold the float and the cash that came in, less
    what went out. A session that was closed before there were Z reports ends with its own last entry.
    """
    now = clock.now()
    if upto is None:
        upto = _end_of(session)
    # The head is read first, and nothing after it is looked at: all figures are of one moment, whoever books.
    entries = CashEntry.objects.filter(register_id=session.register_id, number__lte=upto)
    before = ZReport.objects.filter(register_id=session.register_id, session__number__lt=session.number)
    found = Report(
        session=session,
        expected=session.float_amount,
        book_number=upto,
        chain_head=entries.filter(number=upto).values_list("hash", flat=True).first() or "",
        perpetual_total=_perpetual(entries, before.order_by("-number").first()),
        made_at=now,
    )
    add_up(entries.filter(session=session), found)
    found.expected += found.by_method[Method.CASH]
    return found


def kept(z: ZReport) -> Report:
    """Return a Z report as it was written."""
    figures, session = z.figures, z.session
    for name in ("float", "expected", "counted"):
        setattr(session, "float_amount" if name == "float" else name, Decimal(figures[name]))
    session.note, session.denominations = figures["note"], figures["denominations"]
    found = Report(
        session=session,
        expected=Decimal(figures["expected"]),
        book_number=figures["book_number"],
        chain_head=figures["chain_head"],
        perpetual_total=Decimal(figures["perpetual_total"]),
        z_number=z.number,
        made_at=z.created_at,
    )
    found.read(figures)
    return found


def report_of(session: CashSession) -> Report:
    """Return the Z report of a session where there is one, or else the X report of this moment."""
    z = ZReport.objects.filter(session=session).first()
    if z is None:
        return report(session)
    z.session = session
    return kept(z)


@dataclass(kw_only=True)
class Month(Span):
    """A month of a register. Its entries are those after the closing before, up to the last one made in the month."""

    month: date
    closing: MonthlyClosing | None = None
    book_number: int
    chain_head: str
    # Sales less refunds since the first of January, and since the register was set up.
    year_total: Decimal = ZERO
    perpetual_total: Decimal = ZERO

    def figures(self) -> Figures:
        """Return all that a closing keeps."""
        return {
            **super().figures(),
            "month": f"{self.month:%Y-%m}",
            "book_number": self.book_number,
            "chain_head": self.chain_head,
            "year_total": _money(self.year_total),
            "perpetual_total": _money(self.perpetual_total),
        }


def month(register: Register, first: date, *, before: MonthlyClosing | None, upto: int | None = None) -> Month:
    """Add up the month that begins on `first`, after the closing `before`; up to the entry `upto`, or its last."""
    entries = CashEntry.objects.filter(register=register)
    past: Figures = before.figures if before else {"book_number": 0, "year_total": "0.00", "perpetual_total": "0.00"}
    if upto is None:
        until = clock.start_of(next_month(first))
        latest = entries.filter(created_at__lt=until).aggregate(latest=Max("number"))["latest"]
        upto = max(latest or 0, int(past["book_number"]))
    found = Month(
        month=first,
        book_number=upto,
        chain_head=entries.filter(number=upto).values_list("hash", flat=True).first() or "",
    )
    add_up(entries.filter(number__gt=past["book_number"], number__lte=upto), found)
    same_year = before is not None and before.month.year == first.year
    found.year_total = found.turnover + (Decimal(past["year_total"]) if same_year else ZERO)
    found.perpetual_total = found.turnover + Decimal(past["perpetual_total"])
    return found


def kept_month(closing: MonthlyClosing) -> Month:
    """Return a monthly closing as it was written."""
    figures = closing.figures
    found = Month(
        month=closing.month,
        closing=closing,
        book_number=figures["book_number"],
        chain_head=figures["chain_head"],
        year_total=Decimal(figures["year_total"]),
        perpetual_total=Decimal(figures["perpetual_total"]),
    )
    found.read(figures)
    return found


def next_month(first: date) -> date:
    """Return the first day of the month after the one that begins on `first`."""
    return (first + timedelta(days=31)).replace(day=1)


def add_up(entries: QuerySet[CashEntry], into: Span) -> None:
    for group in grouped(entries):
        into.add(group)


def write(figures: Mapping[str, Any]) -> str:
    """Write figures as a statement keeps them: JSON with its keys in order."""
    return orjson.dumps(figures, option=orjson.OPT_SORT_KEYS).decode()


def _end_of(session: CashSession) -> int:
    if session.is_open:
        return Register.objects.values_list("last_number", flat=True).get(pk=session.register_id)
    return session.entries.aggregate(last=Max("number"))["last"] or 0


def _perpetual(entries: QuerySet[CashEntry], before: ZReport | None) -> Decimal:
    """Return the turnover of `entries`, of which the report `before` has most already."""
    past: Figures = before.figures if before else {"book_number": 0, "perpetual_total": "0.00"}
    since = Span()
    add_up(entries.filter(number__gt=past["book_number"]), since)
    return since.turnover + Decimal(past["perpetual_total"])


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _moneys(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {str(name): _money(amount) for name, amount in amounts.items()}
