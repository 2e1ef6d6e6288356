"""How an order comes in."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.services import lock_open
from bakery import clock
from bakery.errors import DomainError, NotAllowed, Problem
from orders.models import Channel, Fulfilment, NoticeKind, Order, Override
from orders.services import notices
from orders.services.lines import find_products, new_item, set_totals
from orders.services.rules import deadline_of, require_sound
from orders.services.storing import insert, with_free_code
from products.models import Place
from products.selectors import terms_on

CONTACT = frozenset({"customer_name", "customer_email", "customer_phone"})


def place_order(
    *,
    actor: User | None,
    items: list[dict[str, Any]],
    due_at: datetime,
    customer: int | None = None,
    customer_name: str = "",
    customer_email: str = "",
    customer_phone: str = "",
    fulfilment: str = Fulfilment.PICKUP,
    address: str = "",
    consumption: str = Place.TAKEAWAY,
    notes: str = "",
    override: str = "",
    now: datetime | None = None,
) -> Order:
    """Place an order for `items` ({"product": id, "quantity": pieces, "note": text}) at today's prices.

    `actor` None is a guest; a customer orders for themselves, staff for whom they say (`customer`, an id).
    `override` is a reason to go over the rules of `require_sound` that may be gone over. Raises DomainError for what is
    missing or unknown, NotAllowed for an override without the right, and the Conflicts of `rules.require_sound`.
    """
    order = Order(
        channel=Channel.PHONE if actor and actor.is_staff else Channel.WEB, placed_by=actor, due_at=due_at,
        customer_name=customer_name, customer_email=customer_email, customer_phone=customer_phone,
        fulfilment=fulfilment, address=address, consumption=consumption, notes=notes, override_reason=override,
    )  # fmt: skip
    order.customer = customer_of(actor, customer)
    return with_free_code(order, lambda: _place(order, items, actor=actor, now=now or clock.now()))


@transaction.atomic
def _place(order: Order, lines: list[dict[str, Any]], *, actor: User | None, now: datetime) -> Order:
    require_override_right(actor, order.override_reason)
    set_due(order)
    fill_in(order)
    require_complete(order)
    terms = terms_on(clock.shop_day(now), order.consumption)
    products = find_products(lines, lock=True)
    items = [new_item(line, products[line["product"]], terms) for line in lines]
    overridden = require_sound(order, items, products, now=now, override=bool(order.override_reason), locked=True)
    order.deadline_at = deadline_of(order, products.values())
    set_totals(order, items)
    hold_account(order.customer_id)
    event = insert(order, items, actor=actor, now=now)
    if order.override_reason:
        Override.objects.create(event=event, reason=order.override_reason, rules=overridden)
    notices.owe(order, NoticeKind.RECEIVED)
    return order


def customer_of(actor: User | None, customer: int | None) -> User | None:
    """Return whose order it is: the caller's own, or of whom staff say. Raises DomainError for an unknown user."""
    if actor is None or not actor.is_staff:
        return actor
    if customer is None:
        return None
    found = User.objects.filter(pk=customer).first()
    if found is None:
        raise DomainError(f"There is no user {customer}.", field="customer", code="does_not_exist")
    return found


def hold_account(user_id: int | None) -> None:
    """Keep a customer's account from being closed or erased until the transaction ends; call it after all other locks.

    Who was erased since they signed in would leave their name behind. Raises AccountClosed.
    """
    if user_id is not None:
        lock_open(user_id, field="customer")


def require_override_right(actor: User | None, reason: str) -> None:
    """Raise NotAllowed where somebody gives a `reason` to go over the rules who may not."""
    if reason and not (actor and actor.has_perm("orders.override_rules")):
        raise NotAllowed("Only managers may go over the rules.", field="override")


def set_due(order: Order) -> None:
    """Derive from the due time the shop's day; keep it in UTC, since Python reckons by the wall clock within a zone."""
    order.due_at = order.due_at.astimezone(UTC)
    order.due_on = clock.shop_day(order.due_at)


def fill_in(order: Order) -> None:
    """Take from the customer's account what was not sent."""
    account = order.customer
    if account:
        order.customer_name = order.customer_name or account.display_name[:200]
        order.customer_email = order.customer_email or account.email
        order.customer_phone = order.customer_phone or account.phone


def require_complete(order: Order) -> None:
    """Raise DomainError for each thing that such an order needs and this one lacks."""
    missing = []
    if order.channel == Channel.WEB and order.customer is None:
        if not order.customer_name:
            missing.append(Problem("required", "Tell us your name.", "customer_name"))
        if not (order.customer_email or order.customer_phone):
            missing.append(Problem("required", "Tell us an e-mail address or a phone number.", "customer_email"))
    if order.fulfilment == Fulfilment.DELIVERY and not order.address:
        missing.append(Problem("required", "A delivery needs an address.", "address"))
    if missing:
        raise DomainError.of(missing)
