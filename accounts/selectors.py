"""What can be told of accounts beyond a queryset."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group

from accounts import roles
from accounts.models import Role, User
from bakery.db import fold
from bakery.privacy import Person


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


def person_named(name: str) -> Person:
    """Return who has this username or e-mail address; whoever has no account is a guest with that address."""
    user = User.objects.named(name).first()
    return person_of(user) if user else Person(None, name.strip())


def person_of(user: User) -> Person:
    return Person(user.pk, user.email)


def export(person: Person) -> dict[str, Any]:
    """Return the account of `person`, and the names it had; nothing for a guest."""
    user = User.objects.filter(pk=person.user_id).first() if person.user_id else None
    if user is None:
        return {}
    names = ("username", "email", "first_name", "last_name", "phone")
    account = {name: getattr(user, name) for name in (*names, "role", "is_active", "date_joined", "last_login")}
    history = [*user.history.order_by("history_date").values("history_date", *names)]
    return {"account": {"id": user.pk, **account}, "history": history}
