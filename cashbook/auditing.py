"""`index.xml`: what the tax auditors' programs read to know the files of an export (GDPdU, later GoBD)."""

from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import escape

# Columns that are numbers, with their decimals; every other one is text.
NUMBERS: Mapping[str, int] = {
    **dict.fromkeys(("Z_NR", "UST_SCHLUESSEL", "AGENTUR_ID", "BON_NR", "MENGE", "REF_Z_NR"), 0),
    **dict.fromkeys(
        (
            "Z_SE_ZAHLUNGEN", "Z_SE_BARZAHLUNGEN", "UST_SATZ", "Z_UMS_BRUTTO", "Z_UMS_NETTO", "Z_UST",
            "Z_ZAHLART_BETRAG", "ZAHLART_BETRAG_WAEH", "UMS_BRUTTO", "BON_BRUTTO", "BON_NETTO", "BON_UST",
            "ZAHLWAEH_BETRAG", "BASISWAEH_BETRAG", "STK_BR", "POS_BRUTTO", "POS_NETTO", "POS_UST",
        ),
        2,
    ),
}  # fmt: skip


def index(tables: Iterable[tuple[str, str, Iterable[str]]], *, supplier: str, place: str, comment: str) -> bytes:
    """Describe `tables`, each a file, the name of what is in it, and its columns, in the order of the columns."""
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE DataSet SYSTEM "gdpdu-01-09-2004.dtd">',
        "<DataSet>",
        "<Version>1.0</Version>",
        "<DataSupplier>",
        *(_tag(name, text) for name, text in (("Name", supplier), ("Location", place), ("Comment", comment))),
        "</DataSupplier>",
        "<Media>",
        _tag("Name", "1"),
        *(line for table in tables for line in _table(*table)),
        "</Media>",
        "</DataSet>",
    ]
    return ("\r\n".join(parts) + "\r\n").encode()


def _table(file: str, name: str, columns: Iterable[str]) -> Iterator[str]:
    yield from ("<Table>", _tag("URL", file), _tag("Name", name), "<UTF8/>")
    yield from (_tag("DecimalSymbol", ","), _tag("DigitGroupingSymbol", "."))
    yield "<Range><From>2</From></Range>"  # after the line of names
    # The line's end as references: as it is, whoever reads the XML would take it for a mere line feed.
    yield from ("<VariableLength>", _tag("ColumnDelimiter", ";"), "<RecordDelimiter>&#13;&#10;</RecordDelimiter>")
    yield _tag("TextEncapsulator", '"')
    for column in columns:
        yield f"<VariableColumn>{_tag('Name', column)}{_kind(column)}</VariableColumn>"
    yield from ("</VariableLength>", "</Table>")


def _kind(column: str) -> str:
    decimals = NUMBERS.get(column)
    if decimals is None:
        return "<AlphaNumeric/>"
    return f"<Numeric>{_tag('Accuracy', str(decimals))}</Numeric>" if decimals else "<Numeric/>"


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
