"""What a text may hold, whichever door it comes in by."""

import re
import unicodedata

# Controls, and the marks that turn the direction of text: they hide what a name really says.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKS = re.compile("[\t\n\r\x85\u2028\u2029]")
_EDGES = re.compile("^[\\s\u200b-\u200d\u2060\ufeff]+|[\\s\u200b-\u200d\u2060\ufeff]+$")


def tidy(text: str, *, lines: bool = False) -> str:
    """Return a text trimmed and in Unicode's composed form.

    Raises ValueError where it holds a control character; only one of several `lines` may hold tabs and line breaks.
    """
    trimmed = _EDGES.sub("", text)
    if UNSEEN.search(trimmed) or (not lines and _BREAKS.search(trimmed)):
        raise ValueError("It holds a control character.")
    return unicodedata.normalize("NFC", trimmed)
