"""What customers asked for: orders, their lines, their life cycle, their payments."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property

from bakery.db import MoneyField, VersionedModel, append_only
from bakery.queries import KeptQuery
from cashbook.models import CashEntry, EntryType, Method, VatShare
from orders.models.lines import Line, OrderItem, vat_buckets
from products.models import Place


class Status(models.TextChoices):
    PENDING = "pending", "Pending"
    CONFIRMED = "confirmed", "Confirmed"
    BAKING = "baking", "Baking"
    READY = "ready", "Ready"
    OUT_FOR_DELIVERY = "out_for_delivery", "Out for delivery"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "Not picked up"


class Fulfilment(models.TextChoices):
    PICKUP = "pickup", "Pickup"
    DELIVERY = "delivery", "Delivery"


class Channel(models.TextChoices):
    """The door that an order came through."""

    WEB = "web", "Website"
    PHONE = "phone", "By staff"
    COUNTER = "counter", "Till"
    STANDING = "standing", "Standing order"


class PaymentStatus(models.TextChoices):
    UNPAID = "unpaid", "Unpaid"
    PARTIAL = "partial", "Partly paid"
    PAID = "paid", "Paid"
    REFUNDED = "refunded", "Refunded"


# What holds no capacity and is not baked; a sale at the till was never ordered.
RELEASED = (Status.CANCELLED, Status.NO_SHOW)
# What has come to its end: nothing follows.
FINAL = (*RELEASED, Status.COMPLETED)
EDITABLE = (Status.PENDING, Status.CONFIRMED)
OWING = Q(paid__lt=F("total")) & ~Q(status__in=RELEASED)
SETTLE = "orders.settle_order"
MOST_LINES = 100
MOST_PIECES = 10_000


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: Any) -> "OrderQuerySet":
        """Staff with the right see every order, drivers the deliveries, customers their own, guests none."""
        if not user.is_authenticated:
            return self.none()
        if user.has_perm("orders.view_order"):
            return self
        if user.has_perm("orders.view_delivery"):
            return self.filter(fulfilment=Fulfilment.DELIVERY)
        return self.filter(customer=user)

    def due_between(self, first: date, last: date) -> "OrderQuerySet":
        return self.filter(due_on__range=(first, last))

    def with_payment_status(self, status: str) -> "OrderQuerySet":
        """Those whose property `payment_status` is `status`."""
        given_back = Q(paid=0, refunded__gt=0)
        conditions = {
            PaymentStatus.REFUNDED: given_back,
            PaymentStatus.PAID: Q(paid__gte=F("total")) & ~given_back,
            PaymentStatus.PARTIAL: Q(paid__gt=0, paid__lt=F("total")),
            PaymentStatus.UNPAID: Q(paid=0, total__gt=0, refunded=0),
        }
        return self.filter(conditions[PaymentStatus(status)])

    def owing(self) -> "OrderQuerySet":
        """Those for which money is still to come in."""
        return self.filter(OWING)

    def still_to_go(self) -> "OrderQuerySet":
        """Those that wait to be handed over: neither released nor completed, and no sales at the till."""
        return self.exclude(status__in=FINAL).exclude(channel=Channel.COUNTER)

    def holding_capacity(self) -> "OrderQuerySet":
        """Those that take up the day's capacity: sales at the till and released orders do not."""
        return self.exclude(status__in=RELEASED).exclude(channel=Channel.COUNTER)

    def to_bake(self) -> "OrderQuerySet":
        """Those whose lines stand on the baking list of their day: all but cancelled ones and sales at the till."""
        return self.exclude(status=Status.CANCELLED).exclude(channel=Channel.COUNTER)


