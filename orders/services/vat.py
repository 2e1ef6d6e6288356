"""What a payment contains at each VAT rate: its part of what the order still lacks, exact in the end."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from bakery.db import CENT, to_cents
from cashbook.models import VatShare, shares_in
from orders.models import Order, OrderItem, PaymentKind, vat_buckets

# By rate: gross, and the VAT in it.
Amounts = dict[Decimal, tuple[Decimal, Decimal]]


def shares_of_payment(order: Order, amount: Decimal) -> list[VatShare]:
    """Divide a payment of `amount` among the rates in proportion to what each has left to pay."""
    return divide(amount, minus(of_order(order.items.all()), booked(order)))


def shares_of_refund(order: Order, amount: Decimal) -> list[VatShare]:
    """Divide what is given back among the rates in proportion to what was paid of each."""
    return divide(amount, booked(order))


def overbooked(order: Order, items: Iterable[OrderItem]) -> list[Decimal]:
    """Return the rates at which more is booked for the order than `items` come to: only a refund puts that right."""
    rest = minus(of_order(items), booked(order))
    return sorted(rate for rate, (gross, _) in rest.items() if gross < 0)


def of_order(items: Iterable[OrderItem]) -> Amounts:
    return {bucket.rate: (bucket.gross, bucket.vat) for bucket in vat_buckets(items)}


def booked(order: Order) -> Amounts:
    """Return what the order's payments, less its refunds, contain at each rate as they stand in the cash book."""
    found: Amounts = {}
    for kind, vat in order.payments.values_list("kind", "cash_entry__vat"):
        sign = -1 if kind == PaymentKind.REFUND else 1
        found = plus(found, {share.rate: (sign * share.gross, sign * share.vat) for share in shares_in(vat)})
    return found


def divide(amount: Decimal, among: Amounts) -> list[VatShare]:
    """Divide `amount` in proportion to the gross sums in `among`, to the cent and exactly: the parts add up to it.

    The whole sum takes all of `among`, its VAT included, so that an order that is paid in parts has the VAT of its
    receipt in the end. Nothing is told where `among` comes to less than the amount: then there is no proportion.
    """
    whole = sum((gross for gross, _ in among.values()), Decimal(0))
    if whole < amount or not amount:
        return []
    rates = sorted(among)
    exact = {rate: amount * among[rate][0] / whole for rate in rates}
    gross = {rate: exact[rate].quantize(CENT, rounding=ROUND_FLOOR) for rate in rates}
    # Each floor is less than a cent below its part, so at most a cent a rate is left to deal out.
    left = int((amount - sum(gross.values(), Decimal(0))) / CENT)
    for rate in sorted(rates, key=lambda rate: gross[rate] - exact[rate])[:left]:
        gross[rate] += CENT
    shares = [VatShare(rate, gross[rate], _part(among[rate], gross[rate])) for rate in rates]
    return [share for share in shares if share.gross or share.vat]


def _part(of: tuple[Decimal, Decimal], gross: Decimal) -> Decimal:
    """Return the VAT in `gross` of a sum and its VAT."""
    return to_cents(of[1] * gross / of[0]) if of[0] else of[1]


def plus(one: Amounts, other: Amounts) -> Amounts:
    zero = (Decimal("0.00"), Decimal("0.00"))
    return {
        rate: (one.get(rate, zero)[0] + other.get(rate, zero)[0], one.get(rate, zero)[1] + other.get(rate, zero)[1])
        for rate in one.keys() | other.keys()
    }


def minus(one: Amounts, other: Amounts) -> Amounts:
    return plus(one, {rate: (-gross, -vat) for rate, (gross, vat) in other.items()})
