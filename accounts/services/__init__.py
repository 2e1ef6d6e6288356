"""Everything that changes who people are, how they prove it, and for how long that holds."""

from accounts.services.erasing import erase
from accounts.services.passwords import (
    change_password,
    lock_open,
    request_password_reset,
    reset_password,
    set_password,
)
from accounts.services.people import (
    change_own_details,
    change_user,
    create_user,
    lock_account,
    may_manage,
    refuse_taken,
    register,
)
from accounts.services.sessions import refresh_session, sign_in, sign_out, tick, verify_token

__all__ = [
    "change_own_details",
    "change_password",
    "change_user",
    "create_user",
    "erase",
    "lock_account",
    "lock_open",
    "may_manage",
    "refresh_session",
    "refuse_taken",
    "register",
    "request_password_reset",
    "reset_password",
    "set_password",
    "sign_in",
    "sign_out",
    "tick",
    "verify_token",
]
