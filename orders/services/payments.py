"""Money for orders: payments, refunds, and sales at the till."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError
from cashbook import services as cashbook
from cashbook.models import MAIN, Method, VatShare
from orders.errors import ExceedsBalance, ProductUnavailable
from orders.models import RELEASED, Channel, Order, Payment, PaymentKind, RefundedItem, Status
from orders.services import refunds
from orders.services.editing import lock_order
from orders.services.lines import find_products, new_item, set_totals
from orders.services.storing import insert, with_free_code
from orders.services.vat import divide, minus, of_order, shares_of_payment, shares_of_refund
from products.models import Place, Product
from products.selectors import terms_on


@transaction.atomic
def pay(
    *,
    order_id: int,
    method: str,
    actor: User,
    amount: Decimal | None = None,
    kind: str = PaymentKind.PAYMENT,
    note: str = "",
    tendered: Decimal | None = None,
    items: list[Mapping[str, Any]] | None = None,
    register: str = MAIN,
    now: datetime | None = None,
) -> Payment:
    """Take a payment for an order, or give money back (kind `refund`), and book it in the cash book of `register`.

    `tendered` is the cash that was handed over. A refund may name `items`, each {"id": of a line, "quantity"}: then
    the amount is what these pieces were sold for. Raises NotFound, ExceedsBalance for more than is owed, was paid or
    was sold, and DomainError where `tendered` is less than the amount or no cash, where `amount` is missing or not
    that of the items, and for items that are not the order's.
    """
    order = lock_order(order_id, actor)
    lines = _refunded_lines(order, kind, items)
    amount = _amount_of(lines, amount)
    _require_tendered(method, amount, tendered)
    if kind == PaymentKind.REFUND:
        _require_at_most(order.paid, amount, f"Only {order.paid} was paid.")
        shares = refunds.shares_of(lines) if lines else shares_of_refund(order, amount)
        order.paid -= amount
        order.refunded += amount
    else:
        told = f"Only {order.owed} is owed."
        if order.status in RELEASED:
            ended = order.get_status_display().lower()
            told = f"The order is {ended}: nothing is owed. What was paid can be given back."
        _require_at_most(order.owed, amount, told)
        shares = shares_of_payment(order, amount)
        order.paid += amount
    order.save_version("paid", "refunded")
    payment = Payment(order=order, kind=kind, amount=amount, method=method, tendered=tendered, note=note)
    _book(payment, shares, actor=actor, register=register, now=now)
    for line in lines:
        line.payment = payment
    RefundedItem.objects.bulk_create(lines)
    return payment


def _refunded_lines(order: Order, kind: str, items: list[Mapping[str, Any]] | None) -> list[RefundedItem]:
    if items is None:
        return []
    if kind != PaymentKind.REFUND:
        raise DomainError("Only a refund names lines.", field="items")
    return refunds.lines_of(order, items)


def _amount_of(lines: list[RefundedItem], amount: Decimal | None) -> Decimal:
    """Return the amount of the lines, or else the given one."""
    if not lines:
        if amount is None:
            raise DomainError("Say how much.", field="amount", code="required")
        return amount
    found = sum((line.amount for line in lines), Decimal(0))
    if amount is not None and amount != found:
        raise DomainError(f"The items come to {found}, not to {amount}.", field="amount")
    if not found:
        raise DomainError("They cost nothing.", field="items", code="min_value")
    return found


def sell(
    *,
    actor: User,
    items: list[dict[str, Any]],
    method: str | None = None,
    payments: list[dict[str, Any]] | None = None,
    consumption: str = Place.TAKEAWAY,
    register: str = MAIN,
    now: datetime | None = None,
) -> Order:
    """Sell over the counter: an order that is completed and paid at once, by one `method` or by split `payments`.

    A payment is {"method", "amount", "tendered" (optional)}; together they make up the total. Opening hours, lead
    times, weekdays and capacity do not bind it, what is retired is not sold. Raises DomainError for unknown products
    and where the payments are less than the total, ExceedsBalance where they are more, ProductUnavailable.
    """
    order = Order(channel=Channel.COUNTER, status=Status.COMPLETED, placed_by=actor, consumption=consumption)
    parts = partial(_parts_of, method=method, payments=payments)
    return with_free_code(order, lambda: _sell(order, items, parts, actor=actor, register=register, now=now))


@transaction.atomic
def _sell(
    order: Order,
    lines: list[dict[str, Any]],
    parts_of: Callable[[Decimal], list[dict[str, Any]]],
    *,
    actor: User,
    register: str,
    now: datetime | None,
) -> Order:
    order.due_at = order.deadline_at = (now or clock.now()).astimezone(UTC)
    order.due_on = clock.shop_day(order.due_at)
    terms = terms_on(order.due_on, order.consumption)
    products = find_products(lines)
    _require_active(lines, products)
    items = [new_item(line, products[line["product"]], terms) for line in lines]
    set_totals(order, items)
    parts = parts_of(order.total)
    order.paid = order.total
    insert(order, items, actor=actor, now=order.due_at)
    unpaid = of_order(items)
    for part in parts:
        if part["amount"]:
            shares = divide(part["amount"], unpaid)
            unpaid = minus(unpaid, {share.rate: (share.gross, share.vat) for share in shares})
            _book(Payment(order=order, **part), shares, actor=actor, register=register, now=now)
    return order


def _parts_of(total: Decimal, *, method: str | None, payments: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return the payments that make up `total`: the given ones, or one by `method`."""
    if method is not None and payments is not None:
        raise DomainError("Send either a method or payments.", field="payments")
    if payments is None:
        if method is None:
            raise DomainError("Say how it is paid.", field="method", code="required")
        return [{"method": method, "amount": total}]
    for index, part in enumerate(payments):
        _require_tendered(part["method"], part["amount"], part.get("tendered"), within=f"payments.{index}.")
    paid = sum((part["amount"] for part in payments), Decimal(0))
    if paid > total:
        raise ExceedsBalance(f"The payments are {paid - total} more than the total of {total}.", field="payments")
    if paid < total:
        raise DomainError(f"The payments are {total - paid} less than the total of {total}.", field="payments")
    return payments


def _require_tendered(method: str, amount: Decimal, tendered: Decimal | None, *, within: str = "") -> None:
    """Raise DomainError unless what was handed over is cash, and enough; `within` leads to the field."""
    if tendered is not None and (method != Method.CASH or tendered < amount):
        raise DomainError(
            "Only cash is tendered, and at least the amount.", field=f"{within}tendered", code="min_value"
        )


def _require_at_most(most: Decimal, amount: Decimal, message: str) -> None:
    if amount > most:
        raise ExceedsBalance(message, field="amount")


def _require_active(items: list[dict[str, Any]], products: dict[int, Product]) -> None:
    for index, line in enumerate(items):
        if not products[line["product"]].is_active:
            raise ProductUnavailable(f"{products[line['product']]} is not sold.", field=f"items.{index}.product")


def _book(payment: Payment, vat: list[VatShare], *, actor: User, register: str, now: datetime | None) -> Payment:
    """Write the entry in the cash book and the payment that points to it.

    The note stays with the payment: what stands in the cash book is there for ever, and this may name a person.
    """
    payment.cash_entry = cashbook.book(
        type=payment.entry_type, amount=payment.amount, method=payment.method, actor=actor,
        reference=payment.order.reference, register=register, now=now, vat=vat,
    )  # fmt: skip
    payment.user, payment.created_at = actor, payment.cash_entry.created_at
    payment.save(force_insert=True)
    return payment
