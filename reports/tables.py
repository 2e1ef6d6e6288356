"""Reports as files that a spreadsheet opens. Text stays text: no cell can start a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from cashbook.models import EntryType, Method
from cashbook.selectors import Summary
from products.reader import neutralise
from reports.selectors import SalesReport

Cell = str | int | Decimal


class Table(NamedTuple):
    """A row of column names, and rows of cells in their order. Numbers are written as numbers."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def of_sales(report: SalesReport) -> Table:
    columns = ("key", "label", "orders", "quantity", "gross", "vat", "net")
    rows: Iterable[tuple[Cell, ...]] = (
        (row.key, row.label, row.orders, row.quantity, row.gross, row.vat, row.net) for row in report.rows
    )
    return Table(f"sales-{report.group_by}-{report.first}-{report.last}", columns, rows)


def of_cash(report: Summary) -> Table:
    columns = ("date", "in", "out", "net", *Method.values, *EntryType.values)
    rows: Iterable[tuple[Cell, ...]] = (
        (f"{day.date}", day.money_in, day.money_out, day.net, *day.by_method.values(), *day.by_type.values())
        for day in report.days
    )
    return Table(f"cash-{report.first}-{report.last}", columns, rows)


def to_csv(table: Table) -> bytes:
    """Return the table as CSV in UTF-8: commas, and points in numbers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode()


def to_xlsx(table: Table) -> bytes:
    """Return the table as a workbook of one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.name[:31])
    sheet.append(list(table.columns))
    for row in table.rows:
        sheet.append([_in_sheet(sheet, _harmless(cell)) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _in_sheet(sheet: Any, value: Cell) -> Any:
    cell = WriteOnlyCell(sheet, cast("Any", value))
    if isinstance(value, Decimal):
        cell.number_format = "0.00"
    return cell


def _harmless(cell: Cell) -> Cell:
    return neutralise(ILLEGAL_CHARACTERS_RE.sub("", cell)) if isinstance(cell, str) else cell


class Form(NamedTuple):
    content_type: str
    write: Callable[[Table], bytes]


FORMS = {
    "csv": Form("text/csv; charset=utf-8", to_csv),
    "xlsx": Form("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", to_xlsx),
}
