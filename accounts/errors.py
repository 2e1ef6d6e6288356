"""What accounts may answer when they say no."""

from bakery.errors import Conflict, DomainError, NotRecognised


class InvalidCredentials(NotRecognised):
    """Whoever it was: the same words for an unknown name, a wrong password and a deactivated account."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("No active account has this name and password.")


class AccountClosed(DomainError):
    """Nothing is taken from or for whoever was deactivated or erased, also while their last request was under way."""

    code = "account_closed"

    def __init__(self, message: str = "This account is closed.", *, field: str | None = None) -> None:
        super().__init__(message, field=field)


class OwnAccount(Conflict):
    """Nobody takes their own rights away, so that there is always an admin left."""

    code = "own_account"


class NotACustomer(Conflict):
    """Staff are not erased."""

    code = "not_a_customer"
