"""Categories of the catalogue."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from bakery.db import LONGEST_FOLDED, FoldedField, VersionedModel

LAST_POSITION = 1_000_000


class Category(VersionedModel):
    name = models.CharField(max_length=100)
    name_key = FoldedField(follows="name", max_length=LONGEST_FOLDED)
    slug = models.SlugField(max_length=120, unique=True)
    position = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(LAST_POSITION)])

    history = HistoricalRecords(excluded_fields=["name_key"])

    class Meta:
        ordering = ["position", "name", "pk"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"],
                name="category_name_once",
                violation_error_message="There is already a category with this name.",
            ),
            models.CheckConstraint(condition=Q(position__lte=LAST_POSITION), name="category_position_possible"),
        ]

    def __str__(self) -> str:
        return self.name
