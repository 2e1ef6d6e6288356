import csv
from pathlib import Path

from orders import services

COLUMNS = ("date", "time", "ticket", "article", "quantity", "unit_price")


def import_tickets(folder: Path, *lines: str) -> None:
    """Store tickets of another till; a line is `2026-11-25 08:15 ticket article quantity price`."""
    file = folder / "tickets.csv"
    with file.open("w", newline="") as text:
        csv.writer(text).writerows([COLUMNS, *(line.split() for line in lines)])
    assert services.import_sales(file).skipped == 0
