"""The log of imports, and the files that wait for a look at what they would do."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Q

WAITS = timedelta(days=1)
KEPT = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(minutes=30)


class ImportState(models.TextChoices):
    READING = "reading", "Being read"
    REVIEW = "review", "To be confirmed"
    REFUSED = "refused", "Has errors"
    IMPORTING = "importing", "Being imported"
    DONE = "done", "Imported"
    UNDONE = "undone", "Undone"
    FAILED = "failed", "Failed"


class ProductImportQuerySet(models.QuerySet["ProductImport"]):
    def undoable(self) -> "ProductImportQuerySet":
        """Those that changed something and still stand, the last one first; only that one can be undone."""
        return self.filter(Q(created__gt=0) | Q(updated__gt=0), state=ImportState.DONE).order_by("-imported_at", "-pk")

    @transaction.atomic
    def forget(self, now: datetime) -> None:
        """Drop what nobody confirmed, and what came to nothing; call that failed which nobody works on any more."""
        unfinished = self.exclude(state__in=(ImportState.DONE, ImportState.UNDONE)).order_by("pk")
        list(unfinished.select_for_update().values_list("pk"))  # one may be confirmed at this very moment
        at_work = self.filter(state__in=(ImportState.READING, ImportState.IMPORTING))
        note = "It was not done within half an hour. Nothing was imported."
        at_work.filter(begun_at__lt=now - GIVEN_UP_AFTER).update(state=ImportState.FAILED, note=note)
        self.filter(state=ImportState.REVIEW, begun_at__lt=now - WAITS).delete()
        old = self.filter(begun_at__lt=now - KEPT)
        old.filter(state__in=(ImportState.REFUSED, ImportState.FAILED)).delete()
        ImportFile.objects.filter(product_import__state=ImportState.FAILED).delete()
        ImportPage.objects.filter(product_import__in=old).delete()


class ProductImport(models.Model):
    """A file of products: what it means for the catalogue, or what it did to it."""

    file_name = models.CharField("file", max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name="by"
    )
    state = models.CharField(max_length=16, choices=ImportState.choices)
    step = models.CharField(max_length=32, blank=True, help_text="What the worker is at.")
    note = models.TextField(blank=True)
    notices = models.JSONField(default=list, help_text="What the reader passed over, and why.")
    plan = models.CharField(max_length=64, blank=True, help_text="The fingerprint of what was reviewed.")
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField("changed", default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField("begun")
    imported_at = models.DateTimeField("imported", null=True)
    undone_at = models.DateTimeField("undone", null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ProductImportQuerySet.as_manager()

    class Meta:
        verbose_name = "import"
        default_permissions = ("view",)
        ordering = ["-begun_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="product_import_state_known"),
            models.CheckConstraint(
                condition=Q(imported_at=None, state__in=("reading", "review", "refused", "importing", "failed"))
                | Q(imported_at__isnull=False, state__in=("done", "undone")),
                name="product_import_done_once_imported",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.file_name}"

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("created", "updated", "unchanged", "skipped")}

    @property
    def changed(self) -> int:
        return self.created + self.updated

    @property
    def is_at_work(self) -> bool:
        return self.state in (ImportState.READING, ImportState.IMPORTING)

    @property
    def reason(self) -> str:
        """What the history of each product says of this import."""
        return f"import {self.pk}"

    @property
    def undo_reason(self) -> str:
        return f"undo of import {self.pk}"


class ImportFile(models.Model):
    """The bytes of an upload, until it is imported. In the database: private, and there for every process."""

    product_import = models.OneToOneField(ProductImport, on_delete=models.CASCADE, related_name="file")
    content = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.product_import_id)


class ImportPage(models.Model):
    """One page of what an upload would change, or of what is wrong with it."""

    SIZE = 50

    product_import = models.ForeignKey(ProductImport, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveIntegerField()
    rows = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["product_import", "number"], name="import_page_once")]

    def __str__(self) -> str:
        return f"{self.product_import_id}, page {self.number}"
