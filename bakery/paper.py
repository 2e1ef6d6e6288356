"""Pages of A4 as PDF, in letters that have the names of Europe's people."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal

from fontTools.ttLib import TTFont
from fpdf import FPDF

FAMILY = "DejaVu"
_FILES = {
    "": Path(__file__).parent / "fonts" / "DejaVuSansCondensed.ttf",
    "B": Path(__file__).parent / "fonts" / "DejaVuSansCondensed-Bold.ttf",
}
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class Paper(FPDF):
    """An FPDF whose font `FAMILY`, in "" and "B", knows the Latin, Greek and Cyrillic letters.

    Pass what people have written through `shown`: what the font lacks would be drawn as nothing at all.
    """

    def __init__(self, title: str, *, orientation: Literal["portrait", "landscape"] = "portrait") -> None:
        super().__init__(format="A4", orientation=orientation)
        for style, file in _FILES.items():
            self.add_font(FAMILY, style, file)
        self.set_title(title)
        self.set_font(FAMILY, size=10)

    @staticmethod
    def shown(text: str) -> str:
        """Return `text` with a mark in place of each letter that the font does not have.

        Lines end as on Windows or not; what else is white is a blank.
        """
        known = _letters()
        composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        return "".join(
            letter if letter == "\n" or ord(letter) in known else " " if letter.isspace() else _UNKNOWN
            for letter in composed
        )


@cache
def _letters() -> frozenset[int]:
    with TTFont(_FILES[""], lazy=True) as font:
        return frozenset(font.getBestCmap())
