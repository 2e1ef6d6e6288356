"""From a file of products to rows that can be written, or to everything that is wrong with it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from products.reader import shops
from products.reader.decoding import load
from products.reader.errors import CellError, UnreadableFile, in_order, shown, unreadable
from products.reader.rows import ProductRow, RowReader, surplus
from products.reader.table import Record, Table, open_table
from products.reader.workbook import open_workbook

REQUIRED = ("category", "name", "price")


@dataclass
class ProductFile:
    """What a file of products holds.

    ``rows`` are the good ones; with any error none may be written. ``skipped`` counts records that are no
    product, ``notices`` says why, and which columns were not looked at. ``columns`` are those of ours that the
    file has. ``clashes`` are errors too, unless the shop has a product of that (name, category) without a sku,
    which is then the one that the row means.
    """

    rows: list[ProductRow]
    errors: list[CellError]
    skipped: int
    notices: list[CellError]
    columns: frozenset[str]
    clashes: dict[tuple[str, str], CellError]


def read_products(source: Path | BinaryIO, *, filename: str) -> ProductFile:
    """Read a .csv, .tsv or .xlsx file of products, or one of them packed as .gz.

    Exports of WooCommerce, Shopify and Square are known by their headers. Raises UnreadableFile where the file
    as a whole cannot be used, OSError where there is none.
    """
    table = _open(source, filename)
    shop = shops.recognise(table.header)
    return _read_shop(shop, table) if shop else _read_own(table)


def has_more_records(source: Path | BinaryIO, *, filename: str, than: int) -> bool:
    """Whether there are more records than so many below the header; a file that cannot be read has not."""
    try:
        return any(True for _ in islice(_open(source, filename).records, than, None))
    except UnreadableFile:
        return False


def _open(source: Path | BinaryIO, filename: str) -> Table:
    data, name = load(source, filename)
    return open_workbook(data) if name.endswith(".xlsx") else open_table(data, shops.KNOWN_COLUMNS)


def _read_own(table: Table) -> ProductFile:
    _check_header(table, REQUIRED, shops.COLUMNS)
    layout = {name: at for at, name in enumerate(table.header) if name in shops.COLUMNS}
    reader = RowReader(layout, len(table.header))
    for line, cells in table.records:
        reader.read(line, cells)
    notices = [
        CellError(table.header_line, None, "ignored_column", f"The column {shown(name)} is not known, it was ignored.")
        for name in dict.fromkeys(table.header)
        if name and name not in layout
    ]
    return _result(table, reader, notices, frozenset(layout))


def _read_shop(shop: shops.Shop, table: Table) -> ProductFile:
    _check_header(table, (), shop.fields)
    columns = shops.columns_of(shop, table.header)
    layout = {name: at for at, name in enumerate(shops.COLUMNS) if name in columns}
    reader = RowReader(layout, len(shops.COLUMNS))
    skipped: list[CellError] = []

    def records() -> Iterator[Record]:
        for line, cells in table.records:
            reader.errors += surplus(line, cells, len(table.header))
            yield line, cells

    for found in shops.products_of(shop, table.header, records()):
        if isinstance(found, CellError):
            skipped.append(found)
        else:
            reader.read(*found)
    return _result(table, reader, skipped, columns, skipped=len(skipped))


def _check_header(table: Table, required: Iterable[str], used: Iterable[str]) -> None:
    """Raise UnreadableFile where a column is missing, or is there twice so that nobody knows which one counts."""
    counts = Counter(table.header)
    there = ", ".join(shown(name) for name in [name for name in counts if name][:10]) or "none"
    faults = [
        CellError(table.header_line, name, "missing_column", f"There is no column “{name}”; the columns are {there}.")
        for name in required
        if name not in counts
    ]
    faults += [
        CellError(
            table.header_line, name, "duplicate_column", f"The column “{name}” is there {counts[name]} times; keep one."
        )
        for name in used
        if counts[name] > 1
    ]
    if faults:
        raise UnreadableFile(in_order(faults))


def _result(
    table: Table, reader: RowReader, notices: list[CellError], columns: frozenset[str], *, skipped: int = 0
) -> ProductFile:
    if not reader.count and not skipped:
        raise unreadable("no_rows", "The file has a header but no row below it.", table.header_line)
    return ProductFile(
        rows=reader.rows,
        errors=in_order(reader.errors),
        skipped=skipped,
        notices=notices,
        columns=columns,
        clashes=reader.clashes(),
    )
