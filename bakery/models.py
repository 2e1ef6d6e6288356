"""The shop itself, and what the kernel keeps: idempotency keys, rate counters, revisions, routines."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from bakery import clock, holidays
from bakery.db import MoneyField
from bakery.queries import KeptQuery


class Shop(models.Model):
    """The one shop: its name, and the choices that its owner makes."""

    name = models.CharField(max_length=200, default="Bakery")
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217 code, such as EUR.")
    address = models.CharField(max_length=500, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    email = models.EmailField(blank=True)
    requires_cash_session = models.BooleanField(
        default=False, help_text="Cash can be taken or paid out only while a session of the register is open."
    )
    cash_difference_limit = MoneyField(
        null=True, blank=True, help_text="A drawer that is off by more than this is closed with a note only."
    )
    standing_days_ahead = models.PositiveSmallIntegerField(
        default=7,
        validators=[MaxValueValidator(60)],
        help_text="How many days ahead standing orders become orders.",
    )
    country = models.CharField(
        max_length=2,
        blank=True,
        help_text="ISO 3166 code, such as FR: its public holidays are offered as closures. Empty: none are.",
    )
    subdivision = models.CharField(
        max_length=50,
        blank=True,
        help_text="State or region, such as BY, where holidays differ within the country.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "shop"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="shop_is_one"),
            models.CheckConstraint(
                condition=Q(cash_difference_limit=None) | Q(cash_difference_limit__gte=0),
                name="shop_difference_limit_not_negative",
            ),
            models.CheckConstraint(condition=Q(standing_days_ahead__lte=60), name="shop_standing_days_possible"),
            models.CheckConstraint(
                condition=Q(subdivision="") | ~Q(country=""), name="shop_subdivision_within_country"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.country = self.country.upper()
        self.subdivision = self.subdivision.removeprefix(f"{self.country}-")
        if self.subdivision and not self.country:
            raise ValidationError({"country": "Name the country, too."})
        fault = holidays.find_fault(self.country, self.subdivision) if self.country else None
        if fault:
            raise ValidationError(dict([fault]))

    @classmethod
    def get(cls) -> "Shop":
        """Return the shop; a fresh one has only its defaults."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class OpeningHours(models.Model):
    """A span in which the shop is open on a weekday. Without any, the shop is always open."""

    weekday = models.PositiveSmallIntegerField(
        choices=[
            (1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"),
            (5, "Friday"), (6, "Saturday"), (7, "Sunday"),
        ],
    )  # fmt: skip
    opens = models.TimeField()
    closes = models.TimeField(help_text="00:00 means midnight at the end of the day.")

    history = HistoricalRecords()

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="opening_hours_weekday_iso"),
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes="00:00"),
                name="opening_hours_close_after_opening",
            ),
            models.UniqueConstraint(fields=["weekday", "opens"], name="opening_hours_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class ClosureQuerySet(models.QuerySet["Closure"]):
    def covering(self, day: date) -> "ClosureQuerySet":
        return self.filter(first_day__lte=day, last_day__gte=day)

    def ahead(self, day: date) -> "ClosureQuerySet":
        """Those that are not over on `day`."""
        return self.filter(last_day__gte=day)


class Closure(models.Model):
    """Days on which the shop stays closed whatever its hours say."""

    first_day = models.DateField()
    last_day = models.DateField()
    reason = models.CharField(max_length=200, blank=True)

    objects = ClosureQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["first_day", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="closure_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.first_day} – {self.last_day} {self.reason}".strip()


class IdempotencyKey(models.Model):
    """The first answer to a request that may be sent again. Its row is made in the transaction of its effect."""

    caller = models.CharField(max_length=32, help_text="user:<id>, or guest.")
    key = models.CharField(max_length=128)
    path = models.CharField(max_length=500)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_once_per_caller")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class RateCounterManager(models.Manager["RateCounter"]):
    def hit(self, name: str, *, window: timedelta, now: datetime) -> tuple[int, int]:
        """Count one more use of `name`; return its uses in this window and the seconds until the window ends.

        The row stays locked from the count to the look, so that it is right over all processes.
        """
        seconds = int(window.total_seconds())
        number = int(now.timestamp()) // seconds
        counter = self.filter(name=name, window=number)
        with transaction.atomic():
            fresh = RateCounter(name=name, window=number, uses=0, ends_at=now + window)
            self.bulk_create([fresh], ignore_conflicts=True)
            counter.update(uses=F("uses") + 1)
            uses = counter.values_list("uses", flat=True).get()
        return uses, (number + 1) * seconds - int(now.timestamp())


class RateCounter(models.Model):
    """How often something was done in one window of time."""

    name = models.CharField(max_length=200)
    window = models.BigIntegerField()
    uses = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    objects = RateCounterManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "window"], name="rate_counter_once_per_window")]

    def __str__(self) -> str:
        return f"{self.name}: {self.uses}"


