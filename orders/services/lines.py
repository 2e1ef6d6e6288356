"""The lines of an order: what they cost, and how much VAT that contains."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from bakery.db import CENT, MOST_MONEY
from bakery.errors import DomainError, Problem
from bakery.queries import KeptQuery
from orders.models import MOST_LINES, MOST_PIECES, Order, OrderItem
from orders.services.rules import lock_products
from products.models import Product, contained_vat
from products.selectors import Terms

_PRODUCTS = KeptQuery(lambda pks: Product.objects.filter(pk__in=pks))


def find_products(lines: list[dict[str, Any]], *, also: Iterable[int] = (), lock: bool = False) -> dict[int, Product]:
    """Return the products that `lines` name, and those with the ids `also`, by id; they are locked where asked.

    Raises DomainError where there are no lines or too many, or where one names no product or a senseless quantity.
    """
    if not 1 <= len(lines) <= MOST_LINES:
        raise DomainError(f"An order has 1 to {MOST_LINES} lines.", field="items")
    ids = {*(line["product"] for line in lines), *also}
    products = lock_products(ids) if lock else {product.pk: product for product in _PRODUCTS(pks=sorted(ids))}
    problems = [
        Problem("does_not_exist", f"There is no product {line['product']}.", f"items.{index}.product")
        for index, line in enumerate(lines)
        if line["product"] not in products
    ] + [
        Problem("out_of_range", f"The quantity must be from 1 to {MOST_PIECES}.", f"items.{index}.quantity")
        for index, line in enumerate(lines)
        if not 1 <= line["quantity"] <= MOST_PIECES
    ]
    if problems:
        raise DomainError.of(problems)
    return products


def new_item(line: Mapping[str, Any], product: Product, terms: Terms) -> OrderItem:
    """Return a line that copies the product's name, and the price and VAT rate of this moment."""
    return OrderItem(
        product=product,
        product_name=product.name,
        unit_price=terms.price_of(product),
        vat_rate=terms.rate_of(product),
        quantity=line["quantity"],
        note=line.get("note", ""),
    )


def set_totals(order: Order, items: list[OrderItem]) -> None:
    """Set each line's total and share of the VAT, and the order's totals.

    VAT is rounded half up once per rate on the sum of its lines, and dealt out to them by largest remainder, so that
    lines, rates and the order always add up. Raises DomainError where the total is more than money can be.
    """
    for item in items:
        item.line_total = item.unit_price * item.quantity
    order.total = _sum(item.line_total for item in items)
    if order.total > MOST_MONEY:
        raise DomainError(f"The total is more than {MOST_MONEY}.", field="items", code="max_value")
    for rate in {item.vat_rate for item in items}:
        _deal_out_vat(rate, [item for item in items if item.vat_rate == rate])
    order.vat_total = _sum(item.vat_amount for item in items)


def _deal_out_vat(rate: Decimal, items: list[OrderItem]) -> None:
    exact = [item.line_total * rate / (100 + rate) for item in items]
    for item, share in zip(items, exact, strict=True):
        item.vat_amount = share.quantize(CENT, rounding=ROUND_FLOOR)
    vat = contained_vat(_sum(item.line_total for item in items), rate)
    # Each floor is less than a cent below its share, so at most a cent a line is left to deal out.
    left = int((vat - _sum(item.vat_amount for item in items)) / CENT)
    by_remainder = sorted(range(len(items)), key=lambda at: items[at].vat_amount - exact[at])
    for at in by_remainder[:left]:
        items[at].vat_amount += CENT


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
