"""What the reader has to say about a file."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellError:
    """One thing that is wrong (or, as a notice, worth knowing), and where.

    ``line`` is the physical line on which the record starts, counted from 1; ``column`` is one of our
    column names, or None where the whole record or file is meant; ``code`` is stable, ``message`` is for people.
    """

    line: int
    column: str | None
    code: str
    message: str


class UnreadableFile(Exception):
    """The file as a whole cannot be used; its rows were not checked."""

    def __init__(self, errors: list[CellError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def in_order(errors: Iterable[CellError]) -> list[CellError]:
    """Sort by line, then by column, what concerns the whole record first."""
    return sorted(errors, key=lambda error: (error.line, error.column or ""))


def unreadable(code: str, message: str, line: int = 1) -> UnreadableFile:
    """Make the exception for a file with one fault."""
    return UnreadableFile([CellError(line, None, code, message)])


def shown(value: str, limit: int = 40) -> str:
    """Quote a value for a message: short, on one line, nothing invisible left invisible."""
    text = value if len(value) <= limit else value[: limit - 1] + "…"
    return "“" + "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text) + "”"
