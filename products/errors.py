"""What the catalogue refuses."""

from collections.abc import Sequence

from bakery.errors import Conflict, DomainError, Problem
from products.reader import CellError

MOST_SHOWN = 1000


class BadPicture(DomainError):
    """The file is no picture that the shop can show."""

    code = "invalid_image"


class TooLate(Conflict):
    """The day is over, or has begun."""

    code = "too_late"


class BadProductFile(DomainError):
    """A file of products that cannot be taken; `errors` are all of its faults, in order of line and column."""

    def __init__(self, errors: Sequence[CellError]) -> None:
        super().__init__(f"The file has {len(errors)} errors; nothing was imported.")
        self.errors = errors
        self.problems = [Problem(error.code, error.message, _path(error)) for error in errors[:MOST_SHOWN]]


def _path(error: CellError) -> str:
    if not error.line:
        return "file"
    return f"rows.{error.line}.{error.column}" if error.column else f"rows.{error.line}"
