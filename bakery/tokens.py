"""Bearer tokens: signed and read by simplejwt, and every claim looked at before the database is asked."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.state import token_backend
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from bakery import clock
from bakery.errors import NotRecognised
from bakery.queries import KeptQuery

ACCESS, REFRESH = "access", "refresh"

_END_OF_TIME = 2**33

_ACTIVE_USER: KeptQuery[Any] = KeptQuery(
    lambda pk: get_user_model()._default_manager.filter(pk=pk, is_active=True).order_by()
)


class TokenNotValid(NotRecognised):
    code = "token_not_valid"

    def __init__(self) -> None:
        super().__init__("The token is not valid, or no longer.")


class Claims(NamedTuple):
    """What a token says, each of it of the right kind."""

    kind: str
    token_id: str
    user_id: int
    expires_at: datetime
    password_mark: str


class Pair(NamedTuple):
    access: str
    refresh: str


class _RefreshToken(Token):
    """simplejwt's own keeps each token that it makes in the database, readable; ours keeps the dead ones' ids."""

    token_type = REFRESH
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


def issue(user: Any) -> Pair:
    """Make an access token and a refresh token. Both carry a mark of the password, and so die with it."""
    return Pair(str(AccessToken.for_user(user)), str(_RefreshToken.for_user(user)))


def read(text: str, *kinds: str) -> Claims:
    """Return what a sound, unexpired token of one of `kinds` says. Raises TokenNotValid."""
    claims = _decoded(text)
    if claims.kind not in kinds or claims.expires_at + timedelta(seconds=api_settings.LEEWAY) <= clock.now():
        raise TokenNotValid
    return claims


@lru_cache(maxsize=1024)  # a token comes with every request of ten minutes; what it says never changes
def _decoded(text: str) -> Claims:
    try:
        payload = token_backend.decode(text)  # type: ignore[arg-type]  # it means the text
    # Beside its own errors the decoder lets through what strange headers and numbers make Python raise.
    except (TokenBackendError, ValueError, TypeError, OverflowError, AttributeError, LookupError, RecursionError):
        payload = {}
    claims = _sound(payload)
    if claims is None:
        raise TokenNotValid
    return claims


def _sound(payload: dict[str, Any]) -> Claims | None:
    kind, token_id, mark = (_short_text(payload.get(name)) for name in ("token_type", "jti", "hash_password"))
    user_id, expiry = _short_text(payload.get("user_id")), payload.get("exp")
    if not (kind and token_id and mark and user_id.isdecimal() and len(user_id) <= 18):
        return None
    if type(expiry) is not int or not 0 < expiry < _END_OF_TIME:
        return None
    return Claims(kind, token_id, int(user_id), datetime.fromtimestamp(expiry, UTC), mark)


def _short_text(claim: Any) -> str:
    """Return the claim if it is printable ASCII of a length that our columns take, else nothing."""
    fits = isinstance(claim, str) and len(claim) <= 255 and claim.isascii() and claim.isprintable()
    return claim if fits else ""


def owner(claims: Claims) -> Any:
    """Return the user that a token was issued to. Raises TokenNotValid for one who is gone, inactive or re-keyed."""
    for user in _ACTIVE_USER(pk=claims.user_id):
        if constant_time_compare(claims.password_mark, get_md5_hash_password(user.password)):
            return user
    raise TokenNotValid
