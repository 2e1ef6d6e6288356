"""Whether the cash book is still what was written: numbers, hashes, heads and sums, computed anew."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from bakery import clock
from bakery.db import CENT, little_memory
from cashbook.models import (
    GENESIS,
    SIGN,
    CashEntry,
    EntryType,
    Method,
    MonthlyClosing,
    Register,
    ZReport,
    cents,
    hash_of,
    instant,
    read_vat,
)
from cashbook.selectors.statements import month, report

WRITTEN_BY_SQLITE = len("2026-11-25 07:00:00.000000")


def checks() -> Iterator[str]:
    """Yield a line for each thing about the cash book that is not as it must be."""
    yield from problems()


def problems(first: date | None = None, last: date | None = None) -> Iterator[str]:
    """Yield a line for each entry and session that was tampered with; of the shop's days `first` to `last`, or of all.

    With `last`, what came after it is not looked at, and so neither is the end of the book.
    """
    with little_memory(cache_size=-4000):
        yield from _problems(first, last)


def _problems(first: date | None, last: date | None) -> Iterator[str]:
    for register in Register.objects.order_by("name"):
        yield from _entry_problems(register, first, last)
        yield from _session_problems(register, first, last)
        yield from _z_problems(register, first, last)
        yield from _closing_problems(register, first, last)
    for pk in CashEntry.objects.filter(~Exists(Register.objects.filter(pk=OuterRef("register_id")))).values_list("pk"):
        yield f"entry with the id {pk[0]}: its register is not there."


class _Row(NamedTuple):
    """An entry as it is stored. Amounts and time come as text, since reading them as such would round an edit away."""

    pk: int
    number: int
    type: str
    amount: str
    signed_amount: str
    method: str
    notes: str
    reference: str
    session_id: int | None
    session: int | None
    session_register: int | None
    reversal_id: int | None
    reversal_of: int | None
    reversal_register: int | None
    user_id: int
    created_at: str
    previous_hash: str
    hash: str
    vat: str
    signature: str
    # The register's head travels with each row: one statement sees one moment, whoever books meanwhile.
    last_number: int
    last_hash: str

    def is_sound(self, register: Register) -> bool:
        """Whether the content gives the hash."""
        # Within the hash a session and a reversed entry have their numbers alone, which are those of the register.
        for key, owner in ((self.session_id, self.session_register), (self.reversal_id, self.reversal_register)):
            if key is not None and owner != register.pk:
                return False
        columns = [
            register.name,
            self.number,
            self.type,
            _money(self.amount),
            _money(self.signed_amount),
            self.method,
            self.notes,
            self.reference,
            self.session,
            self.reversal_of,
            self.user_id,
            _instant(self.created_at),
            self.previous_hash,
        ]
        return self.hash == hash_of([*columns, self.vat, self.signature] if self.vat or self.signature else columns)

    def has_its_sign(self) -> bool:
        """Whether the signed amount is what the type, or taking it back, makes of the amount."""
        sign = SIGN[EntryType(self.type)] * (1 if self.reversal_of is None else -1)
        return _money(self.signed_amount) == ("" if sign > 0 else "-") + _money(self.amount)

    def has_its_vat(self) -> bool:
        """Whether what it contains at each VAT rate adds up to the amount."""
        return not self.vat or _gross_of(self.vat) == _money(self.amount)


def _entry_problems(register: Register, first: date | None, last: date | None) -> Iterator[str]:
    start, end = _span(register, first, last)
    # The entry before the span is read as well, unlooked at: the first one must follow it.
    due, previous, newest = max(start - 1, 1), GENESIS, None
    for row in _rows(register, due, end):
        if start == 1 or newest is not None or row.number != due:
            yield from _row_problems(register, row, due=due, previous=previous, after=newest)
        if isinstance(row.number, int):  # SQLite takes anything for a number
            due, previous, newest = row.number + 1, row.hash, row
    if end is None:
        yield from _head_problems(register, newest)


def _row_problems(register: Register, row: _Row, *, due: int, previous: str, after: _Row | None) -> Iterator[str]:
    name = f"{register.name} {row.number}"
    if not isinstance(row.number, int) or row.number < due:
        yield f"{name}: its number is out of order."
    elif row.number > due:
        yield f"{_numbers(register, due, row.number - 1)}: missing."
    elif row.previous_hash != previous:
        yield f"{name}: it does not follow from the entry before it."
    if not row.is_sound(register):
        yield f"{name}: it was changed, its content does not give its hash."
    elif not row.has_its_sign():
        yield f"{name}: its sign is not that of its type."
    elif not row.has_its_vat():
        yield f"{name}: its VAT rates do not make up its amount."
    if after is not None and row.pk <= after.pk:
        yield f"{name}: it was written before the entry that it follows."


def _head_problems(register: Register, newest: _Row | None) -> Iterator[str]:
    """Compare the last entry with what the register remembers of it."""
    if newest is None:
        if Register.objects.filter(pk=register.pk, last_number__gt=0, entries=None).exists():
            yield f"{_numbers(register, 1, register.last_number)}: missing, the register remembers them."
    elif newest.number < newest.last_number:
        yield f"{_numbers(register, newest.number + 1, newest.last_number)}: cut off, the register remembers them."
    elif newest.number > newest.last_number:
        yield f"{_numbers(register, newest.last_number + 1, newest.number)}: the register knows nothing of them."
    elif newest.hash != newest.last_hash:
        yield f"{register.name} {newest.number}: it is not the last entry that the register remembers."


def _numbers(register: Register, first: int, last: int) -> str:
    return f"{register.name} {first}" + (f" to {last}" if last > first else "")


def _session_problems(register: Register, first: date | None, last: date | None) -> Iterator[str]:
    sessions = _within(register.sessions.order_by("number"), "opened_at", first, last)
    due = 1 if first is None else None
    reported = False
    for number, closed_at, z_report in sessions.values_list("number", "closed_at", "z_report"):
        name = f"session {register.name} {number}"
        if due is not None and number != due:
            yield f"{name}: the one before it is missing."
        if closed_at is not None and z_report is None and reported:
            yield f"{name}: its Z report is missing."
        due, reported = number + 1, reported or z_report is not None
    # From the days before there were Z reports.
    cash = Sum(cents("entries__signed_amount"), filter=Q(entries__method=Method.CASH))
    unreported = sessions.filter(z_report=None, closed_at__isnull=False).annotate(cash=cash)
    for number, float_amount, expected, taken in unreported.values_list("number", "float_amount", "expected", "cash"):
        found = float_amount + (taken or 0) * CENT
        if expected != found:
            yield (
                f"session {register.name} {number}: {expected} was expected at its close, but its entries make {found}."
            )


def _z_problems(register: Register, first: date | None, last: date | None) -> Iterator[str]:
    """Compute every Z report anew and compare."""
    newest = None
    reports = _within(register.z_reports.order_by("number", "pk"), "created_at", first, last)
    for z in reports.select_related("session").iterator(chunk_size=100):
        name = f"Z report {register.name} {z.number}"
        yield from _chain_problems(z, newest, register, name, whole=first is None)
        newest = z
        try:
            told = z.figures
            found = report(z.session, upto=told["book_number"]).figures()
        except (ValueError, LookupError, TypeError, ArithmeticError, DatabaseError):
            yield f"{name}: it cannot be read."
            continue
        yield from _differences(name, told, found)
    if last is None:
        # Asked after the reports were read: one that was written meanwhile is no news.
        yield from _z_head_problems(register, newest)


def _z_head_problems(register: Register, newest: ZReport | None) -> Iterator[str]:
    if newest is None:
        if register.last_z_number and not register.z_reports.exists():
            yield f"Z report {register.name} {register.last_z_number}: missing, the register remembers it."
    elif newest.number < register.last_z_number:
        yield f"Z report {register.name} {newest.number + 1}: cut off, the register remembers it."
    elif newest.number == register.last_z_number and newest.hash != register.last_z_hash:
        yield f"Z report {register.name} {newest.number}: it is not the last one that the register remembers."
    elif newest.number > Register.objects.values_list("last_z_number", flat=True).get(pk=register.pk):
        yield f"Z report {register.name} {newest.number}: the register knows nothing of it."


def _closing_problems(register: Register, first: date | None, last: date | None) -> Iterator[str]:
    """Compute every monthly closing anew and compare."""
    before = None
    closings = register.closings.order_by("number", "pk")
    if first is not None:
        before = closings.filter(month__lt=first.replace(day=1)).last()
        closings = closings.filter(month__gte=first.replace(day=1))
    if last is not None:
        closings = closings.filter(month__lte=last)
    for closing in closings.iterator(chunk_size=100):
        name = f"closing {register.name} {closing}"
        yield from _chain_problems(closing, before, register, name, whole=first is None)
        try:
            told = closing.figures
            found = month(register, closing.month, before=before, upto=told["book_number"])
            yield from _differences(name, told, found.figures())
        except (ValueError, LookupError, TypeError, ArithmeticError, DatabaseError):
            yield f"{name}: it cannot be read, or the one before it."
        before = closing


def _chain_problems(
    statement: ZReport | MonthlyClosing,
    before: ZReport | MonthlyClosing | None,
    register: Register,
    name: str,
    *,
    whole: bool,
) -> Iterator[str]:
    if (before is not None or whole) and statement.number != (before.number if before else 0) + 1:
        yield f"{name}: the one before it is missing."
    elif statement.previous_hash != (before.hash if before else GENESIS if whole else statement.previous_hash):
        yield f"{name}: it does not follow from the one before it."
    if statement.hash != statement.compute_hash(register.name):
        yield f"{name}: it was changed, its content does not give its hash."


def _differences(name: str, told: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Yield a line for the first figure that is not what the book gives."""
    for key in sorted(told.keys() | found.keys()):
        if told.get(key) != found.get(key):
            yield f"{name}: {key} is {told.get(key)} in it, but the book gives {found.get(key)}."
            return


