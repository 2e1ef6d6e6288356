"""What a day can bear: groups of products that share an oven, and other capacities for one date."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

MOST_PIECES = 1_000_000


class CapacityGroup(models.Model):
    """What several products share on a day: an oven, a set of tins."""

    name = models.CharField(max_length=100, unique=True)
    daily_capacity = models.PositiveIntegerField(
        validators=[MaxValueValidator(MOST_PIECES)],
        help_text="Units a day; each product says how many one piece takes.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(daily_capacity__lte=MOST_PIECES), name="capacity_group_possible"),
        ]

    def __str__(self) -> str:
        return self.name


class CapacityOverride(models.Model):
    """Another daily capacity of a product, or of a group, for one date."""

    product = models.ForeignKey(
        "products.Product", on_delete=models.CASCADE, null=True, blank=True, related_name="overrides"
    )
    group = models.ForeignKey(CapacityGroup, on_delete=models.CASCADE, null=True, blank=True, related_name="overrides")
    day = models.DateField()
    capacity = models.PositiveIntegerField(validators=[MaxValueValidator(MOST_PIECES)])

    history = HistoricalRecords()

    class Meta:
        ordering = ["day", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(product=None) ^ Q(group=None),
                name="capacity_override_of_product_or_group",
                violation_error_message="Choose either a product or a group.",
            ),
            models.CheckConstraint(condition=Q(capacity__lte=MOST_PIECES), name="capacity_override_possible"),
            models.UniqueConstraint(fields=["product", "day"], name="capacity_override_once_per_product"),
            models.UniqueConstraint(fields=["group", "day"], name="capacity_override_once_per_group"),
        ]

    def __str__(self) -> str:
        return f"{self.product or self.group} on {self.day}: {self.capacity}"
