"""Everything that writes in the cash book. The register's row is locked first: it orders all that happens at it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from bakery import clock
from bakery.db import MOST_MONEY, to_cents
from bakery.errors import AlreadyExists, DomainError, InUse, NotFound
from bakery.models import Shop
from cashbook import selectors
from cashbook.errors import SessionClosed
from cashbook.fiscal import signature_of
from cashbook.models import (
    GENESIS,
    MAIN,
    SIGN,
    CashEntry,
    CashSession,
    EntryType,
    Method,
    MonthlyClosing,
    Register,
    VatShare,
    ZReport,
    write_vat,
)

# An order has as many lines at most, and so as many rates.
MOST_RATES = 100


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
    vat: Sequence[VatShare] = (),
) -> CashEntry:
    """Append an entry to the book of `register`; its type gives the sign of `amount`, which is above zero.

    `reference` says what caused it, such as `order:7`; `now` is when, or else this instant; `vat` is what a sale or a
    refund contains at each rate, together the amount (reports show what is booked without it apart). Raises
    SessionClosed for cash without an open session where the shop demands one, and DomainError for an unknown
    register and where `vat` does not add up.
    """
    amount = to_cents(amount)
    if not 0 < amount <= MOST_MONEY:
        raise DomainError(f"The amount must be from 0.01 to {MOST_MONEY}.", field="amount", code="out_of_range")
    kind = EntryType(type)
    _require_sound_vat(kind, amount, vat)
    entry = CashEntry(
        type=kind, amount=amount, signed_amount=SIGN[kind] * amount, method=method, reference=reference,
        vat=write_vat(vat),
    )  # fmt: skip
    return _append(entry, to=_lock_register(register), actor=actor, now=now, notes=notes)


@transaction.atomic
def reverse(*, entry_id: int, notes: str, actor: User, now: datetime | None = None) -> CashEntry:
    """Take an entry back by its opposite, in the same register.

    Raises AlreadyExists for an entry that was reversed already or is itself a reversal, and InUse for one that a
    payment stands on: that is corrected where it was paid, so that both tell the same.
    """
    wrong = CashEntry.objects.select_related("register").get(pk=entry_id)
    register = _lock_register(wrong.register.name)
    if wrong.reversal_of_id is not None:
        raise AlreadyExists("This entry is itself a reversal; book what is right as a new entry.", field="reversal_of")
    if CashEntry.objects.filter(reversal_of=wrong).exists():
        raise AlreadyExists("This entry has been reversed already.", field="reversal_of")
    _require_alone(wrong)
    entry = CashEntry(
        type=wrong.type,
        amount=wrong.amount,
        signed_amount=-wrong.signed_amount,
        method=wrong.method,
        reference=wrong.reference,
        reversal_of=wrong,
        vat=wrong.vat,
    )
    return _append(entry, to=register, actor=actor, now=now, notes=notes)


@transaction.atomic
def add_register(*, name: str, label: str = "") -> Register:
    """Set up another register. Its name is for ever, since it is part of what its entries' hashes cover."""
    return Register.objects.create(name=name, label=label)


@transaction.atomic
def label_register(*, register_id: int, label: str) -> Register:
    """Give a register another label, and leave the head of its book as it is. Raises NotFound."""
    register = Register.objects.select_for_update().filter(pk=register_id).first()
    if register is None:
        raise NotFound("There is no such register.")
    register.label = label
    register.save(update_fields=["label"])
    return register


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
def close_session(
    *,
    session_id: int,
    counted: Decimal,
    note: str,
    actor: User,
    denominations: Mapping[Decimal, int] | None = None,
) -> CashSession:
    """Close a session for good, with what was `counted` in the drawer, and write its Z report.

    `denominations` says how often each note and coin was counted. Raises SessionClosed the second time, and
    DomainError where they do not add up to `counted`, or where a drawer that is off by more than the shop's limit is
    closed without a note.
    """
    register = _lock_register(CashSession.objects.values_list("register__name", flat=True).get(pk=session_id))
    session = CashSession.objects.select_for_update().get(pk=session_id)
    if not session.is_open:
        raise SessionClosed(f"Session {session.number} is closed already.")
    session.denominations = _sorted_count(denominations or {}, counted)
    found = selectors.report(session)
    session.expected = found.expected
    session.counted = counted
    session.note = note
    session.closed_by = actor
    session.closed_at = found.made_at
    _require_note(session)
    session.save(update_fields=["expected", "counted", "denominations", "note", "closed_by", "closed_at"])
    found.session = session
    _write_z(found, register)
    return session


