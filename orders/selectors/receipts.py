"""What cash entries were for, article by article: the cash book asks, and knows nothing of orders."""

from collections.abc import Collection

from cashbook.models import ReceiptLine, VatShare
from orders.models import OrderItem, Payment, PaymentKind


def receipt_lines(entries: Collection[int]) -> dict[int, list[ReceiptLine]]:
    """Return the lines behind the cash entries with these ids, by entry.

    Of a refund that named lines those, and of a payment of the whole order all of its lines. No line belongs to a
    payment of a part, or to money given back that named none.
    """
    found = {}
    payments = Payment.objects.filter(cash_entry__in=entries).select_related("order")
    for payment in payments.prefetch_related("order__items", "refunded_items__item"):
        refunded = payment.refunded_items.all()
        if refunded:
            found[payment.cash_entry_id] = [
                _line(gone.item, gone.quantity, VatShare(gone.item.vat_rate, gone.amount, gone.vat_amount))
                for gone in refunded
            ]
        elif payment.kind == PaymentKind.PAYMENT and payment.amount == payment.order.total:
            found[payment.cash_entry_id] = [
                _line(item, item.quantity, VatShare(item.vat_rate, item.line_total, item.vat_amount))
                for item in payment.order.items.all()
            ]
    return found


def _line(item: OrderItem, quantity: int, vat: VatShare) -> ReceiptLine:
    return ReceiptLine(item.product_name, quantity, item.unit_price, vat)
