"""Orders that come again: what a customer wants on which weekdays, and the dates that became orders."""

from datetime import date
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from bakery import clock
from bakery.db import VersionedModel
from orders.models.orders import MOST_PIECES, Fulfilment, Order
from products.models import WEEKDAYS, Product


class StandingOrderQuerySet(models.QuerySet["StandingOrder"]):
    def visible_to(self, user: Any) -> "StandingOrderQuerySet":
        """Staff with the right see every standing order, customers their own."""
        return self if user.has_perm("orders.view_standingorder") else self.filter(customer=user)

    def with_parts(self) -> "StandingOrderQuerySet":
        """Load lines and skipped dates, in a fixed number of queries."""
        return self.prefetch_related("items", "skips")

    def running(self, first: date, last: date) -> "StandingOrderQuerySet":
        """Those that want something on some day from `first` to `last`."""
        return self.filter(Q(end=None) | Q(end__gte=first), start__lte=last, paused=False, customer__is_active=True)


class StandingOrder(VersionedModel):
    """A template. Each of its dates becomes an order once; what is changed here touches the dates to come."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="standing_orders")
    due_time = models.TimeField(help_text="By the shop's clock.")
    fulfilment = models.CharField(max_length=16, choices=Fulfilment, default=Fulfilment.PICKUP)
    address = models.CharField(max_length=500, blank=True)
    start = models.DateField(default=clock.today)
    end = models.DateField(null=True, blank=True, help_text="The last day. Without one it goes on.")
    paused = models.BooleanField(default=False)

    objects = StandingOrderQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        permissions = [("view_own_standingorder", "Can see their own standing orders")]
        constraints = [
            models.CheckConstraint(
                condition=Q(fulfilment__in=Fulfilment.values), name="standing_order_fulfilment_known"
            ),
            models.CheckConstraint(
                condition=~Q(fulfilment=Fulfilment.DELIVERY) | ~Q(address=""),
                name="standing_order_delivery_has_address",
                violation_error_message="A delivery needs an address.",
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gte=models.F("start")),
                name="standing_order_ends_after_start",
                violation_error_message="It must not end before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"Standing order {self.pk}"

    def covers(self, day: date) -> bool:
        """Whether `day` lies between start and end, both included, and the template is not paused."""
        return not self.paused and self.start <= day and (self.end is None or day <= self.end)


class StandingOrderItem(models.Model):
    """So many pieces of a product on a weekday."""

    standing_order = models.ForeignKey(StandingOrder, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="standing_order_items")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MOST_PIECES)])

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="standing_order_item_weekday_iso"),
            models.CheckConstraint(
                condition=Q(quantity__range=(1, MOST_PIECES)), name="standing_order_item_quantity_possible"
            ),
            models.UniqueConstraint(
                fields=["standing_order", "weekday", "product"], name="standing_order_item_once_per_weekday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id} on weekday {self.weekday}"


class SkippedDate(models.Model):
    """A date that is left out."""

    standing_order = models.ForeignKey(StandingOrder, on_delete=models.CASCADE, related_name="skips")
    date = models.DateField()

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["standing_order", "date"], name="skipped_date_once")]

    def __str__(self) -> str:
        return f"{self.date}"


class StandingDate(models.Model):
    """What became of a date of a standing order. Its row stands in the transaction of its order, and is the only one:
    that is why no date becomes two orders.
    """

    standing_order = models.ForeignKey(StandingOrder, on_delete=models.PROTECT, related_name="dates")
    date = models.DateField()
    order = models.OneToOneField(Order, on_delete=models.PROTECT, null=True, blank=True, related_name="standing_date")
    reason = models.CharField(max_length=500, blank=True, help_text="Why there is no order.")
    shortfall = models.JSONField(
        default=list, blank=True, help_text="What could not be had: product, product_name, wanted, ordered, reason."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-date", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["standing_order", "date"], name="standing_date_once"),
            models.CheckConstraint(condition=Q(order=None) | Q(reason=""), name="standing_date_order_or_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.date}"
