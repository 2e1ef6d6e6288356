"""Categories of the catalogue."""

import unicodedata

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from bakery.db import VersionedModel

LAST_POSITION = 1_000_000


def same_name(name: str) -> str:
    """Return what two names have in common that differ only in case."""
    return unicodedata.normalize("NFC", name).casefold()


class Category(VersionedModel):
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=120, unique=True)
    position = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(LAST_POSITION)])

    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "name", "pk"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="category_name_once",
                violation_error_message="There is already a category with this name.",
            ),
            models.CheckConstraint(condition=Q(position__lte=LAST_POSITION), name="category_position_possible"),
        ]

    def __str__(self) -> str:
        return self.name
