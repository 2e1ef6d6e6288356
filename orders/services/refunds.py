"""Refunds of lines: at the price and the VAT they were sold at, and never more pieces than were sold."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from bakery.db import to_cents
from bakery.errors import DomainError, Problem
from cashbook.models import VatShare
from orders.errors import ExceedsBalance
from orders.models import Order, OrderItem, RefundedItem


def lines_of(order: Order, items: list[Mapping[str, Any]]) -> list[RefundedItem]:
    """Return what refunding `items`, each {"id": of a line, "quantity"}, gives back, line by line; not yet stored.

    Raises DomainError for no items, a line that is not the order's or named twice, and ExceedsBalance for more pieces
    than were sold less those refunded before. The order's row must be locked.
    """
    lines = {line.pk: line for line in order.items.all()}
    _require_known(order, items, lines)
    before = dict(
        RefundedItem.objects.filter(item__order=order).values_list("item").annotate(Sum("quantity")).order_by()
    )
    too_many = [
        Problem(
            ExceedsBalance.code,
            f"{lines[wanted['id']].quantity} were sold and {before.get(wanted['id'], 0)} refunded before.",
            f"items.{index}.quantity",
        )
        for index, wanted in enumerate(items)
        if before.get(wanted["id"], 0) + wanted["quantity"] > lines[wanted["id"]].quantity
    ]
    if too_many:
        raise ExceedsBalance.of(too_many)
    return [_line(lines[wanted["id"]], wanted["quantity"], before.get(wanted["id"], 0)) for wanted in items]


def shares_of(lines: Iterable[RefundedItem]) -> list[VatShare]:
    """Return what the refunded lines contain at each VAT rate."""
    by_rate: dict[Decimal, list[RefundedItem]] = {}
    for line in lines:
        by_rate.setdefault(line.item.vat_rate, []).append(line)
    return [
        VatShare(
            rate,
            sum((line.amount for line in found), Decimal(0)),
            sum((line.vat_amount for line in found), Decimal(0)),
        )
        for rate, found in by_rate.items()
    ]


def _require_known(order: Order, items: list[Mapping[str, Any]], lines: Mapping[int, OrderItem]) -> None:
    if not items:
        raise DomainError("Say which lines.", field="items", code="empty")
    ids = [wanted["id"] for wanted in items]
    problems = [
        Problem("does_not_exist", f"Order {order} has no line {pk}.", f"items.{index}.id")
        if pk not in lines
        else Problem("duplicate", f"Line {pk} stands there twice.", f"items.{index}.id")
        for index, pk in enumerate(ids)
        if pk not in lines or pk in ids[:index]
    ]
    if problems:
        raise DomainError.of(problems)


def _line(item: OrderItem, quantity: int, before: int) -> RefundedItem:
    # Counted from the first piece on, so that all pieces together have exactly the line's VAT.
    vat = [to_cents(item.vat_amount * pieces / item.quantity) for pieces in (before, before + quantity)]
    return RefundedItem(item=item, quantity=quantity, amount=item.unit_price * quantity, vat_amount=vat[1] - vat[0])
