"""The entries of some days as a table, with all that the chain covers."""

from collections.abc import Iterator
from datetime import date

from bakery import clock
from bakery.tables import Cell, Table
from cashbook.models import CashEntry

COLUMNS = (
    "register", "number", "created_at", "type", "amount", "signed_amount", "method", "reference", "notes", "session",
    "reversal_of", "user", "vat", "signature", "previous_hash", "hash",
)  # fmt: skip


def entries_table(first: date, last: date, register: str | None = None) -> Table:
    """Return the entries of the shop's days from `first` to `last`, of one register or all, in order of number.

    A session and a reversed entry have their numbers in the register; `vat` is rate:gross:vat of each rate.
    """
    entries = CashEntry.objects.during(first, last).select_related("register", "session", "reversal_of", "user")
    if register is not None:
        entries = entries.filter(register__name=register)
    name = "-".join(["cash-entries", *([register] if register else []), f"{first}", f"{last}"])
    return Table(name, COLUMNS, _rows(entries.order_by("register__name", "number").iterator(chunk_size=1000)))


def _rows(entries: Iterator[CashEntry]) -> Iterator[tuple[Cell, ...]]:
    for entry in entries:
        yield (
            entry.register.name, entry.number, clock.local(entry.created_at).isoformat(), entry.type, entry.amount,
            entry.signed_amount, entry.method, entry.reference, entry.notes,
            entry.session.number if entry.session else None,
            entry.reversal_of.number if entry.reversal_of else None,
            entry.user.username, entry.vat, entry.signature, entry.previous_hash, entry.hash,
        )  # fmt: skip
