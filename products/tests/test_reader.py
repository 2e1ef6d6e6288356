"""The reader against the corpus, and what it promises of encodings, lines, rows and keys."""

import codecs
import csv
import io
import json
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.reader import UnreadableFile, neutralise, read_products, restore
from products.reader.decoding import MAX_BYTES
from products.tests.reading import HEADER, faults, read

CORPUS = Path(__file__).parent / "corpus"
MANIFEST = json.loads((CORPUS / "manifest.json").read_text(encoding="utf-8"))


def expected_faults(spec):
    """The manifest's errors, without the one that depends on what the shop holds already."""
    errors = spec["expected"]["errors"]
    return [(e["line"], e["column"], e["code"]) for e in errors if e["code"] != "ambiguous_key"]


@pytest.mark.parametrize("name", MANIFEST["files"])
def test_a_corpus_file_gives_the_errors_of_the_manifest(name):
    assert faults((CORPUS / name).read_bytes(), name) == expected_faults(MANIFEST["files"][name])


@pytest.mark.parametrize("name", [name for name, spec in MANIFEST["files"].items() if spec["expected"]["accepted"]])
def test_an_accepted_corpus_file_gives_the_rows_of_the_manifest(name):
    expected = MANIFEST["files"][name]["expected"]
    file = read_products(CORPUS / name, filename=name)

    assert len(file.rows) == expected["created"] + expected["updated"] + expected["unchanged"]
    assert file.skipped == expected.get("skipped", 0)
    found = {(row.sku, row.name): row for row in file.rows}
    for stored in expected.get("stored", []):
        row = found[stored["sku"], stored["name"]]
        assert {field: getattr(row, field) for field in stored} == stored | {"price": Decimal(stored["price"])}


def test_the_corpus_is_whole():
    assert {path.name for path in CORPUS.glob("*.csv")} == set(MANIFEST["files"])


@given(st.text())
def test_a_neutralised_cell_comes_back_unchanged(text):
    assert restore(neutralise(text)) == text


