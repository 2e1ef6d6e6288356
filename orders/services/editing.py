"""How an order is changed while it may be."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError, InUse, NotFound, Problem
from orders.errors import ExceedsBalance, IllegalTransition, TooLate
from orders.models import Order, OrderEvent, OrderItem, Override
from orders.services import waiting
from orders.services.lines import find_products, new_item, set_totals
from orders.services.placing import (
    CONTACT,
    customer_of,
    fill_in,
    hold_account,
    require_complete,
    require_override_right,
    set_due,
)
from orders.services.rules import Before, deadline_of, lock_capacity, pieces_of, require_sound
from orders.services.vat import Amounts, of_order, overbooked
from products.models import Product
from products.selectors import Terms, rates_on, terms_on

DETAILS = (
    "customer_name", "customer_email", "customer_phone", "fulfilment", "address", "consumption", "due_at", "notes",
)  # fmt: skip


@transaction.atomic
def edit_order(
    *,
    order_id: int,
    actor: User,
    changes: Mapping[str, Any],
    expected: frozenset[int] | None = None,
    now: datetime | None = None,
) -> Order:
    """Change what `changes` names: `customer` (an id or None, by staff), the details, `items`, `override`.

    `items` replace the lines; one with the `id`, or else the product, of an old line keeps its price and VAT rate.
    Raises NotFound, Stale, IllegalTransition once it is being baked, TooLate for a customer after the cut-off,
    ExceedsBalance below what is paid or booked at a rate, InUse where a line goes of which a refund gave pieces back,
    AccountClosed, and for what is asked more than before whatever `place_order` raises.
    """
    now = now or clock.now()
    override = changes.get("override", "")
    order = lock_order(order_id, actor)
    order.require_version(expected)
    _require_editable(order, actor, now)
    require_override_right(actor, override)

    old = list(order.items.all())
    shown, before = _as_shown(order, old), Before(order.due_at, order.due_on, pieces_of(old))
    eaten, owed = order.consumption, of_order(old)
    _set_details(order, changes, actor)
    lines = _with_products(old, changes.get("items", [])) or [_as_line(item) for item in old]
    terms = terms_on(clock.shop_day(now), order.consumption)
    products = find_products(lines, also=before.pieces)
    items = _merge(old, lines, products, order, terms)
    if order.consumption != eaten:
        # What is new has today's rate of the new place already.
        _rate_anew([item for item in items if item.product_id in before.pieces], products, order)

    freed = _freed(before, order, items)
    if freed:
        lock_capacity(products)
    overridden = require_sound(order, items, products, now=now, override=bool(override), before=before)
    if "items" in changes or order.due_at != before.due_at:
        order.deadline_at = deadline_of(order, (products[item.product_id] for item in items))
    set_totals(order, items)
    _require_booked_right(order, items, owed, field="items" if "items" in changes else "consumption")
    changed = _difference(shown, _as_shown(order, items))
    if changed:
        order.override_reason = override or order.override_reason
        _keep(order, old, items)
        event = OrderEvent.objects.create(
            order=order, at=now, user=actor, from_status=order.status, to_status=order.status, changes=changed
        )
        if override:
            Override.objects.create(event=event, reason=override, rules=overridden)
    if freed:
        waiting.serve(day=before.due_on or order.due_on, products=freed, now=now)
    if "customer" in changed or order.customer_id == actor.pk:
        hold_account(order.customer_id)
    return order


def lock_order(order_id: int, actor: User) -> Order:
    """Return the order with its row locked. Raises NotFound, also for one that `actor` may not see any more."""
    order = Order.objects.visible_to(actor).select_for_update().filter(pk=order_id).first()
    if order is None:
        raise NotFound("There is no such order.")
    return order


def require_in_time(order: Order, actor: User, now: datetime) -> None:
    """Raise TooLate for a customer after the cut-off; staff are not bound by it."""
    if not actor.is_staff and now > order.deadline_at:
        until = clock.local(order.deadline_at)
        raise TooLate(f"It could be changed until {until:%Y-%m-%d %H:%M}. Please call us.")


def _require_editable(order: Order, actor: User, now: datetime) -> None:
    if not order.is_editable:
        raise IllegalTransition(f"The order can no longer be changed: it is {order.status}.")
    require_in_time(order, actor, now)


def _set_details(order: Order, changes: Mapping[str, Any], actor: User) -> None:
    for name in DETAILS:
        setattr(order, name, changes.get(name, getattr(order, name)))
    if "customer" in changes and actor.is_staff:
        order.customer = customer_of(actor, changes["customer"])
    if not actor.is_staff and changes.keys() & CONTACT:
        fill_in(order)
    set_due(order)
    require_complete(order)


def _with_products(old: list[OrderItem], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return `lines` with the product of the old line where only its id was sent."""
    known = {item.pk: item.product_id for item in old}
    problems = [
        Problem("does_not_exist", f"The order has no line {line['id']}.", f"items.{index}.id")
        if line.get("id") is not None
        else Problem("required", "Name a product, or the id of a line.", f"items.{index}.product")
        for index, line in enumerate(lines)
        if "product" not in line and line.get("id") not in known
    ]
    if problems:
        raise DomainError.of(problems)
    return [{"product": known.get(line.get("id", 0)), **line} for line in lines]


