"""Making and changing people: their names, their role, whether they may come in."""

from typing import Any

from django.db import transaction

from accounts.errors import AccountClosed, OwnAccount
from accounts.models import SENIOR, Role, User
from accounts.services.passwords import hash_password, lock_open, store_password
from bakery.db import fold
from bakery.errors import AlreadyExists, NotAllowed
from bakery.models import Revision


def register(*, username: str, email: str, password: str, **details: str) -> User:
    """Make a customer out of a guest. `details`: first_name, last_name, phone.

    Raises AlreadyExists for a taken name or address, DomainError for a weak password.
    """
    return _make(username=username, email=email, password=password, role=Role.CUSTOMER, **details)


def create_user(*, actor: User, password: str, **fields: Any) -> User:
    """Make someone of any role. Raises NotAllowed for a role above the actor's, and what `register` raises."""
    _require_rank(actor, fields.get("role", Role.CUSTOMER))
    return _make(password=password, **fields)


def _make(*, password: str, **fields: Any) -> User:
    user = User()
    _assign(user, fields)
    user.password = hash_password(user=user, password=password, field="password")
    with transaction.atomic():
        lock_names()
        refuse_taken(user)
        user.save()
    return user


def change_own_details(*, user: User, **fields: Any) -> User:
    """Change what people may change of themselves: username, email, first_name, last_name, phone.

    Raises AlreadyExists, and AccountClosed for who was erased since they signed in: what they sent would stay.
    """
    with transaction.atomic():
        return _change(user.pk, fields)


def change_user(*, user_id: int, actor: User, password: str | None = None, **fields: Any) -> User:
    """Change someone. Raises NotAllowed where an actor who is no admin would touch, or make, a manager or an admin;
    OwnAccount where actors would lock themselves out; AlreadyExists; DomainError for a weak password; AccountClosed for
    who was erased.
    """
    hashed = None
    if password is not None:
        person = User.objects.get(pk=user_id)
        _require_rank(actor, person.role)
        hashed = hash_password(user=person, password=password, field="password")
    with transaction.atomic():
        return _change(user_id, fields, actor=actor, hashed=hashed)


def _change(user_id: int, fields: dict[str, Any], *, actor: User | None = None, hashed: str | None = None) -> User:
    renamed = bool({"username", "email"} & fields.keys())
    if renamed:
        lock_names()
    if actor is None:
        user = lock_open(user_id)
    else:
        user = User.objects.locked().get(pk=user_id)
        _require_rank(actor, user.role, fields.get("role", user.role))
        _refuse_own_end(actor, user, fields)
        if user.is_erased:
            # A page of before, saved again, would bring the name back.
            raise AccountClosed("This account was erased, and stays as it is.")
    if fields:
        changed = _assign(user, fields)
        if renamed:
            refuse_taken(user)
        user.save(update_fields=changed)
    if hashed is not None:
        store_password(user, hashed)
    return user


def _assign(user: User, fields: dict[str, Any]) -> list[str]:
    """Put normal forms of `fields` into `user`; return what is to be saved. Raises ValidationError by field."""
    for name, value in fields.items():
        setattr(user, name, User.normalize_username(value) if name == "username" else value)
    if user.role != Role.ADMIN:
        user.is_superuser = False
    user.clean_fields(exclude={field.name for field in User._meta.fields} - fields.keys())
    return [*fields, "is_superuser"]


def may_manage(actor: User, *roles: str) -> bool:
    """Whether `actor`, who may change users at all, may make or change those of `roles`."""
    return actor.role == Role.ADMIN or SENIOR.isdisjoint(roles)


def _require_rank(actor: User, *roles: str) -> None:
    if not may_manage(actor, *roles):
        raise NotAllowed("Only an admin may make or change a manager or an admin.")


def _refuse_own_end(actor: User, user: User, fields: dict[str, Any]) -> None:
    if actor.pk == user.pk and (not fields.get("is_active", True) or fields.get("role", user.role) != user.role):
        raise OwnAccount("You cannot deactivate yourself or change your own role; another admin can.")


def refuse_taken(user: User) -> None:
    """Raise AlreadyExists where the username or the e-mail address of `user` is someone else's.

    Either would do to sign in, so neither may be another person's username or address.
    """
    others = User.objects.named(user.username, user.email).exclude(pk=user.pk)
    for other in others[:4]:
        for field in ("username", "email"):
            if fold(getattr(user, field)) in {other.username_key, other.email_key} - {""}:
                raise AlreadyExists(f"There is already a user with this {field}.", field=field)


def lock_account(user_id: int) -> User:
    """Lock someone, and all names, against changes. Return them."""
    lock_names()
    return User.objects.locked().get(pk=user_id)


def lock_names() -> None:
    """Make whoever writes names wait for each other; before the lock of a user."""
    # A constraint sees one column only, but a name may be taken as an address and the other way round. So those who
    # write names do it one after the other; this row's lock comes before that of a user.
    Revision.objects.bump("accounts.names")
