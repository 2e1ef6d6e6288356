"""What the catalogue refuses."""

from collections.abc import Sequence

from django.template.defaultfilters import pluralize

from bakery.errors import Conflict, DomainError, Problem
from products.reader import CellError

MOST_SHOWN = 1000
DRY_RUN_AGAIN = (
    "This plan no longer holds: the catalogue has changed since, or the file is another one. Nothing was imported; make"
    " a dry run again and look at what it says."
)


class BadPicture(DomainError):
    """The file is no picture that the shop can show."""

    code = "invalid_image"


class TooLate(Conflict):
    """The day is over, or has begun."""

    code = "too_late"


class BadProductFile(DomainError):
    """A file of products that cannot be taken; `errors` are all of its faults, in order of line and column."""

    def __init__(self, errors: Sequence[CellError]) -> None:
        super().__init__(f"The file has {len(errors)} error{pluralize(len(errors))}; nothing was imported.")
        self.errors = errors
        self.problems = [Problem(error.code, error.message, _path(error)) for error in errors[:MOST_SHOWN]]


def _path(error: CellError) -> str:
    if not error.line:
        return "file"
    return f"rows.{error.line}.{error.column}" if error.column else f"rows.{error.line}"


class PlanOutdated(Conflict):
    """The catalogue is not what it was when somebody looked at the plan, or it is another file's."""

    code = "plan_outdated"

    def __init__(self, message: str = DRY_RUN_AGAIN) -> None:
        super().__init__(message, field="plan")


class ImportIsOver(Conflict):
    """Somebody has confirmed or dropped the upload already."""

    code = "import_is_over"

    def __init__(self) -> None:
        super().__init__("This import no longer waits to be confirmed.")


class CannotUndo(Conflict):
    """An import cannot be taken back; `reasons` say what stands in the way."""

    code = "cannot_undo"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("Nothing was undone. " + " ".join(reasons))
        self.problems = [Problem(self.code, reason) for reason in reasons]
