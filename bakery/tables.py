"""Tables as files that a spreadsheet opens. Text stays text: no cell can start a formula."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, cast

Cell = str | int | Decimal | None

# What a spreadsheet takes for a formula. The apostrophes before it count as well, so that a text which
# looks as if it had been neutralised already comes back as it was.
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def neutralise(cell: str) -> str:
    """Keep a spreadsheet from taking the cell of an export for a formula."""
    return "'" + cell if FORMULA.match(cell) else cell


def harmless(cell: str) -> str:
    """Return the text of a cell as any sheet can hold it: no formula, and no control character, which XML has not."""
    return neutralise(_NOT_IN_XML.sub("", cell))


class Table(NamedTuple):
    """A row of column names, and rows of cells in their order. Numbers are written as numbers."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def to_csv(table: Table) -> Iterator[bytes]:
    """Yield the table as CSV in UTF-8, some lines at a time: commas, and points in numbers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.columns)
    for number, row in enumerate(table.rows, start=1):
        writer.writerow([_safe(cell) for cell in row])
        if number % 500 == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def to_xlsx(table: Table) -> Iterator[bytes]:
    """Yield the table as a workbook of one sheet."""
    # Here, since to load it takes longer than many a command that writes no workbook.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    def in_sheet(value: Cell) -> Any:
        cell = WriteOnlyCell(sheet, cast("Any", value))
        if isinstance(value, Decimal):
            cell.number_format = "0.00"
        return cell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.name[:31])
    sheet.append(list(table.columns))
    for row in table.rows:
        sheet.append([in_sheet(_safe(cell)) for cell in row])
    with TemporaryFile() as file:
        book.save(file)
        yield from read_in_parts(file)


def read_in_parts(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file from its start, 64 KiB at a time."""
    file.seek(0)
    while part := file.read(65536):
        yield part


def _safe(cell: Cell) -> Cell:
    return harmless(cell) if isinstance(cell, str) else cell


class Form(NamedTuple):
    content_type: str
    write: Callable[[Table], Iterator[bytes]]


FORMS = {
    "csv": Form("text/csv; charset=utf-8", to_csv),
    "xlsx": Form("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", to_xlsx),
}
