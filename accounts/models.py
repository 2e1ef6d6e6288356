"""People, and the role that decides what they may do."""

from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    MANAGER = "manager", "Manager"
    BAKER = "baker", "Baker"
    CASHIER = "cashier", "Cashier"
    DRIVER = "driver", "Driver"
    CUSTOMER = "customer", "Customer"


class UserQuerySet(models.QuerySet["User"]):
    def named(self, name: str) -> "UserQuerySet":
        """Those whose username, or else e-mail address, is `name` in any case."""
        return self.filter(Q(username__iexact=name) | Q(email__iexact=name))


class BakeryUserManager(UserManager["User"]):
    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def named(self, name: str) -> UserQuerySet:
        return self.get_queryset().named(name)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "User":
        """Make the first administrator: role `admin`, every permission."""
        extra |= {"role": Role.ADMIN, "is_superuser": True}
        extra.pop("is_staff", None)
        user = self.model(username=self.model.normalize_username(username), email=email or "", **extra)
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
    phone = models.CharField(max_length=32, blank=True)
    role = models.CharField(max_length=16, choices=Role, default=Role.CUSTOMER)

    objects = BakeryUserManager()
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta:
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_once"),
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="user_email_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
        ]

    # Everyone but customers may enter the admin; a second, stored truth could only contradict the role.
    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        return self.role != Role.CUSTOMER

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username