def _within(rows: QuerySet[Any], at: str, first: date | None, last: date | None) -> QuerySet[Any]:
    """Narrow `rows` to those whose instant `at` lies in the shop's days from `first` to `last`."""
    if first is not None:
        rows = rows.filter(**{f"{at}__gte": clock.start_of(first)})
    if last is not None:
        rows = rows.filter(**{f"{at}__lt": clock.bounds(last, last)[1]})
    return rows


def _span(register: Register, first: date | None, last: date | None) -> tuple[int, int | None]:
    """Return the numbers to look at: the first, and the last or None for the end of the book."""
    entries = CashEntry.objects.filter(register=register)
    start, end = 1, None
    if first is not None:
        found = entries.filter(created_at__gte=clock.start_of(first)).aggregate(number=Min("number"))["number"]
        start = found or (entries.aggregate(number=Max("number"))["number"] or 0) + 1
    if last is not None:
        found = entries.filter(created_at__lt=clock.bounds(last, last)[1]).aggregate(number=Max("number"))["number"]
        end = found or 0
    return start, end


def _rows(register: Register, start: int, end: int | None) -> Iterator[_Row]:
    entries = CashEntry.objects.filter(register=register, number__gte=start if start > 1 else 0)
    if end is not None:
        entries = entries.filter(number__lte=end)
    columns = entries.order_by("number", "pk").values_list(
        "pk",
        "number",
        "type",
        Cast("amount", TextField()),
        Cast("signed_amount", TextField()),
        "method",
        "notes",
        "reference",
        "session_id",
        "session__number",
        "session__register_id",
        "reversal_of_id",
        "reversal_of__number",
        "reversal_of__register_id",
        "user_id",
        Cast("created_at", TextField()),
        "previous_hash",
        "hash",
        "vat",
        "signature",
        "register__last_number",
        "register__last_hash",
    )
    return map(_Row._make, columns.iterator(chunk_size=2000))


# Bakeries sell for the same amounts again and again.
@lru_cache(maxsize=16384)
def _money(text: str) -> str:
    """Write an amount as it was hashed, or as it stands where it is none."""
    try:
        amount = Decimal(text)
        return f"{amount:.2f}" if amount == round(amount, 2) else text
    except InvalidOperation:
        return text


@lru_cache(maxsize=16384)
def _gross_of(vat: str) -> str | None:
    try:
        return f"{sum(share.gross for share in read_vat(vat)):.2f}"
    except ValueError:
        return None


def _instant(text: str) -> str:
    """Write an instant as it was hashed, or as it stands where it is none. SQLite keeps it in UTC without saying so."""
    # PostgreSQL's text may be as long, but ends with its offset.
    if len(text) == WRITTEN_BY_SQLITE and text[10] == " " and text[-3:].isdigit():
        return f"{text[:10]}T{text[11:]}+00:00"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return instant(found if found.tzinfo else found.replace(tzinfo=UTC))
