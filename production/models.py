"""What is to be baked on a day: the plan, its items, and every edition of it that hung on the wall."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from bakery.db import VersionedModel
from products.models import Product

MOST_PIECES = 1_000_000


class PlanStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"


class ItemStatus(models.TextChoices):
    TODO = "todo", "To do"
    BAKING = "baking", "Baking"
    DONE = "done", "Done"


class CounterSource(models.TextChoices):
    """Where the number for the counter comes from."""

    FORECAST = "forecast", "Forecast"
    TARGET = "target", "Target of the weekday"
    MANUAL = "manual", "Set by a person"
    NONE = "none", "None"


class BakingPlanQuerySet(models.QuerySet["BakingPlan"]):
    def on(self, day: date) -> "BakingPlanQuerySet":
        return self.filter(date=day)


class BakingPlan(VersionedModel):
    """The baking list of one day. `edition` counts what was planned; `version` every change that is stored."""

    NEXT: ClassVar[dict[str, tuple[str, ...]]] = {
        PlanStatus.PLANNED: (PlanStatus.IN_PROGRESS,),
        PlanStatus.IN_PROGRESS: (PlanStatus.DONE,),
        PlanStatus.DONE: (),
    }

    date = models.DateField(unique=True)
    status = models.CharField(max_length=16, choices=PlanStatus, default=PlanStatus.PLANNED)
    edition = models.PositiveIntegerField(default=1, editable=False)
    includes_forecast = models.BooleanField(default=False)
    notes = models.TextField(max_length=2000, blank=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = BakingPlanQuerySet.as_manager()

    class Meta:
        ordering = ["-date"]
        permissions = [
            ("record_production", "Can record what was baked and wasted"),
            ("view_production_report", "Can see the production report"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PlanStatus.values), name="baking_plan_status_known"),
        ]

    def __str__(self) -> str:
        return self.date.isoformat()


class ListedProduct(NamedTuple):
    """A product as far as a list shows it: a long list would spend most of its time on loading the rest."""

    id: int
    name: str
    batch_size: int | None
    category: str
    category_position: int
    category_name: str


class Figures:
    """How the figures of an item hang together: planned = planned_for + counter - carried_over + rounding, always."""

    # `ordered` and `listed` are no columns: who reads a list sets them from orders and products as they are now.
    listed: ListedProduct
    ordered: Any = 0
    planned_for: Any
    counter: Any
    carried_over: Any
    rounding: Any
    planned: Any
    batch_size: Any

    @property
    def needed(self) -> int:
        """What the plan knew of and the counter will sell, less what is left from before."""
        needed: int = self.planned_for + self.counter - self.carried_over
        return needed

    @property
    def batches(self) -> int:
        batches: int = -(-self.planned // self.batch_size)
        return batches

    @property
    def shortfall(self) -> int:
        """What the orders of now and the counter exceed the plan by."""
        lacking: int = self.ordered + self.counter - self.carried_over - self.planned
        return max(0, lacking)

    def plan_whole_batches(self) -> None:
        """Plan what is needed, up to whole batches."""
        self.plan_exactly(-(-max(0, self.needed) // self.batch_size) * self.batch_size)

    def plan_exactly(self, pieces: int) -> None:
        """Plan `pieces`; the difference to what is needed shows as rounding."""
        self.planned = pieces
        self.rounding = pieces - self.needed


@dataclass
class Draft(Figures):
    """One product of a plan that could be made now. A list is read more often than it is planned, so it is no row."""

    listed: ListedProduct
    planned_for: int = 0
    counter: int = 0
    counter_source: str = CounterSource.NONE
    ordered: int = 0
    carried_over: int = 0
    rounding: int = 0
    planned: int = 0
    produced: int = 0
    wasted: int = 0
    status: str = ItemStatus.TODO
    assigned_to_id: int | None = None

    def __post_init__(self) -> None:
        self.product_id = self.listed.id
        self.batch_size = self.listed.batch_size or 1  # without one it is baked by the piece

    def in_plan(self, plan: BakingPlan) -> "BakingItem":
        """Return it as an item of `plan`, not stored yet."""
        item = BakingItem(
            plan=plan, product_id=self.product_id, planned_for=self.planned_for, counter=self.counter,
            counter_source=self.counter_source, rounding=self.rounding, planned=self.planned,
            batch_size=self.batch_size,
        )  # fmt: skip
        item.listed = self.listed
        return item


class BakingItem(Figures, models.Model):
    """One product of a plan."""

    plan = models.ForeignKey(BakingPlan, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    planned_for = models.PositiveIntegerField(default=0, help_text="Pieces of the orders that the plan knew.")
    counter = models.PositiveIntegerField(default=0, help_text="Pieces to sell over the counter.")
    counter_source = models.CharField(max_length=16, choices=CounterSource, default=CounterSource.NONE)
    carried_over = models.PositiveIntegerField(default=0, help_text="Pieces left from before that will be sold.")
    rounding = models.IntegerField(default=0, help_text="Up to whole batches; below zero where a person set less.")
    planned = models.PositiveIntegerField()
    is_planned_by_hand = models.BooleanField(default=False, help_text="A person said `planned`, not `counter` alone.")
    batch_size = models.PositiveIntegerField(default=1)
    produced = models.PositiveIntegerField(default=0)
    wasted = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=16, choices=ItemStatus, default=ItemStatus.TODO)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["plan", "product__category__position", "product__name", "product_id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "product"], name="baking_item_once_per_product"),
            models.CheckConstraint(
                condition=Q(planned=F("planned_for") + F("counter") - F("carried_over") + F("rounding")),
                name="baking_item_planned_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(is_planned_by_hand=False) | Q(counter_source=CounterSource.MANUAL),
                name="baking_item_planned_by_hand_is_manual",
            ),
            models.CheckConstraint(condition=Q(batch_size__gte=1), name="baking_item_batch_size_positive"),
            models.CheckConstraint(
                condition=Q(produced__lte=MOST_PIECES, wasted__lte=MOST_PIECES), name="baking_item_pieces_believable"
            ),
            models.CheckConstraint(condition=Q(status__in=ItemStatus.values), name="baking_item_status_known"),
            models.CheckConstraint(
                condition=Q(counter_source__in=CounterSource.values), name="baking_item_counter_source_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.planned} × {self.product_id}"


class PlanEdition(models.Model):
    """What a plan said at one edition, so that the paper on the wall can be put right."""

    plan = models.ForeignKey(BakingPlan, on_delete=models.CASCADE, related_name="editions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    quantities = models.JSONField(help_text="Product id to planned pieces.")

    class Meta:
        ordering = ["plan", "number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_edition_once")]

    def __str__(self) -> str:
        return f"{self.plan} {self.number}"
