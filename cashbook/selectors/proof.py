"""Whether the cash book is still what was written: numbers, hashes, heads and sums, computed anew."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from django.db.models import Exists, Max, Min, OuterRef, Q, Sum, TextField
from django.db.models.functions import Cast

from bakery import clock
from bakery.db import CENT, missing_triggers
from cashbook.models import GENESIS, SIGN, CashEntry, EntryType, Method, Register, cents, hash_of


def checks() -> Iterator[str]:
    """Yield a line for each thing about the cash book that is not as it must be."""
    for name in missing_triggers():
        yield f"The trigger {name} is missing: entries could be changed."
    yield from problems()


def problems(first: date | None = None, last: date | None = None) -> Iterator[str]:
    """Yield a line for each entry and session that was tampered with; of the shop's days `first` to `last`, or of all.

    With `last`, what came after it is not looked at, and so neither is the end of the book.
    """
    for register in Register.objects.order_by("name"):
        yield from _entry_problems(register, first, last)
        yield from _session_problems(register, first, last)
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
    # The register's head travels with each row: one statement sees one moment, whoever books meanwhile.
    last_number: int
    last_hash: str

    def is_sound(self, register: Register) -> bool:
        """Whether the content gives the hash."""
        # Within the hash a session and a reversed entry have their numbers alone, which are those of the register.
        for key, owner in ((self.session_id, self.session_register), (self.reversal_id, self.reversal_register)):
            if key is not None and owner != register.pk:
                return False
        return self.hash == hash_of(
            [
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
        )

    def has_its_sign(self) -> bool:
        """Whether the signed amount is what the type, or taking it back, makes of the amount."""
        sign = SIGN[EntryType(self.type)] * (1 if self.reversal_of is None else -1)
        return Decimal(self.signed_amount) == sign * Decimal(self.amount)


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
    sessions = register.sessions.order_by("number")
    if first is not None:
        sessions = sessions.filter(opened_at__gte=clock.start_of(first))
    if last is not None:
        sessions = sessions.filter(opened_at__lt=clock.bounds(last, last)[1])
    due = 1 if first is None else None
    cash = Sum(cents("entries__signed_amount"), filter=Q(entries__method=Method.CASH))
    figures = sessions.annotate(cash=cash).values_list("number", "float_amount", "expected", "cash")
    for number, float_amount, expected, taken in figures:
        name = f"session {register.name} {number}"
        if due is not None and number != due:
            yield f"{name}: the one before it is missing."
        due = number + 1
        found = float_amount + (taken or 0) * CENT
        if expected is not None and expected != found:
            yield f"{name}: {expected} was expected at its close, but its entries make {found}."


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
        "register__last_number",
        "register__last_hash",
    )
    return map(_Row._make, columns.iterator(chunk_size=2000))


def _money(text: str) -> str:
    """Write an amount as it was hashed, or as it stands where it is none."""
    try:
        amount = Decimal(text)
        return f"{amount:.2f}" if amount == round(amount, 2) else text
    except InvalidOperation:
        return text


def _instant(text: str) -> str:
    """Write an instant as it was hashed, or as it stands where it is none. SQLite keeps it in UTC without saying so."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (
        (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
    )
