"""Everything that writes in the cash book. The register's row is locked first: it orders all that happens at it."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from bakery import clock
from bakery.db import MOST_MONEY, to_cents
from bakery.errors import AlreadyExists, DomainError
from bakery.models import Shop
from cashbook import selectors
from cashbook.errors import SessionClosed
from cashbook.models import MAIN, SIGN, CashEntry, CashSession, EntryType, Method, Register


@transaction.atomic
def book(
    *,
    type: str,  # noqa: A002  # the name of the column and of the field in the contract
    amount: Decimal,
    method: str,
    actor: User,
    now: datetime | None = None,
    notes: str = "",
    reference: str = "",
    register: str = MAIN,
) -> CashEntry:
    """Append an entry to the book of `register`; its type gives the sign of `amount`, which is above zero.

    `reference` says what caused it, such as `order:7`; `now` is when, or else this instant. Raises SessionClosed for
    cash without an open session where the shop demands one, and DomainError for an unknown register.
    """
    amount = to_cents(amount)
    if not 0 < amount <= MOST_MONEY:
        raise DomainError(f"The amount must be from 0.01 to {MOST_MONEY}.", field="amount", code="out_of_range")
    kind = EntryType(type)
    entry = CashEntry(type=kind, amount=amount, signed_amount=SIGN[kind] * amount, method=method, reference=reference)
    return _append(entry, to=_lock_register(register), actor=actor, now=now, notes=notes)


@transaction.atomic
def reverse(*, entry_id: int, notes: str, actor: User, now: datetime | None = None) -> CashEntry:
    """Take an entry back by its opposite, in the same register.

    Raises AlreadyExists for an entry that was reversed already or is itself a reversal.
    """
    wrong = CashEntry.objects.select_related("register").get(pk=entry_id)
    register = _lock_register(wrong.register.name)
    if wrong.reversal_of_id is not None:
        raise AlreadyExists("This entry is itself a reversal; book what is right as a new entry.", field="reversal_of")
    if CashEntry.objects.filter(reversal_of=wrong).exists():
        raise AlreadyExists("This entry has been reversed already.", field="reversal_of")
    entry = CashEntry(
        type=wrong.type,
        amount=wrong.amount,
        signed_amount=-wrong.signed_amount,
        method=wrong.method,
        reference=wrong.reference,
        reversal_of=wrong,
    )
    return _append(entry, to=register, actor=actor, now=now, notes=notes)


@transaction.atomic
def add_register(*, name: str, label: str = "") -> Register:
    """Set up another register. Its name is for ever, since it is part of what its entries' hashes cover."""
    return Register.objects.create(name=name, label=label)


@transaction.atomic
def open_session(*, register: str, float_amount: Decimal, actor: User) -> CashSession:
    """Open the register's next session with `float_amount` in its drawer. Raises AlreadyExists while one is open."""
    at = _lock_register(register)
    if at.sessions.still_open().exists():
        raise AlreadyExists(f"A session of the register {register} is open; close it first.", field="register")
    last = at.sessions.aggregate(last=Max("number"))["last"] or 0
    return CashSession.objects.create(
        register=at, number=last + 1, float_amount=float_amount, opened_by=actor, opened_at=clock.now()
    )


@transaction.atomic
def close_session(*, session_id: int, counted: Decimal, note: str, actor: User) -> CashSession:
    """Close a session for good, with what was `counted` in the drawer. Raises SessionClosed the second time."""
    _lock_register(CashSession.objects.values_list("register__name", flat=True).get(pk=session_id))
    session = CashSession.objects.select_for_update().get(pk=session_id)
    if not session.is_open:
        raise SessionClosed("This session is closed already.")
    session.expected = selectors.report(session).expected
    session.counted = counted
    session.note = note
    session.closed_by = actor
    session.closed_at = clock.now()
    session.save(update_fields=["expected", "counted", "note", "closed_by", "closed_at"])
    return session


def _lock_register(name: str) -> Register:
    return Register.objects.select_for_update().named(name)


def _append(entry: CashEntry, *, to: Register, actor: User, now: datetime | None, notes: str) -> CashEntry:
    """Write `entry` as the next one of the register `to`, whose row is locked, and move its head."""
    entry.session = to.sessions.still_open().first()
    if entry.session is None and entry.method == Method.CASH and Shop.get().requires_cash_session:
        raise SessionClosed("No session of this register is open; open one before taking or paying out cash.")
    entry.register = to
    entry.number = to.last_number + 1
    entry.user = actor
    entry.notes = notes
    # The clock is read under the lock, so that numbers and times run the same way.
    entry.created_at = now or clock.now()
    entry.previous_hash = to.last_hash
    entry.hash = entry.compute_hash()
    entry.save(force_insert=True)
    # Not by save(): the head moves with every entry, and is no change that the register's history should tell.
    Register.objects.filter(pk=to.pk).update(last_number=entry.number, last_hash=entry.hash)
    return entry
