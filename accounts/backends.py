"""Django's permission backend, for which a role is the group of its name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission

from accounts.models import User
from bakery.queries import KeptQuery


class RoleBackend(ModelBackend):
    """A user has the permissions of the group that is named after their role, and any given to them alone."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return `app.codename` of each; one query, once per user object."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            user_obj._perm_cache = _held_by(user_obj)
        held: set[str] = user_obj._perm_cache
        return held


_ALL: KeptQuery[tuple[int, str, str]] = KeptQuery(
    lambda: Permission.objects.order_by().values_list("pk", "content_type__app_label", "codename")
)
_OF_ROLE_OR_OWN: KeptQuery[int] = KeptQuery(
    lambda role, user: (
        Group.permissions.through._default_manager.filter(group__name=role)
        .values_list("permission", flat=True)
        .union(
            User.user_permissions.through._default_manager.filter(user=user).values_list("permission", flat=True),
            all=True,
        )
    )
)
# The name of each permission that this process has seen: neither database uses an id for a second time.
_name_of: dict[int, str] = {}


def _held_by(user: User) -> set[str]:
    if user.is_superuser:
        return set(_names().values())
    held = _OF_ROLE_OR_OWN(role=user.role, user=user.pk)
    if any(pk not in _name_of for pk in held):
        _name_of.update(_names())
    return {_name_of[pk] for pk in held}


def _names() -> dict[int, str]:
    return {pk: f"{app}.{codename}" for pk, app, codename in _ALL()}
