"""From an upload to lines of text: sizes, compression, what is no text at all, and encodings."""

import codecs
import gzip
import re
import zlib
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, NamedTuple

from products.reader.errors import unreadable

MAX_BYTES = 20 * 1024 * 1024
CHUNK = 256 * 1024

# How files begin that people rename to .csv, and what they are.
SIGNATURES = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old or encrypted Excel workbook",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
}

BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

MULTI_BYTE_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


def load(source: Path | BinaryIO, filename: str) -> tuple[bytes, str]:
    """Read the bytes of a file, unpacked where its name ends in .gz.

    Returns them with the lower-case name of what they are. Raises UnreadableFile, also above 20 MiB;
    no more than that is ever held, however well it was packed.
    """
    name = filename.lower()
    if isinstance(source, Path):
        with source.open("rb") as file:
            data = _read_bounded(file)
    else:
        data = _read_bounded(source)
    if not name.endswith(".gz"):
        return data, name
    try:
        with gzip.open(BytesIO(data)) as packed:
            return _read_bounded(packed), name.removesuffix(".gz")
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable("not_csv", "The file ends in .gz but is no sound gzip archive.") from error


def _read_bounded(file: BinaryIO | gzip.GzipFile) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise unreadable("too_large", "The file is too large; at most 20 MiB are possible, also unpacked.")
    return data


class Text(NamedTuple):
    """Bytes with the codec that reads all of them, from ``start`` on."""

    data: bytes
    encoding: str
    start: int

    def lines(self) -> TextIOWrapper:
        """Decode as one reads: lines end at LF, CRLF or CR and nowhere else, and keep their ends."""
        stream = BytesIO(self.data)
        stream.seek(self.start)
        return TextIOWrapper(stream, encoding=self.encoding, newline="")


def decode(data: bytes) -> Text:
    """Find out how the bytes are to be read: UTF-8 or UTF-16 by their mark, else UTF-8, else Windows-1252.

    Raises UnreadableFile where they are no text, or not all of them can be read.
    """
    for signature, what in SIGNATURES.items():
        if data.startswith(signature):
            raise unreadable("not_csv", f"The file is {what}, not a text with separated values.")
    if data.startswith(codecs.BOM_UTF32_LE):
        raise unreadable("encoding_error", "The file is UTF-32; please save it as UTF-8.")
    bom = next((mark for mark in BOMS if data.startswith(mark)), b"")
    encoding, start = BOMS.get(bom, "utf-8"), len(bom)
    if not encoding.startswith("utf-16") and (nul := data.find(b"\0")) >= 0:
        line = _line_at(data, nul, "latin-1", 0)
        raise unreadable("nul_byte", "The file holds a NUL byte; please save it as UTF-8.", line)
    bad = _first_bad_byte(data, encoding, start)
    if bad is not None and not bom and not MULTI_BYTE_UTF8.search(data):
        encoding = "cp1252"
        bad = _first_bad_byte(data, encoding, start)
    if bad is not None:
        raise unreadable(
            "encoding_error",
            f"The file is no sound {encoding.upper()}: byte {bad + 1} (hexadecimal {data[bad]:02X}) does not"
            " belong there. It may be cut off or mixed from two files; please save it as UTF-8.",
            _line_at(data, bad, encoding, start),
        )
    return Text(data, encoding, start)


def _first_bad_byte(data: bytes, encoding: str, start: int) -> int | None:
    """Decode piece by piece, keeping nothing, and return where that fails."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(data)
    for at in range(start, len(data), CHUNK):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(view[at : at + CHUNK], at + CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return at - waiting + error.start
    return None


def _line_at(data: bytes, position: int, encoding: str, start: int) -> int:
    text = data[start:position].decode(encoding, "replace")
    return 1 + text.count("\n") + text.count("\r") - text.count("\r\n")
