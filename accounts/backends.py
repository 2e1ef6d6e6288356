"""Django's permission backend, for which a role is the group of its name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet


class RoleBackend(ModelBackend):
    """A user has the permissions of the group that is named after their role, and any given to them alone."""

    def _get_group_permissions(self, user_obj: Any) -> QuerySet[Permission]:
        return Permission.objects.filter(Q(group__name=user_obj.role) | Q(group__user=user_obj)).distinct()