@transaction.atomic
def close_month(*, register: str, now: datetime) -> MonthlyClosing | None:
    """Write the closing of the register's earliest month that is over at `now` and has none, and return it.

    Months without an entry have theirs, too, from the first entry's month on. None where nothing is left to close.
    """
    at = _lock_register(register)
    before = at.closings.order_by("-number").first()
    first = at.entries.order_by("number").values_list("created_at", flat=True).first()
    if first is None:
        return None
    month = selectors.next_month(before.month) if before else clock.shop_day(first).replace(day=1)
    if month >= clock.shop_day(now).replace(day=1):
        return None
    closing = MonthlyClosing(
        register=at,
        month=month,
        number=before.number + 1 if before else 1,
        content=selectors.write(selectors.month(at, month, before=before).figures()),
        created_at=now,
        previous_hash=before.hash if before else GENESIS,
    )
    closing.hash = closing.compute_hash(at.name)
    closing.save(force_insert=True)
    return closing


def tick(now: datetime) -> None:
    """Close the months that are over, in every register."""
    this_month = clock.shop_day(now).replace(day=1)
    registers = Register.objects.filter(last_number__gt=0).annotate(closed=Max("closings__month")).order_by("name")
    for name, closed in registers.values_list("name", "closed"):
        if closed is None or selectors.next_month(closed) < this_month:
            while close_month(register=name, now=now):
                pass


def _lock_register(name: str) -> Register:
    return Register.objects.select_for_update().named(name)


def _require_alone(entry: CashEntry) -> None:
    """Raise InUse where something outside of the cash book refers to the entry, whatever app it is of."""
    for relation in CashEntry._meta.related_objects:
        model = relation.related_model
        if model._meta.app_label == CashEntry._meta.app_label:
            continue
        if model._default_manager.filter(**{relation.field.name: entry}).exists():
            cause = entry.reference.replace(":", " ")
            way = "give the money back" if entry.signed_amount > 0 else "take the money again"
            raise InUse(f"The entry belongs to {cause}: {way} on {cause}.", field="reference")


def _require_sound_vat(kind: EntryType, amount: Decimal, vat: Sequence[VatShare]) -> None:
    if not vat:
        return
    rates = {share.rate for share in vat}
    if kind not in selectors.TURNOVER:
        raise DomainError("Only sales and refunds contain VAT.", field="vat")
    if len(rates) < len(vat) or len(vat) > MOST_RATES or not all(0 <= rate <= 100 for rate in rates):
        raise DomainError("Each VAT rate, from 0 to 100 per cent, stands there once.", field="vat")
    total = sum(share.gross for share in vat)
    if total != amount:
        raise DomainError(f"The VAT rates make up {total}, but the amount is {amount}.", field="vat")


def _sorted_count(denominations: Mapping[Decimal, int], counted: Decimal) -> dict[str, int]:
    """Return the count as it is kept, the largest first and without what was not there."""
    total = sum((value * count for value, count in denominations.items()), Decimal(0))
    if denominations and total != counted:
        raise DomainError(f"They add up to {total}, but {counted} was counted.", field="denominations")
    found = sorted(((value, count) for value, count in denominations.items() if count), reverse=True)
    return {f"{value:.2f}": count for value, count in found}


def _require_note(session: CashSession) -> None:
    limit, difference = Shop.get().cash_difference_limit, session.difference or Decimal(0)
    if limit is not None and abs(difference) > limit and not session.note.strip():
        raise DomainError(f"The drawer is off by more than {limit}: say why in a note.", field="note", code="required")


def _write_z(found: selectors.Report, register: Register) -> None:
    z = ZReport(
        register=register,
        session=found.session,
        number=register.last_z_number + 1,
        content=selectors.write(found.figures()),
        created_at=found.made_at,
        previous_hash=register.last_z_hash,
    )
    z.hash = z.compute_hash(register.name)
    z.save(force_insert=True)
    Register.objects.filter(pk=register.pk).update(last_z_number=z.number, last_z_hash=z.hash)


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
    entry.signature = signature_of(entry)
    entry.hash = entry.compute_hash()
    entry.save(force_insert=True)
    # Not by save(): the head moves with every entry, and is no change that the register's history should tell.
    Register.objects.filter(pk=to.pk).update(last_number=entry.number, last_hash=entry.hash)
    return entry
