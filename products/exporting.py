"""The catalogue as a file that a spreadsheet can open without harm, and that an import finds unchanged."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.db.models import QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from bakery import clock
from bakery.tables import harmless
from products import services
from products.models import Product

HEADER = ("sku", "name", "category", "price", "image", "description", "active")
FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
IN_MEMORY = 1024 * 1024
CHUNK = 2000

Row = tuple[str, str, str, Decimal, str, str, str]


def export_products(products: QuerySet[Product], form: str) -> IO[bytes]:
    """Return a file with `products`, in the order of their ids; `form` is one of FORMS."""
    services.revision_on(clock.today())  # no price of yesterday
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # whoever sends it closes it
    (_write_csv if form == "csv" else _write_xlsx)(_rows(products), file)
    file.seek(0)
    return file


def _rows(products: QuerySet[Product]) -> Iterator[Row]:
    columns = ("sku", "name", "category__name", "price", "image_source", "description", "is_active")
    for sku, name, category, price, image, description, active in (
        products.order_by("pk").values_list(*columns).iterator(CHUNK)
    ):
        texts = (harmless(text) for text in (sku, name, category))
        yield *texts, price, harmless(image), harmless(description), "true" if active else "false"


def _write_csv(rows: Iterable[Row], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(rows)
    text.detach()


def _write_xlsx(rows: Iterable[Row], file: IO[bytes]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Products")
    sheet.append(HEADER)
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    book.save(file)


def _cell(sheet: Any, value: Any) -> Any:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, Decimal):
        cell.number_format = "0.00"
    return cell
