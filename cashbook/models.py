"""The cash book: registers, sessions of a drawer, and a ledger whose every entry is chained to the one before."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Round
from simple_history.models import HistoricalRecords

from bakery import clock
from bakery.db import MOST_MONEY, MoneyField, append_only
from bakery.errors import DomainError

MAIN = "main"
GENESIS = "0" * 64


class Method(models.TextChoices):
    CASH = "cash", "Cash"
    CARD = "card", "Card"
    TRANSFER = "transfer", "Transfer"
    VOUCHER = "voucher", "Voucher"


class EntryType(models.TextChoices):
    SALE = "sale", "Sale"
    REFUND = "refund", "Refund"
    PAID_IN = "paid_in", "Paid in"
    PAID_OUT = "paid_out", "Paid out"
    BANK_DROP = "bank_drop", "Bank drop"


SIGN = {
    EntryType.SALE: 1,
    EntryType.PAID_IN: 1,
    EntryType.REFUND: -1,
    EntryType.PAID_OUT: -1,
    EntryType.BANK_DROP: -1,
}


def cents(column: str) -> Cast:
    """Return an amount as whole cents: SQLite keeps amounts as floats, whose sum drifts, and cents add up exactly."""
    return Cast(Round(F(column) * 100), models.BigIntegerField())


def hash_of(columns: Sequence[object]) -> str:
    """Return the SHA-256, in hex, of an entry's columns in the form that docs/cashbook.md tells."""
    # Whatever an edit may have put into a column has some form: then the hash differs, and that is what counts.
    return hashlib.sha256(orjson.dumps(columns, default=repr)).hexdigest()


class VatShare(NamedTuple):
    """What an amount contains at one VAT rate. `gross` includes `vat`."""

    rate: Decimal
    gross: Decimal
    vat: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.vat


class ReceiptLine(NamedTuple):
    """An article of a receipt: how many, at what price each, and all of it with the VAT in it."""

    text: str
    quantity: int
    unit_price: Decimal
    vat: VatShare


def write_vat(shares: Iterable[VatShare]) -> str:
    """Write shares as an entry keeps them, the lowest rate first: `5.50:3.90:0.20;20.00:12.00:2.00`."""
    return ";".join(f"{share.rate:.2f}:{share.gross:.2f}:{share.vat:.2f}" for share in sorted(shares))


@lru_cache(maxsize=4096)
def read_vat(text: str) -> tuple[VatShare, ...]:
    """Read what `write_vat` wrote. Raises ValueError for what it never wrote."""
    try:
        shares = tuple(VatShare(*map(Decimal, part.split(":"))) for part in text.split(";")) if text else ()
    except (ArithmeticError, TypeError) as error:
        raise ValueError(text) from error
    if write_vat(shares) != text:
        raise ValueError(text)
    return shares


def shares_in(text: str) -> tuple[VatShare, ...]:
    """Read what `write_vat` wrote; nothing where it was tampered with, which the proof names while reports go on."""
    try:
        return read_vat(text)
    except ValueError:
        return ()


def instant(at: datetime) -> str:
    """Write an instant as hashes cover it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class RegisterQuerySet(models.QuerySet["Register"]):
    def named(self, name: str) -> "Register":
        """Return the register with this name, or raise DomainError with the names that there are."""
        register = self.filter(name=name).first()
        if register is None:
            known = ", ".join(Register.objects.values_list("name", flat=True)[:20])
            raise DomainError(
                f"There is no register {name!r}; known are {known}.", field="register", code="does_not_exist"
            )
        return register


class Register(models.Model):
    """A drawer. Its row keeps the last numbers and hashes, so that entries and Z reports cut off at the end show."""

    name = models.SlugField(max_length=50, unique=True)
    label = models.CharField(max_length=100, blank=True)
    last_number = models.PositiveBigIntegerField(default=0, editable=False)
    last_hash = models.CharField(max_length=64, default=GENESIS, editable=False)
    last_z_number = models.PositiveIntegerField(default=0, editable=False)
    last_z_hash = models.CharField(max_length=64, default=GENESIS, editable=False)

    objects = RegisterQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["last_number", "last_hash", "last_z_number", "last_z_hash"])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.label or self.name


class CashSessionQuerySet(models.QuerySet["CashSession"]):
    def still_open(self) -> "CashSessionQuerySet":
        return self.filter(closed_at=None)

    def as_shown(self) -> "CashSessionQuerySet":
        """Load what lists show, in one query."""
        return self.select_related("register", "opened_by", "closed_by")

    def with_report(self) -> "CashSessionQuerySet":
        """Load what the report shows beside the sums."""
        return self.as_shown().select_related("z_report")


class CashSession(models.Model):
    """From the float in the drawer to the count at the end. Closed once, for good."""

    number = models.PositiveIntegerField(help_text="Without gaps in each register.")
    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="sessions")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    float_amount = MoneyField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    # A sum, which may outgrow what one entry can be.
    expected = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    counted = MoneyField(null=True, blank=True)
    denominations = models.JSONField(
        default=dict, blank=True, help_text="How often each note and coin was counted: {'50.00': 2}."
    )
    note = models.CharField(max_length=2000, blank=True)

    objects = CashSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["register"], condition=Q(closed_at=None), name="cash_session_one_open_per_register"
            ),
            models.UniqueConstraint(fields=["register", "number"], name="cash_session_number_once"),
            models.CheckConstraint(condition=Q(float_amount__gte=0), name="cash_session_float_not_negative"),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, expected=None, counted=None)
                | Q(closed_at__isnull=False, closed_by__isnull=False, expected__isnull=False, counted__gte=0),
                name="cash_session_closed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.register} {self.number}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def difference(self) -> Decimal | None:
        """Counted less expected; None until it is closed."""
        return None if self.counted is None or self.expected is None else self.counted - self.expected


class CashEntryQuerySet(models.QuerySet["CashEntry"]):
    def as_shown(self) -> "CashEntryQuerySet":
        """Load what lists show, in one query."""
        return self.select_related("register", "user")

    def during(self, first: date, last: date) -> "CashEntryQuerySet":
        """Those of the shop's days from `first` to `last`, both included."""
        start, end = clock.bounds(first, last)
        return self.filter(created_at__gte=start, created_at__lt=end)


