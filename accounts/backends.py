"""Django's permission backend, for which a role is the group of its name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import connection

from accounts.models import User


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


# Asked with every request of a signed-in user: the ORM would take three times as long to write it down as the database
# to answer it.
_ALL = """
SELECT kind.app_label, permission.codename
FROM auth_permission AS permission JOIN django_content_type AS kind ON kind.id = permission.content_type_id
"""
_OF_ROLE_OR_OWN = """
WHERE permission.id IN (
    SELECT of_role.permission_id FROM auth_group_permissions AS of_role
    JOIN auth_group AS role ON role.id = of_role.group_id WHERE role.name = %s
    UNION ALL SELECT own.permission_id FROM accounts_user_user_permissions AS own WHERE own.user_id = %s
)
"""


def _held_by(user: User) -> set[str]:
    with connection.cursor() as cursor:
        if user.is_superuser:
            cursor.execute(_ALL)
        else:
            cursor.execute(_ALL + _OF_ROLE_OR_OWN, [user.role, user.pk])
        return {f"{app}.{codename}" for app, codename in cursor.fetchall()}
