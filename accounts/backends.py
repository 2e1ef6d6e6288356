"""Django's permission backend, for which a role is the group of its name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission

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


_NAMES = Permission.objects.order_by().values_list("content_type__app_label", "codename")
_ALL: KeptQuery[tuple[str, str]] = KeptQuery(lambda: _NAMES)
_OF_ROLE_OR_OWN: KeptQuery[tuple[str, str]] = KeptQuery(
    lambda role, user: _NAMES.filter(group__name=role).union(_NAMES.filter(user=user), all=True)
)


def _held_by(user: User) -> set[str]:
    names = _ALL() if user.is_superuser else _OF_ROLE_OR_OWN(role=user.role, user=user.pk)
    return {f"{app}.{codename}" for app, codename in names}