def _merge(
    old: list[OrderItem], lines: list[dict[str, Any]], products: dict[int, Product], order: Order, terms: Terms
) -> list[OrderItem]:
    """Return the lines as they will be: rows of `old` where id or product agree, else new ones."""
    known = {item.product_id: item for item in old}
    kept = _match(old, lines)
    items = []
    for index, line in enumerate(lines):
        item = kept.get(index) or new_item(line, products[line["product"]], terms)
        if item.pk is None and item.product_id in known:
            kin = known[item.product_id]
            item.product_name, item.unit_price, item.vat_rate = kin.product_name, kin.unit_price, kin.vat_rate
        item.order, item.quantity, item.note = order, line["quantity"], line.get("note", "")
        items.append(item)
    return items


def _match(old: list[OrderItem], lines: list[dict[str, Any]]) -> dict[int, OrderItem]:
    """Return which old line each new one (by index) goes on with; an id with another product is another line."""
    free = {item.pk: item for item in old}
    kept = {}
    for index, line in enumerate(lines):
        pk = line.get("id")
        if pk is not None and pk not in {item.pk for item in old}:
            raise DomainError(f"The order has no line {pk}.", field=f"items.{index}.id", code="does_not_exist")
        if pk in free and free[pk].product_id == line["product"]:
            kept[index] = free.pop(pk)
    for index, line in enumerate(lines):
        same = [item for item in free.values() if item.product_id == line["product"]]
        if index not in kept and same:
            kept[index] = free.pop(same[0].pk)
    return kept


def _rate_anew(items: list[OrderItem], products: dict[int, Product], order: Order) -> None:
    """Give each line the rate that applied at the other place on the day the order was placed."""
    rates = rates_on(clock.shop_day(order.created_at), order.consumption)
    for item in items:
        item.vat_rate = rates[products[item.product_id].vat_class_id]


def _require_booked_right(order: Order, items: list[OrderItem], owed: Amounts, *, field: str) -> None:
    """Raise ExceedsBalance where more is paid, or booked at a rate, than the lines now come to."""
    if order.total < order.paid:
        raise ExceedsBalance(f"{order.paid} is paid already; give money back before.", field="items")
    if order.paid and of_order(items) != owed:
        rates = overbooked(order, items)
        if rates:
            told = " and ".join(f"{rate} %" for rate in rates)
            raise ExceedsBalance(f"More is booked at {told} of VAT; give the money back before.", field=field)


def _keep(order: Order, old: list[OrderItem], items: list[OrderItem]) -> None:
    kept = [item for item in items if item.pk is not None]
    gone = {item.pk for item in old} - {item.pk for item in kept}
    if gone:
        _require_not_refunded(order, gone)
        order.items.filter(pk__in=gone).delete()
    if kept:
        OrderItem.objects.bulk_update(kept, ["quantity", "note", "line_total", "vat_rate", "vat_amount"])
    OrderItem.objects.bulk_create([item for item in items if item.pk is None])
    order.save_version(
        *DETAILS, "customer", "due_on", "deadline_at", "total", "vat_total", "override_reason",
    )  # fmt: skip


def _require_not_refunded(order: Order, gone: set[int]) -> None:
    refunded = order.items.filter(pk__in=gone, refunds__isnull=False).annotate(back=Sum("refunds__quantity"))
    problems = [
        Problem(
            InUse.code,
            f"Money was given back for {line.back} × {line.product_name}, so line {line.pk} stays: "
            "keep one piece of it at least, or cancel the order and place another.",
            "items",
        )
        for line in refunded.order_by("pk")
    ]
    if problems:
        raise InUse.of(problems)


def _freed(before: Before, order: Order, items: list[OrderItem]) -> set[int]:
    """Return the products of which the edit gives pieces of the day back."""
    asked = pieces_of(items) if order.due_on == before.due_on else Counter[int]()
    return {pk for pk, pieces in before.pieces.items() if pieces > asked[pk]}


def _as_line(item: OrderItem) -> dict[str, Any]:
    return {"id": item.pk, "product": item.product_id, "quantity": item.quantity, "note": item.note}


def _as_shown(order: Order, items: list[OrderItem]) -> dict[str, Any]:
    """Return what the history compares, as JSON."""
    details = {name: getattr(order, name) for name in DETAILS}
    in_order = sorted(items, key=lambda item: (item.pk is None, item.pk))
    return details | {
        "due_at": clock.local(order.due_at).isoformat(),
        "customer": order.customer_id,
        "items": [
            {"product": item.product_id, "product_name": item.product_name, "quantity": item.quantity,
             "note": item.note} for item in in_order
        ],
        "total": f"{order.total:.2f}",
    }  # fmt: skip


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}
