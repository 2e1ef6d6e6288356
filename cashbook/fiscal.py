"""Where a signing device is plugged in (setting FISCAL_SIGNER): none by default."""

from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from cashbook.models import CashEntry


class FiscalSigner(Protocol):
    """Asked to sign every entry while it is booked, under the register's lock and in the same transaction.

    What `sign` returns is kept in the entry's `signature` and covered by its hash: all that the device says and a
    receipt must show, as text. The entry has everything but its hash, and no id yet. Whatever `sign` raises refuses
    the booking, and with it the sale. It holds up the register: give it a time-out.
    """

    def sign(self, entry: CashEntry) -> str: ...


def signature_of(entry: CashEntry) -> str:
    """Have the shop's device sign `entry`; without a device the signature is empty."""
    path = settings.FISCAL_SIGNER
    return _signer(path).sign(entry) if path else ""


@lru_cache(maxsize=8)
def _signer(path: str) -> FiscalSigner:
    signer: FiscalSigner = import_string(path)()
    return signer


@checks.register
def the_signer_is_there(**_: Any) -> list[checks.CheckMessage]:
    path = settings.FISCAL_SIGNER
    try:
        made = import_string(path) if path else None
    except ImportError as error:
        return [checks.Error(f"FISCAL_SIGNER: {error}", id="cashbook.E001")]
    if path and not callable(getattr(made, "sign", None)):
        return [checks.Error(f"FISCAL_SIGNER: {path} has no method sign(entry).", id="cashbook.E001")]
    return []