class Mark(NamedTuple):
    """How far a set of tables is: the number of its last change, and the day that changes it next by itself."""

    number: int
    changes_on: date | None

    def is_over(self, today: date) -> bool:
        """Whether a day has come on which something changes by itself, and nobody has seen to it."""
        return self.changes_on is not None and self.changes_on <= today


class RevisionManager(models.Manager["Revision"]):
    def current(self, name: str) -> Mark:
        """Return how far what `name` stands for is; its number is 0 before the first change."""
        for number, changes_on in _MARK(name=name):
            return Mark(number, changes_on)
        return Mark(0, None)

    def lock(self, name: str) -> Mark:
        """Make the writers of `name` wait for each other until this transaction ends; return how far it is."""
        if not self.filter(name=name).exists():
            self.bulk_create([Revision(name=name, number=0)], ignore_conflicts=True)
        return Mark(*self.select_for_update().values_list("number", "changes_on").get(name=name))

    def bump(self, name: str) -> Mark:
        """Say, in the transaction of the change, that what `name` stands for has changed; return how far it was before.

        Called first, it also locks `name`. The number follows the clock, so that none is used for a second time after
        an older backup was restored.
        """
        before = self.lock(name)
        after = max(before.number + 1, int(clock.now().timestamp() * 1_000_000))
        self.filter(name=name).update(number=after)
        return before

    def wait_until(self, name: str, day: date | None) -> None:
        """Note the first day on which what `name` stands for changes by itself; the caller holds the lock."""
        self.filter(name=name).update(changes_on=day)


class Revision(models.Model):
    """A number that moves up with every write to a set of tables, so that an answer made of them has a tag."""

    name = models.CharField(max_length=64, primary_key=True)
    number = models.PositiveBigIntegerField()
    # Beside the number, so that whoever reads that learns without another query that the day has come.
    changes_on = models.DateField(null=True)

    objects = RevisionManager()

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


_MARK: KeptQuery[tuple[int, date | None]] = KeptQuery(
    lambda name: Revision.objects.filter(name=name).values_list("number", "changes_on")
)


class RoutineManager(models.Manager["Routine"]):
    def claim(self, name: str, *, every: timedelta, now: datetime) -> bool:
        """Whether `name` is due and now this caller's to do; call `release` afterwards.

        One that was claimed and never released (its process died) is due again after ten minutes. Marks that lie
        in the future come from a clock that was wrong, and hold nothing up.
        """
        if not self.filter(name=name).exists():
            self.bulk_create([Routine(name=name)], ignore_conflicts=True)
        hour, hold = timedelta(hours=1), timedelta(minutes=10)
        free = Q(busy_until=None) | Q(busy_until__lte=now) | Q(busy_until__gt=now + hour)
        due = Q(done_at=None) | Q(done_at__lte=now - every) | Q(done_at__gt=now + hour)
        return self.filter(free, due, name=name).update(busy_until=now + hold) == 1

    def release(self, name: str, *, done_at: datetime | None) -> None:
        """Say that `name` is no longer worked on; None where it was not done and is due at once."""
        done = {} if done_at is None else {"done_at": done_at}
        self.filter(name=name).update(busy_until=None, **done)


class Routine(models.Model):
    """What the clock makes due: when it was last done, and until when a process has it in hand."""

    name = models.CharField(max_length=64, primary_key=True)
    done_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(null=True)

    objects = RoutineManager()

    def __str__(self) -> str:
        return self.name


def prune(now: datetime) -> None:
    """Forget idempotency keys after two days and rate counters after their window."""
    IdempotencyKey.objects.filter(created_at__lt=now - timedelta(days=2)).delete()
    RateCounter.objects.filter(ends_at__lt=now - timedelta(hours=1)).delete()


def is_open(instant: datetime, hours: list[OpeningHours], closures: list[Closure]) -> bool:
    """Whether the shop is open at `instant`, by the given `hours` and `closures`; both ends count as open."""
    moment = clock.local(instant)
    day = moment.date()
    if any(closure.first_day <= day <= closure.last_day for closure in closures):
        return False
    if not hours:
        return True
    clock_time = moment.time()
    midnight = datetime.min.time()
    return any(
        span.opens <= clock_time and (clock_time <= span.closes or span.closes == midnight)
        for span in hours
        if span.weekday == moment.isoweekday()
    )
