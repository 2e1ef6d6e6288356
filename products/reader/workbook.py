"""From an Excel workbook to records: its first sheet, every cell as the text a person sees in it."""

import warnings
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from products.reader.errors import UnreadableFile, unreadable
from products.reader.table import Record, Table, take_header

MAX_UNPACKED = 100 * 1024 * 1024
MAX_PARTS = 1000
# The most that Excel itself can hold; a row number beyond would only be there to keep us counting.
MAX_LINE = 1_048_576
MAX_COLUMNS = 1000


def open_workbook(data: bytes) -> Table:
    """Read the first sheet of an .xlsx file; lines are its row numbers. Raises UnreadableFile."""
    _refuse_bombs(data)
    return take_header(_records(data))


def _refuse_bombs(data: bytes) -> None:
    """Look at the sizes that the archive declares; no more than that is ever unpacked of a part."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise unreadable("not_csv", "The file is no Excel workbook (.xlsx), or it is encrypted or damaged.") from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise unreadable("too_large", "The workbook is too large; at most 100 MiB are possible when it is unpacked.")


def _records(data: bytes) -> Iterator[Record]:
    # Here, since to load it takes longer than to read most other files.
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            # What openpyxl does not support (styles, slicers, validations) is nothing that we read.
            warnings.filterwarnings("ignore", module="openpyxl")
            book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            # The sheet's own word on its size may be wrong, and every row would be filled up to it.
            sheet.reset_dimensions()
            for line, row in enumerate(sheet.iter_rows(values_only=True), start=1):
                _refuse_giants(line, row)
                yield line, [_text(cell) for cell in row[:MAX_COLUMNS]]
    except UnreadableFile:
        raise
    except Exception as error:
        # A damaged workbook makes openpyxl raise nearly anything.
        raise unreadable("not_csv", "The workbook is damaged and cannot be read.") from error


def _refuse_giants(line: int, row: tuple[object, ...]) -> None:
    if line > MAX_LINE or (len(row) > MAX_COLUMNS and any(cell is not None for cell in row[MAX_COLUMNS:])):
        raise unreadable("not_csv", "The sheet is larger than any product list.", line)


def _text(value: object) -> str:
    """Write a cell's value as text; numbers plainly and with the 15 digits that Excel keeps."""
    if value is None:
        return ""
    if isinstance(value, str):
        # Excel's way to write a carriage return, which XML cannot hold.
        return value.replace("_x000D_", "\r")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(f'{value:.15g}'):f}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return str(value)
