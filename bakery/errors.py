"""What a rule may answer when it says no. Nothing in here knows how the answer travels."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong: a stable `code`, a sentence for people, and the field it is about."""

    code: str
    message: str
    field: str | None = None


class DomainError(Exception):
    """The request is not valid. `field` is a dotted path into what was asked, such as `items.0.product`."""

    code: ClassVar[str] = "invalid"

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.problems: Sequence[Problem] = [Problem(code or self.code, message, field)]

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> "DomainError":
        """Make one refusal out of several problems."""
        error = cls(problems[0].message)
        error.problems = problems
        return error


class Conflict(DomainError):
    """The request is sound, but not against the present state."""

    code = "conflict"


class AlreadyExists(Conflict):
    code = "already_exists"


class InUse(Conflict):
    code = "in_use"


class Stale(DomainError):
    """The caller acts on a version that is no longer the stored one."""

    code = "stale"


class NotAllowed(DomainError):
    """The person may not do this."""

    code = "permission_denied"


class NotFound(DomainError):
    """There is no such thing, or this person may not know of it."""

    code = "not_found"


class NotRecognised(DomainError):
    """The caller did not prove who they are."""

    code = "not_authenticated"


class Unavailable(DomainError):
    """Something that the shop depends on is away; nothing was changed."""

    code = "unavailable"


class TooMany(DomainError):
    """Asked too often; `retry_after` is in seconds."""

    code = "throttled"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
