"""VAT as the law has it: classes of goods, whose rates are dated and depend on where a thing is eaten."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from bakery.db import to_cents

STANDARD = "standard"


class Place(models.TextChoices):
    """Where it is eaten: VAT may differ."""

    TAKEAWAY = "takeaway", "Takeaway"
    EAT_IN = "eat_in", "Eaten in"


class VatClass(models.Model):
    """A kind of goods, as VAT law sees it. Its rates are dated."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)

    history = HistoricalRecords()

    class Meta:
        ordering = ["slug"]
        verbose_name = "VAT class"
        verbose_name_plural = "VAT classes"

    def __str__(self) -> str:
        return self.name


class VatRate(models.Model):
    """Per cent of VAT contained in a price, for a place of consumption, from a day on."""

    vat_class = models.ForeignKey(VatClass, on_delete=models.CASCADE, related_name="rates")
    place = models.CharField(max_length=16, choices=Place)
    rate = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="Per cent."
    )
    valid_from = models.DateField()

    history = HistoricalRecords()

    class Meta:
        ordering = ["vat_class", "place", "valid_from"]
        verbose_name = "VAT rate"
        constraints = [
            models.UniqueConstraint(fields=["vat_class", "place", "valid_from"], name="vat_rate_once_per_day"),
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lte=100), name="vat_rate_is_percentage"),
            models.CheckConstraint(condition=Q(place__in=Place.values), name="vat_rate_place_known"),
        ]

    def __str__(self) -> str:
        return f"{self.vat_class} {self.place} {self.rate} %"


def contained_vat(gross: Decimal, rate: Decimal) -> Decimal:
    """Return the VAT that is contained in `gross` at `rate` per cent, rounded half up to the cent.

    gross × rate / (100 + rate); German UStG § 10 (1) and French CGI art. 266 take the net amount as the base.
    """
    return to_cents(gross * rate / (100 + rate))
