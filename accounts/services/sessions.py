"""Signing in, the tokens that follow from it, and the lock-out of who guesses."""

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.errors import InvalidCredentials
from accounts.models import FailedSignIns, User
from bakery import clock, tokens
from bakery.db import fold
from bakery.errors import TooMany


def sign_in(*, name: str, password: str, address: str) -> User:
    """Return the active user whose username or e-mail address is `name`, in any case.

    Raises InvalidCredentials, the same and after the same time for an unknown name, a wrong password and a
    deactivated user; TooMany after ten failures in ten minutes for this account from this `address`.
    """
    user = User.objects.named(name).first()
    account = str(user.pk) if user else hashlib.blake2b(fold(name).encode(), digest_size=16).hexdigest()
    user = confirm_password(user=user, account=account, password=password, address=address)
    user.last_login = clock.now()
    user.save(update_fields=["last_login"])
    return user


def confirm_password(*, user: User | None, account: str, password: str, address: str) -> User:
    """Return `user` if `password` is theirs and they are active.

    Raises InvalidCredentials, and TooMany once ten failures are noted. However many tries come at the same moment,
    no more than ten of them learn whether they were right.
    """
    now = clock.now()
    _refuse_locked(account, address, now)
    # Slow on purpose, and therefore outside of any transaction.
    if not _is_right(user, password):
        _note_failure(account, address, now)
        raise InvalidCredentials
    _refuse_locked(account, address, now)
    FailedSignIns.objects.filter(account=account, address=address[:64]).delete()
    assert user is not None
    return user


def _is_right(user: User | None, password: str) -> bool:
    if user is None:
        User().set_password(password)  # takes as long as a comparison
        return False
    return user.check_password(password) and user.is_active


def _refuse_locked(account: str, address: str, now: datetime) -> None:
    row = FailedSignIns.objects.filter(account=account, address=address[:64]).first()
    _refuse(row, now)


def _refuse(row: FailedSignIns | None, now: datetime) -> None:
    seconds = row.seconds_locked(now) if row else 0
    if seconds:
        raise TooMany("Too many failed attempts. Wait before you try again.", retry_after=seconds)


@transaction.atomic
def _note_failure(account: str, address: str, now: datetime) -> None:
    key = {"account": account, "address": address[:64]}
    FailedSignIns.objects.bulk_create([FailedSignIns(**key, latest_at=now)], ignore_conflicts=True)
    row = FailedSignIns.objects.select_for_update().get(**key)
    _refuse(row, now)
    row.add(now)
    row.save()


def refresh_session(*, token: str) -> tokens.Pair:
    """Return fresh tokens for a refresh token, which is dead from then on. Raises TokenNotValid."""
    claims = tokens.read(token, tokens.REFRESH)
    user = tokens.owner(claims)
    _spend(claims)
    return tokens.issue(user)


def sign_out(*, token: str) -> None:
    """End a session by its refresh token. Raises TokenNotValid."""
    claims = tokens.read(token, tokens.REFRESH)
    tokens.owner(claims)
    _spend(claims)


def verify_token(*, token: str) -> None:
    """Raise TokenNotValid unless `token`, access or refresh, would be accepted now."""
    claims = tokens.read(token, tokens.ACCESS, tokens.REFRESH)
    tokens.owner(claims)
    if BlacklistedToken.objects.filter(token__jti=claims.token_id).exists():
        raise tokens.TokenNotValid


def _spend(claims: tokens.Claims) -> None:
    """Note that a refresh token was used. Of several at once the database's unique keys let one through."""
    try:
        with transaction.atomic():
            spent = OutstandingToken.objects.create(
                jti=claims.token_id,
                user_id=claims.user_id,
                token="",  # the text of a token is a secret, and nobody needs it any more
                created_at=clock.now(),
                expires_at=claims.expires_at,
            )
            BlacklistedToken.objects.create(token=spent)
    except IntegrityError as error:
        raise tokens.TokenNotValid from error


def tick(now: datetime) -> None:
    """Forget failures to sign in that lock nobody out any more."""
    FailedSignIns.objects.filter(latest_at__lt=now - 2 * FailedSignIns.SPAN).delete()
