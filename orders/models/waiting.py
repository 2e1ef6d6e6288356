"""Who waits for what is sold out."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from orders.models.orders import MOST_PIECES, Order
from products.models import Product


class WishQuerySet(models.QuerySet["Wish"]):
    def visible_to(self, user: Any) -> "WishQuerySet":
        """Staff with the right see every wish, everyone else their own."""
        return self if user.has_perm("orders.view_order") else self.filter(customer=user)

    def waiting(self) -> "WishQuerySet":
        """Those that may still become an order; who was deactivated gets nothing."""
        return self.filter(order=None).exclude(customer__is_active=False)

    def locked(self) -> "WishQuerySet":
        """These, each locked as it is read, the longest waiting first: whoever locks several does it in this order."""
        return self.select_for_update(of=("self",)).order_by("pk")

    def over(self, today: date) -> "WishQuerySet":
        """Those that waited in vain."""
        return self.filter(order=None, date__lt=today)


class Wish(models.Model):
    """A place on the waiting list: so many pieces of a product on a day. It becomes an order once they are free."""

    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="wishes"
    )
    customer_name = models.CharField(max_length=200, blank=True)
    customer_email = models.EmailField(blank=True)
    customer_phone = models.CharField(max_length=32, blank=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="wishes")
    date = models.DateField()
    due_time = models.TimeField(help_text="By the shop's clock.")
    quantity = models.PositiveIntegerField()
    order = models.OneToOneField(Order, on_delete=models.PROTECT, null=True, blank=True, related_name="wish")
    created_at = models.DateTimeField()

    objects = WishQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "waiting list entry"
        verbose_name_plural = "waiting list"
        indexes = [models.Index(fields=["date", "product"], condition=Q(order=None), name="wish_waiting")]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__range=(1, MOST_PIECES)), name="wish_quantity_possible"),
            models.UniqueConstraint(
                fields=["customer", "date", "product"], condition=Q(order=None), name="wish_once_per_customer"
            ),
            models.UniqueConstraint(
                fields=["customer_email", "date", "product"],
                condition=Q(order=None, customer=None),
                name="wish_once_per_guest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id} on {self.date}"
