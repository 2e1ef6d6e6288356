"""Packed files and workbooks: read as people see them, bounded whatever they hold."""

import gzip
import io
import re
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook

from products.reader.decoding import MAX_BYTES
from products.tests.reading import HEADER, faults, read


def test_a_packed_file_is_read_where_its_name_says_so():
    data = gzip.compress(f"{HEADER}Loaf,Bread,1\n".encode())

    assert [row.name for row in read(data, "Products.CSV.GZ").rows] == ["Loaf"]
    assert faults(data, "products.csv") == [(1, None, "not_csv")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"name,category,price\n", "not_csv"),
        (gzip.compress(b"name,category,price\n" * 100, mtime=0)[:-12], "not_csv"),
        (gzip.compress(bytes(MAX_BYTES + 1), mtime=0), "too_large"),
        (gzip.compress(b"", mtime=0), "empty_file"),
    ],
)
def test_a_packed_file_that_is_damaged_or_too_large_is_refused(data, code):
    assert faults(data, "products.csv.gz") == [(1, None, code)]


def workbook(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_as_people_see_it():
    data = workbook(
        [
            [],
            ["SKU", "Name", "Category", "Price", "Active", None],
            [4001234567890, date(2026, 2, 1), "Bread", 3.3000000000000003, True],
            [],
            [7.0, datetime(2026, 2, 1, 8, 30), "'=Bread", 12, 0],
            ["007", "Bun", "Bread", "1,20 €", "no"],
            ["x", "Bad", "Bread", date(2026, 1, 1), 2, None, "surplus"],
        ]
    )
    file = read(data, "products.xlsx")

    assert [row[:5] + row[7:] for row in file.rows] == [
        (3, "4001234567890", "2026-02-01", "Bread", Decimal("3.30"), True),
        (5, "7", "2026-02-01 08:30:00", "=Bread", Decimal("12.00"), False),
        (6, "007", "Bun", "Bread", Decimal("1.20"), False),
    ]
    assert faults(data, "products.xlsx") == [
        (7, None, "too_many_columns"),
        (7, "active", "invalid_boolean"),
        (7, "price", "negative_price"),
    ]
    assert read(gzip.compress(data), "products.xlsx.gz").rows == file.rows


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"name,category,price\n", "not_csv"),
        (workbook([["name"]])[:-100], "not_csv"),
        (workbook([]), "empty_file"),
        (workbook([["name", "category", "price"]]), "no_rows"),
    ],
)
def test_a_workbook_that_cannot_be_used_is_refused(data, code):
    assert faults(data, "products.xlsx") == [(1, None, code)]


def rewritten(data: bytes, part: str, change) -> bytes:
    """The same workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
GOOD = workbook([["name", "category", "price"], ["Loaf", "Bread", 1]])


def test_a_sheet_that_lies_about_its_size_is_read_for_what_it_holds():
    data = rewritten(
        GOOD, SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', xml)
    )

    started = time.process_time()
    assert [row.name for row in read(data, "products.xlsx").rows] == ["Loaf"]
    assert time.process_time() - started < 5


def full_of_laughs(xml: bytes) -> bytes:
    """An entity made of entities made of entities: ten thousand million letters."""
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 11)
    )
    return b"<!DOCTYPE x [%s]>%s" % (
        entities,
        xml[xml.index(b"<worksheet") :].replace(b"<sheetData>", b"<sheetData>&a10;"),
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda xml: xml.replace(b'<row r="2"', b'<row r="99999999999"'), (1_048_577, None, "not_csv")),
        (lambda xml: xml.replace(b'r="C2"', b'r="XFD2"'), (2, None, "not_csv")),
        (lambda xml: xml[:-80], (1, None, "not_csv")),
        (lambda xml: xml.replace(b"<v>1</v>", b"<v>one</v>"), (1, None, "not_csv")),
        (full_of_laughs, (1, None, "not_csv")),
        (lambda xml: xml + b" " * (100 << 20), (1, None, "too_large")),
    ],
)
def test_a_workbook_made_to_hurt_is_refused(change, fault):
    started = time.process_time()
    assert faults(rewritten(GOOD, SHEET, change), "products.xlsx") == [fault]
    assert time.process_time() - started < 10
