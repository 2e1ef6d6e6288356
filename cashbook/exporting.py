"""The entries of some days as a table, with all that the chain covers."""

from collections.abc import Iterator
from datetime import date

from bakery import clock
from bakery.errors import DomainError
from bakery.tables import Cell, Table
from cashbook.models import CashEntry, CashEntryQuerySet

COLUMNS = (
    "register", "number", "created_at", "type", "amount", "signed_amount", "method", "reference", "notes", "session",
    "reversal_of", "user", "vat", "signature", "previous_hash", "hash",
)  # fmt: skip


MOST_ROWS_OF_A_SHEET = 1_048_576 - 1


def require_fits_a_sheet(first: date, last: date, register: str | None = None) -> None:
    """Raise DomainError where there are more entries than a workbook's sheet has rows."""
    count = _entries(first, last, register).count()
    if count > MOST_ROWS_OF_A_SHEET:
        raise DomainError(f"{count} entries are more than a sheet has rows; take fewer days, or CSV.", field="as")


def entries_table(first: date, last: date, register: str | None = None) -> Table:
    """Return the entries of the shop's days from `first` to `last`, of one register or all, in order of number.

    A session and a reversed entry have their numbers in the register; `vat` is rate:gross:vat of each rate.
    """
    entries = _entries(first, last, register).select_related("register", "session", "reversal_of", "user")
    name = "-".join(["cash-entries", *([register] if register else []), f"{first}", f"{last}"])
    return Table(name, COLUMNS, _rows(entries.order_by("register__name", "number").iterator(chunk_size=1000)))


def _entries(first: date, last: date, register: str | None) -> CashEntryQuerySet:
    entries = CashEntry.objects.during(first, last)
    return entries if register is None else entries.filter(register__name=register)


def _rows(entries: Iterator[CashEntry]) -> Iterator[tuple[Cell, ...]]:
    for entry in entries:
        yield (
            entry.register.name, entry.number, clock.local(entry.created_at).isoformat(), entry.type, entry.amount,
            entry.signed_amount, entry.method, entry.reference, entry.notes,
            entry.session.number if entry.session else None,
            entry.reversal_of.number if entry.reversal_of else None,
            entry.user.username, entry.vat, entry.signature, entry.previous_hash, entry.hash,
        )  # fmt: skip
