"""People, and the role that decides what they may do."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from bakery.db import FoldedField, fold


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    MANAGER = "manager", "Manager"
    BAKER = "baker", "Baker"
    CASHIER = "cashier", "Cashier"
    DRIVER = "driver", "Driver"
    CUSTOMER = "customer", "Customer"


# Whom only an admin may make or change.
SENIOR = frozenset({Role.ADMIN, Role.MANAGER})


class UserQuerySet(models.QuerySet["User"]):
    def named(self, *names: str) -> "UserQuerySet":
        """Those whose username or e-mail address is one of `names`, whatever the case."""
        keys = [key for key in map(fold, names) if key]
        return self.filter(Q(username_key__in=keys) | Q(email_key__in=keys))

    def locked(self) -> "UserQuerySet":
        """These, each locked as it is read, against changes alone: rows that refer to them can still be written.

        Such as the history of whom they change: two who change each other would wait for one another.
        """
        return self.select_for_update(no_key=True)


class BakeryUserManager(UserManager["User"]):
    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def named(self, *names: str) -> UserQuerySet:
        return self.get_queryset().named(*names)

    def locked(self) -> UserQuerySet:
        return self.get_queryset().locked()

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        """Make an administrator: role `admin`, every permission. Raises Django's ValidationError."""
        extra |= {"role": Role.ADMIN, "is_superuser": True}
        extra.pop("is_staff", None)
        user = self.model(username=self.model.normalize_username(username), email=email or "", **extra)
        user.full_clean(exclude=["password"])
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractUser):
    """Anyone who signs in. Names and e-mail addresses are unique whatever their case."""

    username = models.CharField(
        max_length=150,
        validators=[AbstractUser.username_validator],
        help_text="At most 150 characters: letters, digits and @ . + - _",
    )
    email = models.EmailField(blank=True)
    # Folding can make text longer, up to three times.
    username_key = FoldedField(follows="username", max_length=450)
    # SQLite cannot look up by the unique index, since that leaves out the empty ones.
    email_key = FoldedField(follows="email", max_length=762, db_index=True)
    phone = models.CharField(max_length=32, blank=True)
    role = models.CharField(max_length=16, choices=Role, default=Role.CUSTOMER)

    objects: ClassVar[BakeryUserManager] = BakeryUserManager()
    history = HistoricalRecords(
        excluded_fields=["password", "last_login", "username_key", "email_key"], m2m_fields=["user_permissions"]
    )

    class Meta:
        ordering = ["username", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["username_key"],
                name="user_username_once",
                violation_error_message="There is already a user with this username.",
            ),
            models.UniqueConstraint(
                fields=["email_key"],
                condition=~Q(email_key=""),
                name="user_email_once",
                violation_error_message="There is already a user with this e-mail address.",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(
                condition=Q(is_superuser=False) | Q(role=Role.ADMIN), name="user_superuser_is_admin"
            ),
        ]

    # Everyone but customers may enter the admin; a second, stored truth could only contradict the role.
    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        return self.role != Role.CUSTOMER

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def erased_name(self) -> str:
        """The username of this account once it is erased."""
        return f"erased-{self.pk}"

    @property
    def is_erased(self) -> bool:
        return not self.is_active and self.username == self.erased_name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save, with the folded names where `update_fields` names theirs."""
        if update_fields is not None:
            named = set(update_fields)
            update_fields = named | {f"{name}_key" for name in named & {"username", "email"}}
            if named == {"last_login"}:
                # To have signed in is no change of the person: Django notes it by save(), history need not.
                type(self)._base_manager.filter(pk=self.pk).update(last_login=self.last_login)
                return
        super().save(*args, update_fields=update_fields, **kwargs)


class FailedSignIns(models.Model):
    """The latest failures to sign in to an account from an address. Ten in ten minutes lock the two out for ten."""

    MOST: ClassVar = 10
    SPAN: ClassVar = timedelta(minutes=10)

    account = models.CharField(max_length=64, help_text="The user's id, or a digest of a name that is not known.")
    address = models.CharField(max_length=64)
    times = models.JSONField(default=list, help_text="Seconds since 1970, oldest first, ten at most.")
    latest_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "failed sign-ins"
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="failed_sign_ins_once_per_address")]

    def __str__(self) -> str:
        return f"{self.account} from {self.address}"

    def seconds_locked(self, now: datetime) -> int:
        """Return for how many seconds from `now` on nobody may try; 0 where anyone may."""
        if len(self.times) < self.MOST:
            return 0
        span = self.SPAN.total_seconds()
        left = self.times[-1] + span - now.timestamp()
        # Requests overtake each other by a little. By much only where the clock was set back: that locks nobody out.
        return math.ceil(min(left, span)) if 0 < left < 2 * span else 0

    def add(self, now: datetime) -> None:
        """Note a failure, and forget those that no longer count."""
        moment = now.timestamp()
        recent = [time for time in self.times if abs(moment - time) < self.SPAN.total_seconds()]
        self.times = sorted([*recent, moment])[-self.MOST :]
        self.latest_at = now
