"""From text to records: the separator, the header, quoting, and line numbers that are true."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple, TypeAlias

from products.reader.cells import INVISIBLE
from products.reader.decoding import MAX_BYTES, Text, decode
from products.reader.errors import UnreadableFile, unreadable

Record: TypeAlias = tuple[int, list[str]]

DELIMITERS = (",", ";", "\t")
# What Excel writes before the header to tell itself the separator, other cells of that line left blank.
SEPARATOR_HINT = re.compile(r"\"?sep=.?\"?[,;\t ]*[\r\n]*", re.IGNORECASE)

# The limit counts for the whole process, and its default stops at 131,072 characters with an exception.
# No field can be longer than a file; it is raised once, when the program starts, and only ever upwards.
csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))


class Table(NamedTuple):
    """A header and the records below it, each with the line it starts on; blank lines may be among them."""

    header: list[str]
    header_line: int
    records: Iterator[Record]


def header_name(cell: str) -> str:
    """Return a column's name as it is compared: trimmed, in lower case."""
    return cell.strip(INVISIBLE).lower()


def is_blank(cells: list[str]) -> bool:
    return not any(cell.strip(INVISIBLE) for cell in cells)


def empty_file() -> UnreadableFile:
    return unreadable("empty_file", "The file is empty.")


def take_header(records: Iterator[Record]) -> Table:
    """Split off the first record that is not blank. Raises UnreadableFile where there is none."""
    for line, cells in records:
        if not is_blank(cells):
            return Table([header_name(cell) for cell in cells], line, records)
    raise empty_file()


def open_table(data: bytes, known_columns: frozenset[str]) -> Table:
    """Read separated values, under the separator that makes most of the header known columns.

    Raises UnreadableFile; a fault that shows only further down is raised while the records are read.
    """
    text = decode(data)

    def columns_under(delimiter: str) -> int:
        lines, _ = _without_hint(text.lines())
        header = next((cells for cells in csv.reader(lines, delimiter=delimiter) if not is_blank(cells)), [])
        return len(known_columns & {header_name(cell) for cell in header})

    return take_header(_records(text, max(DELIMITERS, key=columns_under)))


def _records(text: Text, delimiter: str) -> Iterator[Record]:
    lines, skipped = _without_hint(text.lines())
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = skipped + 1
    try:
        for cells in reader:
            yield line, cells
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        if str(error) == "unexpected end of data":
            raise unreadable(
                "unterminated_quote", "A quotation mark is opened in this row and never closed.", line
            ) from error
        raise unreadable(
            "bad_quoting",
            "A closing quotation mark in this row is followed by more text; inside a quoted cell a quotation"
            " mark is written twice.",
            line,
        ) from error


def _without_hint(lines: Iterable[str]) -> tuple[Iterator[str], int]:
    """Take Excel's hint off; return the other lines and how many were taken."""
    rest = iter(lines)
    first = next(rest, "")
    if SEPARATOR_HINT.fullmatch(first):
        return rest, 1
    return chain([first], rest), 0
