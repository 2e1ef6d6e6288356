"""Short ways to have a file read."""

import io

from products.reader import ProductFile, UnreadableFile, in_order, read_products

HEADER = "name,category,price\n"


def read(data: bytes | str, filename: str = "products.csv") -> ProductFile:
    return read_products(io.BytesIO(data.encode() if isinstance(data, str) else data), filename=filename)


def faults(data: bytes | str, filename: str = "products.csv") -> list[tuple[int, str | None, str]]:
    """What is wrong with a file, in an empty shop."""
    try:
        file = read(data, filename)
    except UnreadableFile as refusal:
        found = refusal.errors
    else:
        found = in_order([*file.errors, *file.clashes.values()])
    assert all(error.message for error in found)
    return [(error.line, error.column, error.code) for error in found]