class Order(VersionedModel):
    """What a customer asked for, and how far along it is."""

    # From each status to those that may follow, and the permission that the step asks; `settle_order` opens them all.
    STEPS: ClassVar[dict[str, dict[str, str]]] = {
        Status.PENDING: {Status.CONFIRMED: "orders.confirm_order", Status.CANCELLED: "orders.cancel_order"},
        Status.CONFIRMED: {Status.BAKING: "orders.bake_order", Status.CANCELLED: "orders.cancel_order"},
        Status.BAKING: {Status.READY: "orders.bake_order", Status.CANCELLED: SETTLE},
        Status.READY: {
            Status.OUT_FOR_DELIVERY: "orders.deliver_order",
            Status.COMPLETED: "orders.hand_over_order",
            Status.CANCELLED: SETTLE,
            Status.NO_SHOW: SETTLE,
        },
        Status.OUT_FOR_DELIVERY: {Status.COMPLETED: "orders.deliver_order"},
        Status.COMPLETED: {},
        Status.CANCELLED: {},
        Status.NO_SHOW: {},
    }

    code = models.CharField(max_length=12, unique=True, help_text="Short, random, and unambiguous to read aloud.")
    tracking_token = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    channel = models.CharField(max_length=16, choices=Channel)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="orders"
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    customer_name = models.CharField(max_length=200, blank=True)
    customer_email = models.EmailField(blank=True)
    customer_phone = models.CharField(max_length=32, blank=True)
    fulfilment = models.CharField(max_length=16, choices=Fulfilment, default=Fulfilment.PICKUP)
    address = models.CharField(max_length=500, blank=True)
    consumption = models.CharField(max_length=16, choices=Place, default=Place.TAKEAWAY)
    due_at = models.DateTimeField()
    due_on = models.DateField(editable=False, help_text="The shop's day of due_at.")
    deadline_at = models.DateTimeField(editable=False, help_text="Until when the customer may edit or cancel.")
    notes = models.TextField(max_length=2000, blank=True)
    total = MoneyField()
    vat_total = MoneyField()
    paid = MoneyField(default=0, help_text="Payments less refunds.")
    refunded = MoneyField(default=0, help_text="The sum of the refunds.")
    override_reason = models.CharField(max_length=500, blank=True)
    external_reference = models.CharField(max_length=64, blank=True, help_text="The ticket of another till.")

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("view_delivery", "Can see deliveries"),
            ("confirm_order", "Can confirm orders"),
            ("bake_order", "Can say that an order is in the oven, and ready"),
            ("hand_over_order", "Can hand over orders that are ready"),
            ("deliver_order", "Can take deliveries out and hand them over"),
            ("cancel_order", "Can cancel orders that are not being baked yet"),
            ("settle_order", "Can take any step that the life cycle has"),
            ("override_rules", "Can go over capacity, lead time and closing on purpose"),
            ("make_sale", "Can sell at the till"),
            ("view_sales_report", "Can see the sales report"),
        ]
        indexes = [
            models.Index(fields=["due_on", "status"], name="order_due_status"),
            models.Index(fields=["status", "-id"], name="order_status_newest"),
            models.Index(fields=["customer", "-id"], name="order_customer_newest"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="order_status_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="order_channel_known"),
            models.CheckConstraint(condition=Q(fulfilment__in=Fulfilment.values), name="order_fulfilment_known"),
            models.CheckConstraint(condition=Q(consumption__in=Place.values), name="order_consumption_known"),
            # Another till's tickets may be returns; an order of ours never owes money to the customer.
            models.CheckConstraint(
                condition=Q(total__gte=0, paid__gte=0, paid__lte=F("total")) | ~Q(external_reference=""),
                name="order_paid_within_total",
            ),
            models.CheckConstraint(condition=Q(refunded__gte=0), name="order_refunded_not_negative"),
            models.CheckConstraint(
                condition=~Q(fulfilment=Fulfilment.DELIVERY) | ~Q(address=""),
                name="order_delivery_has_address",
            ),
            models.UniqueConstraint(
                fields=["external_reference"],
                condition=~Q(external_reference=""),
                name="order_external_reference_once",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def reference(self) -> str:
        """How ledgers name this order."""
        return f"order:{self.pk}"

    @property
    def balance(self) -> Decimal:
        return self.total - self.paid

    @property
    def owed(self) -> Decimal:
        """What may still be paid. Whose goods went to others owes nothing for them: see OWING."""
        return Decimal(0) if self.status in RELEASED else self.balance

    @property
    def payment_status(self) -> str:
        if self.paid == 0 and self.refunded > 0:
            return PaymentStatus.REFUNDED
        if self.paid >= self.total:
            return PaymentStatus.PAID
        return PaymentStatus.PARTIAL if self.paid > 0 else PaymentStatus.UNPAID

    @property
    def is_editable(self) -> bool:
        return self.status in EDITABLE

    def steps(self) -> dict[str, str]:
        """Return the statuses that may follow, for anyone, each with the permission that the step asks."""
        return _steps(self.status, self.fulfilment)

    @cached_property
    def lines(self) -> list[Line]:
        """The lines as they are shown. `load_orders` reads those of many orders at once."""
        return Line.of_orders([self.pk]).get(self.pk, [])

    def vat_buckets(self) -> list[VatShare]:
        """Return what the order contains at each VAT rate, the lowest rate first."""
        return vat_buckets(self.lines)


def _steps(status: str, fulfilment: str) -> dict[str, str]:
    steps = Order.STEPS[status]
    if status == Status.READY:
        barred = Status.COMPLETED if fulfilment == Fulfilment.DELIVERY else Status.OUT_FOR_DELIVERY
        return {to: permission for to, permission in steps.items() if to != barred}
    return steps


class OrderHead(NamedTuple):
    """Which order it is, in which version, and what decides about its next step."""

    id: int
    code: str
    version: int
    status: str
    fulfilment: str
    deadline_at: datetime

    @classmethod
    def of(cls, order: Order) -> "OrderHead":
        return cls._make(getattr(order, name) for name in cls._fields)

    def steps(self) -> dict[str, str]:
        """As those of the order."""
        return _steps(self.status, self.fulfilment)


_BY_ID = KeptQuery(lambda pks: Order.objects.filter(pk__in=pks).order_by())


def load_orders(pks: list[int]) -> list[Order]:
    """Return the orders with these ids, in any order, with their lines; two queries."""
    orders = _BY_ID(pks=pks)
    lines = Line.of_orders(pks)
    for order in orders:
        order.lines = lines.get(order.pk, [])
    return orders


class OrderEvent(models.Model):
    """One step in an order's life: a change of status, or of what was ordered."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="history")
    at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    note = models.CharField(max_length=2000, blank=True)
    changes = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"

    @property
    def came_from(self) -> str | None:
        """The status before; None where the order came into being."""
        return self.from_status or None


class PaymentKind(models.TextChoices):
    PAYMENT = "payment", "Payment"
    REFUND = "refund", "Refund"


class Payment(models.Model):
    """Money that came in for an order, or went back; booked in the cash book in the same transaction."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=16, choices=PaymentKind, default=PaymentKind.PAYMENT)
    amount = MoneyField()
    method = models.CharField(max_length=16, choices=Method)
    tendered = MoneyField(null=True, blank=True)
    note = models.CharField(max_length=2000, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cash_entry = models.OneToOneField(CashEntry, on_delete=models.PROTECT, related_name="payment")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=Q(kind__in=PaymentKind.values), name="payment_kind_known"),
            models.CheckConstraint(condition=Q(method__in=Method.values), name="payment_method_known"),
            models.CheckConstraint(
                condition=Q(tendered=None) | Q(tendered__gte=F("amount"), method=Method.CASH),
                name="payment_tendered_covers_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"

    @property
    def entry_type(self) -> str:
        """What the cash book calls it."""
        return EntryType.REFUND if self.kind == PaymentKind.REFUND else EntryType.SALE

    @property
    def change(self) -> Decimal:
        """What the customer got back."""
        return Decimal(0) if self.tendered is None else self.tendered - self.amount


@append_only
class RefundedItem(models.Model):
    """The pieces of a line whose price a refund gave back."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunded_items")
    item = models.ForeignKey(OrderItem, on_delete=models.PROTECT, related_name="refunds")
    quantity = models.PositiveIntegerField()
    amount = MoneyField()
    vat_amount = MoneyField(help_text="The VAT that the amount contains.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "item"], name="refunded_item_once_per_refund"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="refunded_item_quantity_positive"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="refunded_item_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.item_id}"


class NoticeKind(models.TextChoices):
    RECEIVED = "received", "Received"
    CONFIRMED = "confirmed", "Confirmed"
    READY = "ready", "Ready"
    CANCELLED = "cancelled", "Cancelled"
    WAITED = "waited", "From the waiting list"


class Notice(models.Model):
    """An e-mail about an order, that is owed or was sent; one of each kind."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=NoticeKind)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], name="notice_once_per_kind"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id}"
