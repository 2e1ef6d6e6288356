"""The reader of product files, and the way back for exports. Plain Python: it knows no database.

``errors`` says what is wrong, ``cells`` what a cell may hold, ``decoding``, ``table`` and ``workbook`` turn
files into records, ``shops`` turns other shops' records into ours, ``rows`` checks them.
"""

from bakery.tables import neutralise
from products.reader.cells import ProductKey, clean_text, product_key, restore
from products.reader.decoding import MAX_BYTES
from products.reader.errors import CellError, UnreadableFile, in_order
from products.reader.product_file import ProductFile, has_more_records, read_products
from products.reader.rows import ProductRow

__all__ = [
    "MAX_BYTES",
    "CellError",
    "ProductFile",
    "ProductKey",
    "ProductRow",
    "UnreadableFile",
    "clean_text",
    "has_more_records",
    "in_order",
    "neutralise",
    "product_key",
    "read_products",
    "restore",
]
