"""What one cell may hold: text, prices, booleans, pictures, and the key that products are known by."""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from products.reader.errors import shown

ProductKey: TypeAlias = str | tuple[str, str]

# Blanks, line ends and zero-width characters: nobody sees them at the ends of a cell. Other control
# characters are no blanks, they are refused wherever they stand.
INVISIBLE = (
    "\t\n\r \x85\xa0\xad\u061c\u1680\u180e"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f"
    "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\u3000\ufeff"
)
# Controls, and marks that turn the direction of text and make it look like another one. Only a text of several
# lines may hold tabs and line ends. The fields of the API refuse the same, so that what came in by a file can be
# sent back.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
CONTROL_OR_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# Putting combining marks in order costs the square of their number. What is longer is too long anyway.
LONGEST_TO_NORMALISE = 10_000

NEUTRALISED = re.compile(r"'+[=+\-@\t\r\n]")

MINUS_SIGNS = "-\N{MINUS SIGN}\N{SMALL HYPHEN-MINUS}\N{FULLWIDTH HYPHEN-MINUS}"
PRICE = re.compile(r"([0-9]*)(?:[.,]([0-9]*))?")
DIGITS_BEFORE_POINT = 8

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "no", "n", "off", "0"), False),
}

MAX_IMAGE = 2000
PICTURE = r"\.(?:jpe?g|png|gif|webp)"
IMAGE_URL = re.compile(
    rf"https?://[^\s/?#\\<>\"]+/[^\s?#\\<>\"]*[^\s?#\\<>\"/]{PICTURE}(?:[?#][^\s\\<>\"]*)?", re.IGNORECASE
)
# A relative path that stays below the folder it starts in, or one below /media/, as web shops write their own pictures.
IMAGE_PATH = re.compile(
    rf"(?!.*(?:^|/)\.\.(?:/|$))(?:/media/|(?!/))[^\t\r\n\\:?#<>\"]*[^\t\r\n\\:?#<>\"/]{PICTURE}", re.IGNORECASE
)


class BadCell(ValueError):
    """A cell breaks a rule. ``code`` is stable, ``message`` is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def product_key(sku: str, name: str, category: str) -> ProductKey:
    """Say what a product is known by: its sku, or without one its name and category.

    Takes texts as ``clean_text`` returns them; two rows mean the same product if their keys are equal.
    """
    return sku or (name, category)


def restore(cell: str) -> str:
    """Take off what ``neutralise`` put before a cell; any other apostrophe stays."""
    return cell[1:] if NEUTRALISED.match(cell) else cell


def clean_text(raw: str) -> str:
    """Return the text that a cell means: trimmed, in NFC, without the export's apostrophe."""
    text = raw.strip(INVISIBLE)
    if not text.isascii() and len(text) <= LONGEST_TO_NORMALISE:
        text = unicodedata.normalize("NFC", text)
    return restore(text)


def text_rule(column: str, limit: int, *, required: bool = False, lines: bool = False) -> Callable[[str], str]:
    """Make the rule of a text column: returns the clean text, raises BadCell."""
    refused = CONTROL if lines else CONTROL_OR_BREAK

    def read_text(raw: str) -> str:
        plain = raw.isascii() and raw.isprintable()
        text = raw.strip() if plain and "'" not in raw else clean_text(raw)
        if not text and required:
            raise BadCell("required", f"The {column} is missing.")
        if not plain and refused.search(text):
            raise BadCell(
                "control_character",
                f"The {column} {shown(text)} holds {'a' if lines else 'a line break or'} control character.",
            )
        if len(text) > limit:
            raise BadCell(
                "too_long", f"The {column} {shown(text)} has {len(text)} characters; at most {limit} are possible."
            )
        return text

    return read_text


def read_price(raw: str) -> Decimal:
    """Read a price as people write it, with a point or a comma and maybe a currency sign.

    Returns it with two decimals; raises BadCell.
    """
    text = raw.strip(INVISIBLE)
    if not text:
        raise BadCell("required", "The price is missing.")
    if any(sign in text for sign in MINUS_SIGNS):
        raise BadCell("negative_price", f"The price {shown(text)} has a minus sign; it must be zero or more.")
    match = PRICE.fullmatch(_without_currency(text))
    whole, decimals = (match[1], match[2] or "") if match else ("", "")
    if not whole and not decimals:
        raise BadCell(
            "invalid_price", f"The price {shown(text)} is not a number like 3.50 or 3,50 (no thousands separator)."
        )
    if len(decimals) > 2:
        raise BadCell(
            "too_many_decimals", f"The price {shown(text)} has {len(decimals)} decimals; at most 2 are possible."
        )
    whole = whole.lstrip("0")
    if len(whole) > DIGITS_BEFORE_POINT:
        raise BadCell("price_too_large", f"The price {shown(text)} is too large; at most 99999999.99 is possible.")
    return Decimal(f"{whole or 0}.{decimals:0<2}")


def _without_currency(text: str) -> str:
    if unicodedata.category(text[0]) == "Sc":
        return text[1:].lstrip(INVISIBLE)
    if unicodedata.category(text[-1]) == "Sc":
        return text[:-1].rstrip(INVISIBLE)
    return text


def read_boolean(raw: str) -> bool | None:
    """Read whether a product is active; a blank cell (None) leaves that alone. Raises BadCell."""
    text = raw.strip(INVISIBLE)
    if not text:
        return None
    value = BOOLEANS.get(text.lower())
    if value is None:
        raise BadCell(
            "invalid_boolean", f"{shown(text)} is neither yes nor no; write one of {', '.join(sorted(BOOLEANS))}."
        )
    return value


def read_image(raw: str) -> str:
    """Check that a cell names a picture, by address or relative path; nothing is fetched. Raises BadCell."""
    text = clean_text(raw)
    if not text:
        return text
    if len(text) > MAX_IMAGE:
        raise BadCell(
            "too_long", f"The image {shown(text)} has {len(text)} characters; at most {MAX_IMAGE} are possible."
        )
    if CONTROL.search(text) or not (IMAGE_URL.fullmatch(text) or IMAGE_PATH.fullmatch(text)):
        raise BadCell(
            "invalid_image",
            f"The image {shown(text)} is neither a web address (http or https) nor a relative path"
            " (or one below /media/) that ends in jpg, jpeg, png, gif or webp.",
        )
    return text
