"""Typed readers of environment variables. A malformed value stops the start and names its variable."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


def text(name: str, default: str = "") -> str:
    """Return the variable without blanks around it, or `default` where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """Return the variable read as on or off."""
    value = text(name).lower()
    if not value:
        return default
    if value in _ON:
        return True
    if value in _OFF:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")


def names(name: str, default: str = "") -> list[str]:
    """Return the variable read as a list separated by commas."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def count(name: str, default: int) -> int:
    """Return the variable read as a whole number from 1."""
    return read(name, str(default), _from_one, "a whole number from 1")


def read(name: str, default: str, reader: Callable[[str], T], form: str) -> T:
    """Return what `reader` makes of the variable; `form` says what was wanted where it can make nothing of it."""
    try:
        return reader(text(name, default))
    except (ValueError, KeyError, ImproperlyConfigured):
        # Neither the value nor its error is shown: it may hold a password.
        raise ImproperlyConfigured(f"{name} must be {form}.") from None


def _from_one(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(value)
    return int(value)


def redis_url(name: str) -> str:
    """Return the address of a Redis server, or nothing."""
    value = text(name)
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} must be redis://HOST:PORT/NUMBER.")
    return value


def secret_key(folder: Path) -> str:
    """Return SECRET_KEY, or else the random key kept in `folder`, which is made when it is not there yet."""
    key = text("SECRET_KEY") or _kept_key(folder / "secret-key")
    if len(key) < 50:
        raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters.")
    return key


def _kept_key(path: Path) -> str:
    # Linked into place whole: another process that starts at the same moment never reads half a key.
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
