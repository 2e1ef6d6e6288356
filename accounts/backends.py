"""Django's permission backend, for which a role is the group of its name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q

from accounts.models import User


class RoleBackend(ModelBackend):
    """A user has the permissions of the group that is named after their role, and any given to them alone."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return `app.codename` of each; one query, once per user object."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            names = _held_by(user_obj).values_list("content_type__app_label", "codename")
            user_obj._perm_cache = {f"{app}.{codename}" for app, codename in names}
        held: set[str] = user_obj._perm_cache
        return held


def _held_by(user: User) -> Any:
    if user.is_superuser:
        return Permission.objects.order_by()
    by_role = Permission.objects.filter(group__name=user.role).order_by().values("pk")
    own = user.user_permissions.order_by().values("pk")
    return Permission.objects.filter(Q(pk__in=by_role) | Q(pk__in=own)).order_by()
