"""What one cell may hold, and what it means."""

from decimal import Decimal

import pytest

from products.reader import UnreadableFile, clean_text
from products.tests.reading import faults, read


def one_cell(column: str, value: str):
    """What a column's cell is read as, or the code of its error."""
    cells = {"name": "Loaf", "category": "Bread", "price": "1"} | {column: value}
    header, row = (
        "\t".join(part) for part in (cells, ('"' + cell.replace('"', '""') + '"' for cell in cells.values()))
    )
    try:
        file = read(f"{header}\n{row}\n")
    except UnreadableFile as refusal:
        return refusal.errors[0].code
    return file.errors[0].code if file.errors else getattr(file.rows[0], column)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("3.50", "3.50"),
        ("3,5", "3.50"),
        (",5", "0.50"),
        ("5.", "5.00"),
        ("000", "0.00"),
        ("00000000099999999.99", "99999999.99"),
        ("\u20ac\u00a03,50", "3.50"),
        ("3,50\u202f\u20ac", "3.50"),
        ("\uff041", "1.00"),
        ("\u200b2\ufeff", "2.00"),
    ],
)
def test_a_price_is_read_as_people_write_it(text, price):
    assert one_cell("price", text) == Decimal(price)
    assert str(one_cell("price", text)) == price


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("required", ["", " ", "\u00a0\u200b"]),
        ("negative_price", ["-1", "1-", "-", "\u22121", "\uff0d1", "$-1", "-0.001", "1e-5"]),
        (
            "invalid_price",
            [
                "abc",
                "1 000",
                "1\u202f000,00",
                "1,000.00",
                "1.000,00",
                "1'000",
                "1_000",
                "1E5",
                "+1",
                ".",
                "€",
                "€1€",
                "€€1",
                "EUR 1",
                "\uff11",
                "\u0663",
                "1\n2",
                "NaN",
                "Infinity",
                "0x1",
                "½",
                "=1+1",
            ],
        ),
        ("too_many_decimals", ["1.005", "1,000", "0.000", "123456789.123"]),
        ("price_too_large", ["100000000", "100000000.00", "9" * 5000]),
    ],
)
def test_what_is_no_price_says_why(code, texts):
    assert {text: one_cell("price", text) for text in texts} == dict.fromkeys(texts, code)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (True, ["true", "TRUE", "1", "yes", "Y", "on", " Yes\u00a0"]),
        (False, ["false", "False", "0", "no", "N", "OFF"]),
        (None, ["", " "]),
        ("invalid_boolean", ["2", "-1", "maybe", "ja", "t", "yes!", "1.0"]),
    ],
)
def test_a_boolean_has_these_forms_and_no_others(value, texts):
    assert {text: one_cell("active", text) for text in texts} == dict.fromkeys(texts, value)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "loaf.png",
        "images/2026/Loaf of bread.JPEG",
        "./loaf.webp",
        "/media/i/5.jpg",
        "a..b.gif",
        "https://cdn.example.com/loaf.jpg",
        "HTTP://cdn.example.com:8080/a/ünï.png",
        "https://cdn.example.com/loaf_925x@2x.jpg?v=1571438&width=3",
        "https://cdn.example.com/loaf.png#top",
    ],
)
def test_an_image_is_a_relative_path_or_a_web_address(image):
    assert one_cell("image", image) == image


@pytest.mark.parametrize(
    "image",
    [
        "loaf",
        ".png",
        "images/.png",
        "loaf.svg",
        "loaf.png.exe",
        "/etc/loaf.png",
        "//cdn.example.com/loaf.png",
        "/media/../loaf.png",
        "../loaf.png",
        "a/../../loaf.png",
        "a\\loaf.png",
        "C:/loaf.png",
        "file:///loaf.png",
        "ftp://example.com/loaf.png",
        "javascript:alert(1)//loaf.png",
        "data:image/png;base64,x.png",
        "https://example.com",
        "https://loaf.png",
        "https:///loaf.png",
        "https://example.com/loaf?x=.png",
        "https://example.com/loaf#.png",
        "https://example.com/a b.png",
        'https://example.com/"onerror=.png',
        "https://example.com/a.png\nb.png",
    ],
)
def test_anything_else_is_no_image(image):
    assert one_cell("image", image) == "invalid_image"


def test_an_image_has_an_end():
    assert one_cell("image", "a" * 1996 + ".png") == "a" * 1996 + ".png"
    assert one_cell("image", "a" * 1997 + ".png") == "too_long"


@pytest.mark.parametrize(("column", "limit"), [("sku", 64), ("name", 200), ("category", 100), ("description", 5000)])
def test_a_text_may_be_as_long_as_its_limit_after_trimming(column, limit):
    assert one_cell(column, f" {'é' * limit}\u200b") == "é" * limit
    assert one_cell(column, "e\u0301" * limit) == "é" * limit
    assert one_cell(column, "é" * (limit + 1)) == "too_long"


@pytest.mark.parametrize("column", ["sku", "name", "category", "description"])
@pytest.mark.parametrize("letter", ["\x01", "\x0b", "\x1b", "\x1f", "\x7f", "\x80", "\u200f", "\u202e", "\u2066"])
def test_control_characters_are_refused_in_every_text(column, letter):
    assert one_cell(column, f"a{letter}b") == "control_character"


@pytest.mark.parametrize("column", ["sku", "name", "category"])
@pytest.mark.parametrize("letter", ["\t", "\n", "\r", "\x85"])
def test_what_is_one_line_holds_no_line_end(column, letter):
    assert one_cell(column, f"a{letter}b") == "control_character"
    assert one_cell(column, f"{letter}ab{letter}") == "ab"


def test_a_control_character_at_an_end_is_no_blank():
    assert one_cell("name", "Loaf\x1f") == "control_character"


@pytest.mark.parametrize(
    "text", ["one\ntwo", "one\r\ntwo", "tab\there", "x\x85y", "x\u2028y", "👩\u200d🍳", "a\u200db"]
)
def test_line_ends_tabs_and_joiners_inside_a_text_stay(text):
    assert one_cell("description", text) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("'=1", "=1"),
        (" '-1 ", "-1"),
        ("'\t=1", "\t=1"),
        ("''=1", "'=1"),
        ("'t Koffiehuis", "'t Koffiehuis"),
        ("'", "'"),
        ("''", "''"),
        ("\u202a\u200eLoaf\u202c", "Loaf"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_a_text_is_trimmed_composed_and_freed_of_our_own_apostrophe(raw, text):
    assert clean_text(raw) == text


def test_a_message_quotes_a_value_briefly_and_on_one_line():
    file = read(f'name,category,price\nLoaf,Bread,"{"x" * 50}\ny"\nLoaf,B\x07d,1\n')

    assert [error.message for error in file.errors] == [
        f"The price “{'x' * 39}…” is not a number like 3.50 or 3,50 (no thousands separator).",
        "The category “B�d” holds a line break or control character.",
    ]


def test_a_cell_of_many_combining_marks_takes_no_time():
    row = "a" + "\u0301" * 3_000_000 + "\u0316" * 3_000_000

    assert faults(f"name,category,price\n{row},Bread,1\n") == [(2, "name", "too_long")]
