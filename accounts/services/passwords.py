"""Setting a new password. Every token and every session of before dies with the old one."""

from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.http import urlsafe_base64_decode

from accounts import tasks
from accounts.errors import AccountClosed, InvalidCredentials
from accounts.models import FailedSignIns, User
from accounts.services.sessions import confirm_password
from bakery import clock
from bakery.db import fold
from bakery.errors import DomainError, Problem
from bakery.models import RateCounter
from bakery.queries import KeptQuery

_MOST_MAILS, _PER = 5, timedelta(hours=1)
_LOCKED = KeptQuery(lambda pk: User.objects.locked().filter(pk=pk))


def hash_password(*, user: User, password: str, field: str) -> str:
    """Return the hash of a `password` that is good enough for `user`, or raise DomainError for `field`.

    It takes long on purpose: call it before the transaction, or SQLite's other writers wait for it.
    """
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        problems = [Problem(error.code or "invalid", error.messages[0], field) for error in refusal.error_list]
        raise DomainError.of(problems) from refusal
    return make_password(password)


def change_password(*, user: User, current: str, new: str, address: str) -> None:
    """Set the password of someone who knows the present one. Raises DomainError that names the field, TooMany."""
    try:
        confirm_password(user=user, account=str(user.pk), password=current, address=address)
    except InvalidCredentials as error:
        raise DomainError("This is not your password.", field="current_password") from error
    hashed = hash_password(user=user, password=new, field="new_password")
    with transaction.atomic():
        store_password(lock_open(user.pk), hashed)


def set_password(*, user_id: int, password: str, field: str = "password") -> None:
    """Set a password, for callers who know that it may be done. Raises DomainError for a weak one."""
    hashed = hash_password(user=User.objects.get(pk=user_id), password=password, field=field)
    with transaction.atomic():
        store_password(User.objects.locked().get(pk=user_id), hashed)


def lock_open(user_id: int, *, field: str | None = None) -> User:
    """Lock someone against being closed or erased until the transaction ends. Raises AccountClosed where they were."""
    for user in _LOCKED(pk=user_id):
        if user.is_active:
            return user
    raise AccountClosed(field=field)


def store_password(user: User, hashed: str) -> None:
    """Save a new hash for `user`, whose row is locked, and end the lock-outs of the account."""
    user.password = hashed
    user._change_reason = "password"  # type: ignore[attr-defined]  # the history shows it; the hash it never sees
    user.save(update_fields=["password"])
    FailedSignIns.objects.filter(account=str(user.pk)).delete()


@transaction.atomic
def request_password_reset(*, email: str) -> None:
    """Have a mail sent to the active user with this address, five an hour at most. Who is known stays unknown."""
    user = User.objects.filter(email_key=fold(email), is_active=True).first()
    user_id = user.pk if user else 0
    mails, _ = RateCounter.objects.hit(f"password-reset:{user_id}", window=_PER, now=clock.now())
    # Also for nobody, so that the answer takes as long.
    tasks.mail_password_reset.enqueue(user_id if mails <= _MOST_MAILS else 0)


def reset_password(*, uid: str, token: str, new: str) -> None:
    """Set the password of the user who got the mail. Raises DomainError for a used, old or foreign token."""
    user = _user_of(uid)
    if user is None or not default_token_generator.check_token(user, token):
        raise _stale_link()
    hashed = hash_password(user=user, password=new, field="new_password")
    with transaction.atomic():
        locked = User.objects.locked().get(pk=user.pk)
        if not (locked.is_active and default_token_generator.check_token(locked, token)):
            raise _stale_link()
        store_password(locked, hashed)


def _user_of(uid: str) -> User | None:
    try:
        number = int(urlsafe_base64_decode(uid).decode("ascii"))
    except ValueError:
        return None
    return User.objects.filter(pk=number, is_active=True).first() if 0 < number < 2**63 else None


def _stale_link() -> DomainError:
    return DomainError("This link was used already, is too old, or is not ours. Ask for a new one.", field="token")
