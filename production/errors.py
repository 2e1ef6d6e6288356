from bakery.errors import Conflict, InUse


class IllegalTransition(Conflict):
    code = "illegal_transition"

    def __init__(self, status: str, to: str, allowed: tuple[str, ...]) -> None:
        possible = f"possible now: {', '.join(allowed)}" if allowed else "nothing follows"
        super().__init__(f"A list that is {status} cannot become {to}; {possible}.", field="status")


class NotBaked(Conflict):
    """The product is sold, but never stands on a baking list."""

    code = "product_unavailable"


class AlreadyBaked(InUse):
    """A list that tells what was baked is a record."""