@append_only
class CashEntry(models.Model):
    """One line of the cash book. It is never changed: a mistake is reversed."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="entries")
    number = models.PositiveBigIntegerField()
    type = models.CharField(max_length=16, choices=EntryType)
    amount = MoneyField()
    signed_amount = MoneyField()
    method = models.CharField(max_length=16, choices=Method)
    notes = models.CharField(max_length=2000, blank=True)
    reference = models.CharField(max_length=64, blank=True, db_index=True, help_text="What caused it, such as order:7.")
    session = models.ForeignKey(CashSession, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    reversal_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_index=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    vat = models.TextField(blank=True, default="", help_text="rate:gross:vat of each rate that the amount contains.")
    signature = models.TextField(blank=True, default="", help_text="What the signing device said, if there is one.")

    objects = CashEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "cash entries"
        permissions = [("view_cash_report", "Can see the cash report")]
        constraints = [
            models.UniqueConstraint(fields=["register", "number"], name="cash_entry_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=MOST_MONEY), name="cash_entry_amount_bounds"),
            models.CheckConstraint(condition=Q(type__in=EntryType.values), name="cash_entry_type_known"),
            models.CheckConstraint(condition=Q(method__in=Method.values), name="cash_entry_method_known"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.type} {self.signed_amount}"

    @property
    def vat_shares(self) -> tuple[VatShare, ...]:
        """What the amount contains at each rate; nothing where nobody told."""
        return shares_in(self.vat)

    def compute_hash(self) -> str:
        """Return what `hash` must be for what the entry says."""
        columns = [
            self.register.name,
            self.number,
            self.type,
            f"{self.amount:.2f}",
            f"{self.signed_amount:.2f}",
            self.method,
            self.notes,
            self.reference,
            self.session.number if self.session else None,
            self.reversal_of.number if self.reversal_of else None,
            self.user_id,
            instant(self.created_at),
            self.previous_hash,
        ]
        # Entries without both are hashed as they were before there was either.
        return hash_of([*columns, self.vat, self.signature] if self.vat or self.signature else columns)


class Statement(models.Model):
    """A sheet with the figures of a span of the book, written once and chained to the one before in its register."""

    number = models.PositiveIntegerField(help_text="Without gaps in each register.")
    content = models.TextField(help_text="The figures as JSON, with its keys in order.")
    created_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    # The default manager, named: of an abstract model the type checker does not find it.
    objects: models.Manager[Any] = models.Manager()

    class Meta:
        abstract = True
        ordering = ["-pk"]

    def compute_hash(self, register: str) -> str:
        """Return what `hash` must be for what the statement of the register named so says."""
        return hash_of([register, self.number, self.content, instant(self.created_at), self.previous_hash])

    @property
    def figures(self) -> dict[str, Any]:
        """The content, read. Raises ValueError where it was tampered with so that it is no JSON."""
        figures: dict[str, Any] = orjson.loads(self.content)
        return figures


@append_only
class ZReport(Statement):
    """What a session came to, as it was when it was closed."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="z_reports")
    session = models.OneToOneField(CashSession, on_delete=models.PROTECT, related_name="z_report")

    class Meta(Statement.Meta):
        verbose_name = "Z report"
        constraints = [models.UniqueConstraint(fields=["register", "number"], name="z_report_number_once")]

    def __str__(self) -> str:
        return f"Z {self.number}"


@append_only
class MonthlyClosing(Statement):
    """What a month came to in a register, and all that it took since it was set up."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="closings")
    month = models.DateField(help_text="Its first day.")

    class Meta(Statement.Meta):
        constraints = [
            models.UniqueConstraint(fields=["register", "number"], name="monthly_closing_number_once"),
            models.UniqueConstraint(fields=["register", "month"], name="monthly_closing_month_once"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
