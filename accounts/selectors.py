"""What can be told of accounts beyond a queryset."""

from collections.abc import Iterator

from django.contrib.auth.models import Group

from accounts import roles
from accounts.models import Role, User
from bakery.db import fold


def checks() -> Iterator[str]:
    """Yield a line for each thing that is not as it should be."""
    yield from _roles_without_their_permissions()
    for user in User.objects.exclude(role__in=Role.values):
        yield f"user {user.pk} has the role {user.role!r}, which is not known"
    for user in User.objects.filter(is_superuser=True).exclude(role=Role.ADMIN):
        yield f"user {user.pk} has every permission, but the role {user.role}"
    yield from _names_out_of_step()


def _roles_without_their_permissions() -> Iterator[str]:
    groups = {group.name: set(group.permissions.all()) for group in Group.objects.prefetch_related("permissions")}
    for role, permissions in roles.wanted().items():
        there = groups.get(role)
        if there is None:
            yield f"the role {role} has no group; run migrate"
        elif there != set(permissions):
            names = sorted(permission.codename for permission in there ^ set(permissions))
            yield f"the group of the role {role} differs from its table in {', '.join(names)}; run migrate"


def _names_out_of_step() -> Iterator[str]:
    owners: dict[str, int] = {}
    stored = User.objects.values_list("pk", "username", "email", "username_key", "email_key")
    for pk, username, email, *keys in stored.order_by("pk").iterator():
        folded = [fold(username), fold(email)]
        if keys != folded:
            yield f"user {pk} cannot be found by name: its folded names are out of step"
        for key in {key for key in folded if key}:
            first = owners.setdefault(key, pk)
            if first != pk:
                yield f"users {first} and {pk} share a name to sign in with"
