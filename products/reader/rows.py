"""From records to product rows: every cell checked, every fault named, no product twice."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from products.reader.cells import (
    INVISIBLE,
    BadCell,
    ProductKey,
    product_key,
    read_boolean,
    read_image,
    read_price,
    text_rule,
)
from products.reader.errors import CellError, shown, unreadable
from products.reader.table import is_blank

MAX_ROWS = 100_000
REMEMBERED = 5000

Rule: TypeAlias = Callable[[str], str | Decimal | bool | None]


class ProductRow(NamedTuple):
    """A product as one row of a file has it, clean and within all limits.

    What is None was not said: the column is absent, or, for ``active``, the cell is blank. Such a field of the
    product is left alone.
    """

    line: int
    sku: str
    name: str
    category: str
    price: Decimal
    image: str | None
    description: str | None
    active: bool | None

    @property
    def key(self) -> ProductKey:
        """What the product is known by."""
        return product_key(self.sku, self.name, self.category)


def surplus(line: int, cells: list[str], width: int) -> list[CellError]:
    """Complain of the first cell that stands beyond the header, unless all there are blank."""
    value = next((text for cell in cells[width:] if (text := cell.strip(INVISIBLE))), "")
    if not value:
        return []
    message = f"The row has more cells than the header: {shown(value)} stands beyond it; quote what holds a separator."
    return [CellError(line, None, "too_many_columns", message)]


class RowReader:
    """Checks records one by one and keeps what came of them."""

    def __init__(self, layout: Mapping[str, int], width: int) -> None:
        """Take the place of each of our columns, and how many cells the header has."""
        rules: dict[str, Rule] = {
            "sku": text_rule("sku", 64),
            "name": text_rule("name", 200, required=True),
            # Prices, categories and booleans repeat: a column of them is read by looking most of them up.
            "category": lru_cache(REMEMBERED)(text_rule("category", 100, required=True)),
            "price": lru_cache(REMEMBERED)(read_price),
            "image": read_image,
            "description": text_rule("description", 5000, lines=True),
            "active": lru_cache(REMEMBERED)(read_boolean),
        }
        self.rows: list[ProductRow] = []
        self.errors: list[CellError] = []
        self.count = 0
        self._width = width
        self._steps = [
            (ProductRow._fields.index(column), layout[column], column, rule)
            for column, rule in rules.items()
            if column in layout
        ]
        self._first_line: dict[ProductKey, int] = {}

    def read(self, line: int, cells: list[str]) -> None:
        """Check one record; a blank one counts for nothing. Raises UnreadableFile when there are too many."""
        text = "".join(cells)
        if not text or text.isspace():
            return
        faults = [] if len(cells) == self._width else self._fit(line, cells)
        values: list[object] = [line, "", "", "", None, None, None, None]
        for position, place, column, rule in self._steps:
            try:
                values[position] = rule(cells[place])
            except BadCell as bad:
                faults.append(CellError(line, column, bad.code, bad.message))
        if faults and is_blank(cells):
            return
        self.count += 1
        if self.count > MAX_ROWS:
            raise unreadable("too_many_rows", f"The file has too many rows; at most {MAX_ROWS:,} are possible.", line)
        row = ProductRow._make(values)
        self._look_for_repetition(row, faults)
        if faults:
            self.errors += faults
        else:
            self.rows.append(row)

    def _fit(self, line: int, cells: list[str]) -> list[CellError]:
        """Give a record as many cells as the header has, or complain of what stands beyond it."""
        cells += [""] * (self._width - len(cells))
        return surplus(line, cells, self._width)

    def _look_for_repetition(self, row: ProductRow, faults: list[CellError]) -> None:
        unclear = {fault.column for fault in faults}
        if "sku" in unclear or (not row.sku and not unclear.isdisjoint(("name", "category"))):
            return
        first = self._first_line.setdefault(row.key, row.line)
        if first == row.line:
            return
        column, what = (
            ("sku", f"The sku {shown(row.sku)} stands")
            if row.sku
            else ("name", f"The product {shown(row.name)} in {shown(row.category)} without a sku stands")
        )
        faults.append(
            CellError(row.line, column, "duplicate_key", f"{what} on line {first} already; keep one of the two.")
        )

    def clashes(self) -> dict[tuple[str, str], CellError]:
        """Find rows without a sku whose name and category an earlier row with a sku has."""
        without_sku = {key: line for key, line in self._first_line.items() if isinstance(key, tuple)}
        found: dict[tuple[str, str], CellError] = {}
        for row in self.rows if without_sku else ():
            key = (row.name, row.category)
            line = without_sku.get(key, 0) if row.sku else 0
            if line > row.line and key not in found:
                found[key] = CellError(
                    line,
                    "name",
                    "duplicate_key",
                    f"The product {shown(row.name)} in {shown(row.category)} stands on line {row.line} already,"
                    f" with the sku {shown(row.sku)}; give this row its own sku or leave it out.",
                )
        return found
