"""Another till's tickets: years of them, at their own prices, each once however often they are imported."""

import csv
import gzip
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import NamedTuple, TextIO

from django.db import transaction

from bakery import clock
from bakery.db import MOST_MONEY
from bakery.errors import DomainError, Problem
from orders.models import Channel, Order, OrderEvent, OrderItem, Status
from orders.services.lines import set_totals
from orders.services.storing import new_code, new_token
from products.models import Place, Product
from products.selectors import rates_on

COLUMNS = ("date", "time", "ticket", "article", "quantity", "unit_price")
TICKETS_AT_ONCE = 1000

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_TICKET = re.compile(r"[!-~]{1,40}")
_QUANTITY = re.compile(r"-?[0-9]{1,6}")
_PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")


class Report(NamedTuple):
    """What an import did: tickets and lines stored, lines skipped, tickets that were there already."""

    tickets: int
    lines: int
    skipped: int
    already_there: int


class _Line(NamedTuple):
    product: Product
    quantity: int
    price: Decimal


class _Ticket(NamedTuple):
    day: date
    at: datetime
    number: str
    lines: list[_Line]

    @property
    def reference(self) -> str:
        return f"ticket:{self.day}:{self.number}"

    @property
    def turnover(self) -> Decimal:
        """What was sold and what was taken back, added up."""
        return sum((abs(line.quantity) * line.price for line in self.lines), Decimal(0))


def import_sales(path: Path, *, progress: Callable[[int, int], None] = lambda *_: None) -> Report:
    """Store each ticket of the file as a completed sale of the day it was made, without cash entries.

    The whole file is read and checked before anything is written; a DomainError then names every bad line. Tickets are
    written in transactions of a thousand, so that others need not wait, and an import that was cut short is completed
    by the next one. `progress` is called with the number of tickets done, and of all.
    """
    tickets, skipped = _read(path)
    rates = cache(partial(rates_on, place=Place.TAKEAWAY))
    lines = stored = 0
    for start in range(0, len(tickets), TICKETS_AT_ONCE):
        fresh = _store(tickets[start : start + TICKETS_AT_ONCE], rates)
        stored += len(fresh)
        lines += sum(len(ticket.lines) for ticket in fresh)
        progress(min(start + TICKETS_AT_ONCE, len(tickets)), len(tickets))
    return Report(stored, lines, skipped, len(tickets) - stored)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _read(path: Path) -> tuple[list[_Ticket], int]:
    """Return the tickets of the file, and how many of its lines are of no account."""
    find = _finder()
    tickets: dict[tuple[date, str], _Ticket] = {}
    problems: list[Problem] = []
    unknown: set[str] = set()
    skipped = 0
    with _open(path) as file:
        for number, cells in _rows(file):
            faults = [Problem("invalid", f"line {number}: {fault}", f"rows.{number}") for fault in _faults(cells)]
            if faults:
                problems += faults
                continue
            day, at, ticket, article, quantity, price = _values(cells)
            product = find(article)
            if quantity == 0 or (product is None and price == 0):
                skipped += 1
            elif product is not None:
                found = tickets.setdefault((day, ticket), _Ticket(day, at, ticket, []))
                found.lines.append(_Line(product, quantity, price))
            elif article not in unknown:
                unknown.add(article)
                message = f"line {number}: there is no product named {article!r}; import or add it first"
                problems.append(Problem("does_not_exist", message, f"rows.{number}.article"))
    problems += [_too_much(ticket) for ticket in tickets.values() if ticket.turnover > MOST_MONEY]
    if problems:
        raise DomainError.of(problems)
    return list(tickets.values()), skipped


