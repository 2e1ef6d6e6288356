"""Prices that hold from a day on."""

from datetime import date

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from bakery.db import MoneyField
from products.models.product import Product

# The days that the API takes as well: their neighbours have instants, too.
FIRST_DAY, LAST_DAY = date(1901, 1, 1), date(2199, 12, 31)


class PriceChangeQuerySet(models.QuerySet["PriceChange"]):
    def to_come(self) -> "PriceChangeQuerySet":
        """Those that are not in force, and never were."""
        return self.filter(effective_at=None)


class PriceChange(models.Model):
    """What a product is to cost from the start of a shop's day on.

    `Product.price` stays what lists and filters read: the price that holds now.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="price_changes")
    valid_from = models.DateField(
        "from",
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        help_text="It holds from the start of this day on; today means at once.",
    )
    price = MoneyField(validators=[MinValueValidator(0)], help_text="VAT included.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    effective_at = models.DateTimeField(null=True, editable=False)

    objects = PriceChangeQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["valid_from", "pk"]
        indexes = [
            models.Index(fields=["valid_from"], condition=Q(effective_at=None), name="price_change_to_come"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "valid_from"],
                name="price_change_once_per_day",
                violation_error_message="There is already a price from this day on.",
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_change_not_negative"),
            models.CheckConstraint(
                condition=Q(valid_from__range=(FIRST_DAY, LAST_DAY)), name="price_change_day_possible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price} from {self.valid_from}"
