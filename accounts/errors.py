"""What accounts may answer when they say no."""

from bakery.errors import Conflict, NotRecognised


class InvalidCredentials(NotRecognised):
    """Whoever it was: the same words for an unknown name, a wrong password and a deactivated account."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("No active account has this name and password.")


class OwnAccount(Conflict):
    """Nobody takes their own rights away, so that there is always an admin left."""

    code = "own_account"


class NotACustomer(Conflict):
    """Staff are not erased."""

    code = "not_a_customer"