def _rows(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its line, its cells in the order of COLUMNS."""
    reader = csv.reader(file, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise DomainError(f"line 1: the columns {', '.join(missing)} are missing", field="rows.1")
        places = [header.index(name) for name in COLUMNS]
        for row in reader:
            if len(row) == len(header):
                yield reader.line_num, [row[place].strip() for place in places]
            elif row:
                raise DomainError(f"line {reader.line_num}: {len(row)} cells instead of {len(header)}")
    except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise DomainError(f"The file cannot be read after line {reader.line_num}: {error}") from error


def _faults(cells: list[str]) -> Iterator[str]:
    day, at, ticket, _, quantity, price = cells
    if not _DATE.fullmatch(day) or _day(day) is None:
        yield f"the date {day!r} is not YYYY-MM-DD"
    if not _TIME.fullmatch(at) or _time(at) is None:
        yield f"the time {at!r} is not HH:MM"
    if not _TICKET.fullmatch(ticket):
        yield f"the ticket {ticket!r} is not 1 to 40 plain characters"
    if not _QUANTITY.fullmatch(quantity):
        yield f"the quantity {quantity!r} is not a whole number"
    if not _PRICE.fullmatch(price):
        yield f"the unit_price {price!r} is not an amount such as 1.20"


def _too_much(ticket: _Ticket) -> Problem:
    return Problem("max_value", f"ticket {ticket.number} of {ticket.day} comes to more than {MOST_MONEY}")


def _values(cells: list[str]) -> tuple[date, datetime, str, str, int, Decimal]:
    day, at = _day(cells[0]), _time(cells[1])
    assert day is not None
    assert at is not None
    # A till's clock may show an hour that summer time skips or repeats: then the first of the two is as good as any.
    instant = datetime.combine(day, at, clock.shop_zone()).astimezone(UTC)
    return day, instant, cells[2], cells[3], int(cells[4]), _price(cells[5])


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 2200 else None


@lru_cache(maxsize=4096)
def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _price(text: str) -> Decimal:
    return Decimal(text)


def _finder() -> Callable[[str], Product | None]:
    """Return what finds a product by its name: exactly, or else whatever the case.

    Where several have the name, an active one goes before a retired one, and an older before a newer.
    """
    exact: dict[str, Product] = {}
    folded: dict[str, Product] = {}
    for product in Product.objects.order_by("is_active", "-pk"):
        name = unicodedata.normalize("NFC", product.name).strip()
        exact[name] = folded[name.casefold()] = product

    @cache
    def find(article: str) -> Product | None:
        name = unicodedata.normalize("NFC", article).strip()
        return exact.get(name) or folded.get(name.casefold())

    return find


@transaction.atomic
def _store(tickets: list[_Ticket], rates: Callable[[date], dict[int, Decimal]]) -> list[_Ticket]:
    """Write those of `tickets` that are not there yet, and return them."""
    there = set(
        Order.objects.filter(external_reference__in=[ticket.reference for ticket in tickets]).values_list(
            "external_reference", flat=True
        )
    )
    fresh = [ticket for ticket in tickets if ticket.reference not in there]
    codes = _free_codes(len(fresh))
    pairs = [_as_order(ticket, code, rates(ticket.day)) for ticket, code in zip(fresh, codes, strict=True)]
    orders = Order.objects.bulk_create([order for order, _ in pairs])
    for order, items in pairs:
        for item in items:
            item.order = order
    OrderItem.objects.bulk_create([item for _, items in pairs for item in items])
    OrderEvent.objects.bulk_create(
        [
            OrderEvent(order=order, at=order.due_at, to_status=order.status, note="A ticket of another till.")
            for order in orders
        ]
    )
    return fresh


def _as_order(ticket: _Ticket, code: str, rates: dict[int, Decimal]) -> tuple[Order, list[OrderItem]]:
    items = [
        OrderItem(
            product=line.product, product_name=line.product.name, unit_price=line.price,
            vat_rate=rates[line.product.vat_class_id], quantity=line.quantity,
        )
        for line in ticket.lines
    ]  # fmt: skip
    order = Order(
        code=code, tracking_token=new_token(), channel=Channel.COUNTER, status=Status.COMPLETED, due_at=ticket.at,
        due_on=ticket.day, deadline_at=ticket.at, external_reference=ticket.reference,
    )  # fmt: skip
    set_totals(order, items)
    order.paid = order.total
    return order, items


def _free_codes(count: int) -> list[str]:
    """Return so many codes that no order has; another order may still take one meanwhile, hence the constraint."""
    codes: set[str] = set()
    while len(codes) < count:
        drawn = {new_code() for _ in range(count - len(codes))}
        codes |= drawn - set(Order.objects.filter(code__in=drawn).values_list("code", flat=True))
    return list(codes)
