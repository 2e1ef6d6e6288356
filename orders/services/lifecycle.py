"""How an order moves along."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError, NotAllowed
from orders.errors import IllegalTransition
from orders.models import EDITABLE, RELEASED, SETTLE, NoticeKind, Order, OrderEvent, OrderHead, Status
from orders.services import notices, waiting
from orders.services.editing import lock_order, require_in_time
from orders.services.placing import hold_account

NOTICE_OF = {
    Status.CONFIRMED: NoticeKind.CONFIRMED,
    Status.READY: NoticeKind.READY,
    Status.CANCELLED: NoticeKind.CANCELLED,
}


def allowed_statuses(order: Order | OrderHead, user: User | None, now: datetime) -> list[str]:
    """Return the statuses that `user` (None: a guest) may set at `now`, in the order of the life cycle."""
    if user is None or (not user.is_staff and now > order.deadline_at):
        return []
    return [status for status, permission in order.steps().items() if _may(user, permission)]


@transaction.atomic
def change_status(
    *,
    order_id: int,
    to: str,
    actor: User,
    note: str = "",
    expected: frozenset[int] | None = None,
    seen: str | None = None,
    now: datetime | None = None,
) -> Order:
    """Move an order along its life cycle, with everything that the move entails.

    `expected` are the versions that the caller's condition allows, `seen` is the status that they acted upon: of two
    racing changes one wins. Asking for the status that it has changes nothing. Raises, in this order, NotFound, Stale,
    IllegalTransition, NotAllowed, DomainError where a note is missing, TooLate for a customer after the cut-off,
    AccountClosed for who was erased meanwhile.
    """
    now = now or clock.now()
    order = lock_order(order_id, actor)
    order.require_version(expected)
    if order.status == to:
        return order
    _require_step(order, to, seen)
    if not _may(actor, order.steps()[to]):
        raise NotAllowed(f"Your role may not set an order that is {order.status} to {to}.")
    if to == Status.CANCELLED and order.status not in EDITABLE and not note:
        raise DomainError("Say why it is cancelled now.", field="note", code="required")
    require_in_time(order, actor, now)

    event = OrderEvent(order=order, at=now, user=actor, from_status=order.status, to_status=to, note=note)
    order.status = to
    order.save_version("status")
    event.save(force_insert=True)
    if to in NOTICE_OF:
        notices.owe(order, NOTICE_OF[Status(to)])
    if to in RELEASED:
        products = set(order.items.values_list("product", flat=True))
        waiting.serve(day=order.due_on, products=products, now=now)
    if order.customer_id == actor.pk:
        hold_account(order.customer_id)
    return order


def _require_step(order: Order, to: str, seen: str | None) -> None:
    possible = ", ".join(order.steps()) or "nothing"
    if seen is not None and seen != order.status:
        raise IllegalTransition(f"It became {order.status} in the meantime; it can become {possible}.", field="status")
    if to not in order.steps():
        raise IllegalTransition(f"An order that is {order.status} can become {possible}, not {to}.", field="status")


def _may(user: User, permission: str) -> bool:
    return user.has_perm(permission) or user.has_perm(SETTLE)