@given(st.text(alphabet="'=+-@\t\r\nx"))
def test_no_neutralised_cell_starts_a_formula_and_each_comes_back(text):
    cell = neutralise(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert restore(cell) == text


@given(st.text(alphabet="'=+-@\t\r\nx é\u0301", max_size=20))
def test_a_text_survives_export_and_import(text):
    out = io.StringIO(newline="")
    text = unicodedata.normalize("NFC", text.strip())
    rows = [["name", "category", "price", "description"], ["Loaf", "Bread", "1.00", neutralise(text)]]
    csv.writer(out).writerows(rows)

    assert [row.description for row in read(out.getvalue()).rows] == [text]


line_ends = st.sampled_from(["\n", "\r\n", "\r"])
inside_cells = st.lists(st.sampled_from(["a", "\n", "\r\n", "\u2028", "\x85", "\x0b", ",", '""']), max_size=8)


@given(
    head=st.sampled_from(["", "sep=,", "\n"]),
    end_of_header=line_ends,
    rows=st.lists(st.tuples(inside_cells, st.lists(line_ends, min_size=1, max_size=3)), min_size=1, max_size=30),
)
def test_line_numbers_are_those_of_an_editor(head, end_of_header, rows):
    text = f"{head}{end_of_header if head.startswith('sep') else ''}name,category,price,description{end_of_header}"
    want = []
    for index, (cell, ends) in enumerate(rows):
        line = 1 + text.count("\n") + text.count("\r") - text.count("\r\n")
        want.append((line, "price", "invalid_price"))
        if "\x0b" in cell:
            want.insert(-1, (line, "description", "control_character"))
        # The x keeps a lone CR and a following LF apart, which would make one line end of two.
        text += f'"Row {index}",Bread,abc,"x{"".join(cell)}x"' + "".join(ends)

    assert faults(text) == want


def test_a_line_end_across_the_borders_of_reading_is_one():
    rows = "".join(f"Loaf {index},Bread,1\r\n" for index in range(50_000))

    assert faults(f"{HEADER}{rows}Bun,Bread,x") == [(50_002, "price", "invalid_price")]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", (1, None, "empty_file")),
        (b"\n \r\n\xc2\xa0\r", (1, None, "empty_file")),
        (b",,\n,,\n", (1, None, "empty_file")),
        (codecs.BOM_UTF16_LE, (1, None, "empty_file")),
        (b"sep=;\n", (1, None, "empty_file")),
        (b"\n\nname,category,price\n\n", (3, None, "no_rows")),
        (b"name,category,price\nLoaf,Bread\0,1\n", (2, None, "nul_byte")),
        (b"\xef\xbb\xbfname,category,price\r\rLo\0af,Bread,1\n", (3, None, "nul_byte")),
        (b"name,category,price\nCaf\xe9,Bread,1\nB\x81n,Bread,1\n", (3, None, "encoding_error")),
        ("name,category,price\nÉclair,Bread,1\n".encode() + b"Caf\xe9,Bread,1\n", (3, None, "encoding_error")),
        (b"\xef\xbb\xbfname,category,price\nCaf\xe9,Bread,1\n", (2, None, "encoding_error")),
        (codecs.BOM_UTF16_BE + "name\nx".encode("utf-16-be") + b"\0", (2, None, "encoding_error")),
        (codecs.BOM_UTF16_LE + b"a\0\n\0" + b"\x00\xd8a\0", (2, None, "encoding_error")),
        (b"PK\x03\x04 and more", (1, None, "not_csv")),
        (b"%PDF-1.7\n", (1, None, "not_csv")),
        (b'name,category,price\n"Lo"af,Bread,1\n', (2, None, "bad_quoting")),
        (b'name,category,price\n"Loaf\nbig",Bread,1\n\n"Bun" ,Bread,1\n', (5, None, "bad_quoting")),
        (b'name,category,"price\nLoaf,Bread,1\n', (1, None, "unterminated_quote")),
        (b"sep=;\nname;price\nLoaf;1\n", (2, "category", "missing_column")),
        (b" sku,SKU ,name,category,price\n", (1, "sku", "duplicate_column")),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(data, fault):
    assert faults(data) == [fault]


def test_a_bad_byte_far_into_a_file_is_found_on_its_line():
    rows = "".join(f"Café {index},Bread,1\n" for index in range(60_000)).encode()

    assert faults(HEADER.encode() + rows + b"\xff,Bread,1\n") == [(60_002, None, "encoding_error")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("hint", [True, False])
def test_every_encoding_goes_with_every_separator(encoding, delimiter, hint):
    rows = [["Price", '"Name"', "Vat", " CATEGORY "], ["4.50 €", "Crème brûlée", "x", "Pâtisserie"]]
    text = f"sep={delimiter}\r\n" if hint else ""
    text += "\r\n".join(delimiter.join(row) for row in rows)

    file = read(text.encode(encoding))

    assert [row[2:5] for row in file.rows] == [("Crème brûlée", "Pâtisserie", Decimal("4.50"))]
    assert file.columns == {"name", "category", "price"}
    assert [(notice.line, notice.code) for notice in file.notices] == [(1 + hint, "ignored_column")]


def test_utf16_of_the_other_byte_order_is_read():
    data = codecs.BOM_UTF16_BE + f"{HEADER}Käse,Brot,1".encode("utf-16-be")

    assert [row.name for row in read(data).rows] == ["Käse"]


def test_columns_that_are_absent_say_nothing_and_blank_cells_say_blank():
    assert read(f"{HEADER}Loaf,Bread,1\n").rows == [(2, "", "Loaf", "Bread", Decimal("1.00"), None, None, None)]

    file = read("sku,image,description,active,name,category,price\n,,,,Loaf,Bread,1\n")
    assert file.rows == [(2, "", "Loaf", "Bread", Decimal("1.00"), "", "", None)]


def test_rows_may_be_ragged_with_blanks_only():
    rows = "Loaf,Bread,1,,  ,\n\n,,,\n  \nBun,Bread\nRoll,Bread,1,50\nCake,Sweet,x,surplus\n\u200b,\xa0,\n"

    assert faults(HEADER + rows) == [
        (6, "price", "required"),
        (7, None, "too_many_columns"),
        (8, None, "too_many_columns"),
        (8, "price", "invalid_price"),
    ]


def test_every_bad_cell_of_a_row_is_named():
    row = f"{'s' * 65},,{'c' * 101},-1,x.svg,a\x07b,maybe"

    assert faults(f"sku,name,category,price,image,description,active\n{row}\n") == [
        (2, "active", "invalid_boolean"),
        (2, "category", "too_long"),
        (2, "description", "control_character"),
        (2, "image", "invalid_image"),
        (2, "name", "required"),
        (2, "price", "negative_price"),
        (2, "sku", "too_long"),
    ]


def test_a_key_may_stand_only_once():
    rows = ["A1,Loaf,Bread,1", "A1,Bun,Bread,1", "a1,Roll,Bread,1", "A1,Brioche,Bread,1"]
    rows += [",Cafe\u0301,Bread,1", ",Café,Bread,2", ",Café,Cake,x", ",Café,Cake,1"]

    assert faults("sku,name,category,price\n" + "\n".join(rows)) == [
        (3, "sku", "duplicate_key"),
        (5, "sku", "duplicate_key"),
        (7, "name", "duplicate_key"),
        (8, "price", "invalid_price"),
        (9, "name", "duplicate_key"),
    ]


def test_a_row_without_sku_clashes_only_with_an_earlier_one_that_has_it():
    file = read("sku,name,category,price\n,Loaf,Bread,1\nA1,Loaf,Bread,1\nA2,Bun,Bread,1\n,Bun,Bread,1\n")

    assert file.errors == []
    assert {key: error.line for key, error in file.clashes.items()} == {("Bun", "Bread"): 5}


def test_a_hundred_thousand_rows_are_possible_and_no_more():
    rows = "".join(f"Loaf {index},Bread,1\n" for index in range(100_000))

    assert len(read(HEADER + rows + ",,\n").rows) == 100_000
    assert faults(HEADER + rows + "Bun,Bread,x\n") == [(100_002, None, "too_many_rows")]


def test_twenty_mebibytes_are_possible_and_no_more(tmp_path):
    path = tmp_path / "big.csv"
    path.write_bytes(HEADER.encode() + b"Loaf,Bread,1\n" + b" " * (MAX_BYTES - len(HEADER) - 13))
    assert len(read_products(path, filename=path.name).rows) == 1

    with path.open("ab") as file:
        file.write(b" ")
    with pytest.raises(UnreadableFile) as refusal:
        read_products(path, filename=path.name)
    assert [error.code for error in refusal.value.errors] == ["too_large"]
