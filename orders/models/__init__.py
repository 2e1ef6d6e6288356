"""What customers asked for: orders, their lines, their life cycle, their payments; what comes again; who waits."""

from orders.models.lines import Line, OrderItem, VatBucket, load_lines, vat_buckets
from orders.models.orders import (
    EDITABLE,
    MOST_LINES,
    MOST_PIECES,
    RELEASED,
    SETTLE,
    Channel,
    Fulfilment,
    Notice,
    NoticeKind,
    Order,
    OrderEvent,
    OrderQuerySet,
    Payment,
    PaymentKind,
    PaymentStatus,
    RefundedItem,
    Status,
)
from orders.models.overrides import Override
from orders.models.standing import SkippedDate, StandingDate, StandingOrder, StandingOrderItem, StandingOrderQuerySet
from orders.models.waiting import Wish, WishQuerySet

__all__ = [
    "EDITABLE",
    "MOST_LINES",
    "MOST_PIECES",
    "RELEASED",
    "SETTLE",
    "Channel",
    "Fulfilment",
    "Line",
    "Notice",
    "NoticeKind",
    "Order",
    "OrderEvent",
    "OrderItem",
    "OrderQuerySet",
    "Override",
    "Payment",
    "PaymentKind",
    "PaymentStatus",
    "RefundedItem",
    "SkippedDate",
    "StandingDate",
    "StandingOrder",
    "StandingOrderItem",
    "StandingOrderQuerySet",
    "Status",
    "VatBucket",
    "Wish",
    "WishQuerySet",
    "load_lines",
    "vat_buckets",
]
