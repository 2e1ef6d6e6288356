"""Z reports and their entries in the shape of DSFinV-K: CSV files in a zip (docs/cash-exports.md says what it is not).

Amounts have a decimal comma, columns are parted by semicolons, lines end with CR LF, everything is UTF-8.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

from bakery import VERSION, clock
from bakery.apps import offered
from bakery.models import Shop
from bakery.tables import neutralise, read_in_parts
from cashbook.auditing import index
from cashbook.models import CashEntry, EntryType, Method, Register, VatShare, ZReport
from cashbook.selectors import TURNOVER, Report, kept

Row = Iterable[object]

TAXONOMY = "2.3"
# Keys of VAT rates that the format fixes; a rate of ours without one has a key of its own from 10000 on.
GERMAN_KEYS = {Decimal("19.00"): 1, Decimal("7.00"): 2, None: 7}
PAYMENT_KINDS = {Method.CASH: "Bar"}
BUSINESS_CASES = {
    EntryType.SALE: "Umsatz",
    EntryType.REFUND: "Umsatz",
    EntryType.PAID_IN: "Einzahlung",
    EntryType.PAID_OUT: "Auszahlung",
    EntryType.BANK_DROP: "Geldtransit",
}
_ID = ("Z_KASSE_ID", "Z_ERSTELLUNG", "Z_NR")
_RECEIPT = (*_ID, "BON_ID")

FILES: Mapping[str, tuple[str, ...]] = {
    "cashpointclosing": (
        *_ID, "Z_BUCHUNGSTAG", "TAXONOMIE_VERSION", "Z_START_ID", "Z_ENDE_ID", "NAME", "STRASSE", "PLZ", "ORT", "LAND",
        "STNR", "USTID", "Z_SE_ZAHLUNGEN", "Z_SE_BARZAHLUNGEN",
    ),
    "location": (*_ID, "LOC_NAME", "LOC_STRASSE", "LOC_PLZ", "LOC_ORT", "LOC_LAND", "LOC_USTID"),
    "cashregister": (
        *_ID, "KASSE_BRAND", "KASSE_MODELL", "KASSE_SERIENNR", "KASSE_SW_BRAND", "KASSE_SW_VERSION",
        "KASSE_BASISWAEH_CODE", "KEINE_UST_ZUORDNUNG",
    ),
    "vat": (*_ID, "UST_SCHLUESSEL", "UST_SATZ", "UST_BESCHR"),
    "businesscases": (
        *_ID, "GV_TYP", "GV_NAME", "AGENTUR_ID", "UST_SCHLUESSEL", "Z_UMS_BRUTTO", "Z_UMS_NETTO", "Z_UST",
    ),
    "payment": (*_ID, "ZAHLART_TYP", "ZAHLART_NAME", "Z_ZAHLART_BETRAG"),
    "cash_per_currency": (*_ID, "ZAHLART_WAEH", "ZAHLART_BETRAG_WAEH"),
    "transactions": (
        *_RECEIPT, "BON_NR", "BON_TYP", "BON_NAME", "TERMINAL_ID", "BON_STORNO", "BON_START", "BON_ENDE", "BEDIENER_ID",
        "BEDIENER_NAME", "UMS_BRUTTO", "BON_NOTIZ",
    ),
    "transactions_vat": (*_RECEIPT, "UST_SCHLUESSEL", "BON_BRUTTO", "BON_NETTO", "BON_UST"),
    "transactions_tse": (*_RECEIPT, "TSE_TA_SIG"),
    "datapayment": (
        *_RECEIPT, "ZAHLART_TYP", "ZAHLART_NAME", "ZAHLWAEH_CODE", "ZAHLWAEH_BETRAG", "BASISWAEH_BETRAG",
    ),
    "lines": (
        *_RECEIPT, "POS_ZEILE", "ARTIKELTEXT", "POS_TERMINAL_ID", "GV_TYP", "GV_NAME", "P_STORNO", "MENGE", "STK_BR",
    ),
    "lines_vat": (*_RECEIPT, "POS_ZEILE", "UST_SCHLUESSEL", "POS_BRUTTO", "POS_NETTO", "POS_UST"),
    "references": (*_RECEIPT, "REF_TYP", "REF_Z_KASSE_ID", "REF_Z_NR", "REF_BON_ID"),
}  # fmt: skip


# What the format calls that which is in each.
CONTENTS: Mapping[str, str] = {
    "cashpointclosing": "Stamm_Abschluss",
    "location": "Stamm_Orte",
    "cashregister": "Stamm_Kassen",
    "vat": "Stamm_USt",
    "businesscases": "Z_GV_Typ",
    "payment": "Z_Zahlart",
    "cash_per_currency": "Z_Waehrungen",
    "transactions": "Bonkopf",
    "transactions_vat": "Bonkopf_USt",
    "transactions_tse": "TSE_Transaktionen",
    "datapayment": "Bonkopf_Zahlarten",
    "lines": "Bonpos",
    "lines_vat": "Bonpos_USt",
    "references": "Bon_Referenzen",
}


class Closing(NamedTuple):
    """A Z report with what every file says of it."""

    z: ZReport
    report: Report
    shop: Shop

    @property
    def key(self) -> tuple[str, str, int]:
        return self.z.register.name, _time(self.z.created_at), self.z.number

    def entries(self) -> Iterator[CashEntry]:
        found = CashEntry.objects.filter(session=self.z.session).order_by("number")
        return found.select_related("user", "reversal_of__session__z_report").iterator(chunk_size=1000)


def write_zip(file: IO[bytes], first: date, last: date, register: str | None = None) -> None:
    """Write the sessions that were closed on the shop's days from `first` to `last` into `file`, as a zip."""
    shop = Shop.get()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        tables = [(f"{name}.csv", CONTENTS[name], columns) for name, columns in FILES.items()]
        about = index(tables, supplier=shop.name, place=shop.address, comment=f"Bakery {VERSION}, {first} to {last}")
        archive.writestr("index.xml", about)
        for name, columns in FILES.items():
            with (
                archive.open(f"{name}.csv", "w", force_zip64=True) as raw,
                io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
            ):
                writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
                writer.writerow(columns)
                for closing in _closings(first, last, register, shop):
                    writer.writerows([_cell(value) for value in row] for row in ROWS[name](closing))


def zipped(first: date, last: date, register: str | None = None) -> Iterator[bytes]:
    """Yield what `write_zip` writes. It goes through a file of its own, since it may be large."""
    with TemporaryFile() as file:
        write_zip(file, first, last, register)
        yield from read_in_parts(file)


def _closings(first: date, last: date, register: str | None, shop: Shop) -> Iterator[Closing]:
    start, end = clock.bounds(first, last)
    reports = ZReport.objects.filter(created_at__gte=start, created_at__lt=end)
    if register is not None:
        reports = reports.filter(register__name=register)
    for z in reports.select_related("register", "session").order_by("register__name", "number").iterator(chunk_size=50):
        yield Closing(z, kept(z), shop)


def _closing_rows(closing: Closing) -> Iterator[Row]:
    report, shop = closing.report, closing.shop
    yield (
        *closing.key, clock.shop_day(closing.z.created_at), TAXONOMY, report.first_number, report.last_number,
        shop.name, shop.address, "", "", "", "", "", report.net, report.by_method[Method.CASH],
    )  # fmt: skip


def _register_rows(closing: Closing) -> Iterator[Row]:
    register: Register = closing.z.register
    untold = any(row.rate is None for row in closing.report.by_vat)
    yield *closing.key, "", "", register.name, "Bakery", VERSION, closing.shop.currency, "1" if untold else "0"


def _vat_rows(closing: Closing) -> Iterator[Row]:
    for row in closing.report.by_vat:
        yield *closing.key, key_of(row.rate), row.rate or 0, "" if row.rate is not None else "not told"


def _case_rows(closing: Closing) -> Iterator[Row]:
    report = closing.report
    for row in report.by_vat:
        yield *closing.key, "Umsatz", "", 0, key_of(row.rate), row.gross, row.net, row.vat
    moved = {
        "Anfangsbestand": report.session.float_amount,
        **{BUSINESS_CASES[EntryType(kind)]: sum_ for kind, sum_ in report.by_type.items() if kind not in TURNOVER},
        "DifferenzSollIst": report.session.difference or Decimal(0),
    }
    for case, amount in moved.items():
        if amount:
            yield *closing.key, case, "", 0, 5, amount, amount, Decimal(0)


def _payment_rows(closing: Closing) -> Iterator[Row]:
    for method, amount in closing.report.by_method.items():
        if amount:
            yield *closing.key, PAYMENT_KINDS.get(Method(method), "Unbar"), method, amount


def _entry_rows(closing: Closing) -> Iterator[Row]:
    for entry in closing.entries():
        at = _time(entry.created_at)
        yield (
            *closing.key, entry.number, entry.number, "AVBelegstorno" if entry.reversal_of_id else "Beleg", "",
            closing.z.register.name, int(entry.reversal_of_id is not None), at, at, entry.user_id,
            entry.user.username, entry.signed_amount, entry.notes,
        )  # fmt: skip


def _entry_vat_rows(closing: Closing) -> Iterator[Row]:
    for entry in closing.entries():
        for share in _shares(entry):
            yield *closing.key, entry.number, key_of(share[0]), *share[1:]


def _signature_rows(closing: Closing) -> Iterator[Row]:
    for entry in closing.entries():
        if entry.signature:
            yield *closing.key, entry.number, entry.signature


def _tender_rows(closing: Closing) -> Iterator[Row]:
    for entry in closing.entries():
        kind = PAYMENT_KINDS.get(Method(entry.method), "Unbar")
        amount = entry.signed_amount
        yield *closing.key, entry.number, kind, entry.method, closing.shop.currency, amount, amount


def _line_rows(closing: Closing) -> Iterator[Row]:
    for entry, place, line in _lines(closing):
        case, undone = BUSINESS_CASES[EntryType(entry.type)], int(entry.reversal_of_id is not None)
        yield (
            *closing.key, entry.number, place, line.text, closing.z.register.name, case, "", undone, line.quantity,
            line.unit_price,
        )  # fmt: skip


def _line_vat_rows(closing: Closing) -> Iterator[Row]:
    for entry, place, line in _lines(closing):
        yield *closing.key, entry.number, place, key_of(line.rate), line.gross, line.net, line.vat


class _Line(NamedTuple):
    """A line of a receipt; what was given back is negative, but for the price of one."""

    text: str
    quantity: int
    unit_price: Decimal
    rate: Decimal | None
    gross: Decimal
    net: Decimal
    vat: Decimal


def _lines(closing: Closing) -> Iterator[tuple[CashEntry, int, _Line]]:
    """Yield the articles of each entry where they are known, else a line for each VAT rate, with their places."""
    entries = closing.entries()
    while some := list(islice(entries, 500)):
        articles = _articles(some)
        for entry in some:
            lines = articles.get(entry.pk) or _lines_by_rate(entry)
            for place, line in enumerate(lines, start=1):
                yield entry, place, line


def _articles(entries: Iterable[CashEntry]) -> dict[int, list[_Line]]:
    """Return the articles of those entries with which they agree, to the cent at each rate.

    They are asked of the apps above, since the cash book knows nothing of orders. An order may have been changed
    since it was paid: what was booked counts.
    """
    by_id = {entry.pk: entry for entry in entries if entry.type in TURNOVER and entry.vat}
    found: dict[int, list[_Line]] = {}
    for _, receipt_lines in offered("selectors", "receipt_lines"):
        for pk, lines in receipt_lines(by_id.keys()).items():
            if _by_rate(line.vat for line in lines) == _by_rate(by_id[pk].vat_shares):
                sign = 1 if by_id[pk].signed_amount > 0 else -1
                found[pk] = [
                    _Line(text, sign * quantity, price, vat.rate, sign * vat.gross, sign * vat.net, sign * vat.vat)
                    for text, quantity, price, vat in lines
                ]
    return found


def _by_rate(shares: Iterable[VatShare]) -> dict[Decimal, tuple[Decimal, Decimal]]:
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for rate, gross, vat in shares:
        so_far = sums.get(rate, (Decimal(0), Decimal(0)))
        sums[rate] = (so_far[0] + gross, so_far[1] + vat)
    return sums


def _lines_by_rate(entry: CashEntry) -> Iterator[_Line]:
    for rate, gross, net, vat in _shares(entry):
        yield _Line(entry.reference or entry.get_type_display(), 1, gross, rate, gross, net, vat)


def _reference_rows(closing: Closing) -> Iterator[Row]:
    for entry in closing.entries():
        undone = entry.reversal_of
        if undone is not None:
            z = getattr(undone.session, "z_report", None)
            yield *closing.key, entry.number, "Transaktion", closing.z.register.name, z and z.number, undone.number


def _shares(entry: CashEntry) -> Iterator[tuple[Decimal | None, Decimal, Decimal, Decimal]]:
    """Yield rate, gross, net and VAT of what an entry contains, signed; one row without VAT where nobody told."""
    sign = 1 if entry.signed_amount > 0 else -1
    shares: tuple[VatShare, ...] = entry.vat_shares
    for share in shares:
        yield share.rate, sign * share.gross, sign * share.net, sign * share.vat
    if not shares:
        rate = None if entry.type in TURNOVER else Decimal(0)
        yield rate, entry.signed_amount, entry.signed_amount, Decimal(0)


def key_of(rate: Decimal | None) -> int:
    """Return the format's key of a VAT rate; 5 is for what has no VAT, such as money moved."""
    if rate == 0:
        return 5
    return GERMAN_KEYS[rate] if rate in GERMAN_KEYS else 10000 + int((rate or 0) * 100)


def _time(at: Any) -> str:
    return clock.local(at).isoformat(timespec="seconds")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")
    return neutralise(value) if isinstance(value, str) else str(value)


ROWS = {
    "cashpointclosing": _closing_rows,
    "location": lambda closing: iter([(*closing.key, closing.shop.name, closing.shop.address, "", "", "", "")]),
    "cashregister": _register_rows,
    "vat": _vat_rows,
    "businesscases": _case_rows,
    "payment": _payment_rows,
    "cash_per_currency": lambda c: iter([(*c.key, c.shop.currency, c.report.session.counted)]),
    "transactions": _entry_rows,
    "transactions_vat": _entry_vat_rows,
    "transactions_tse": _signature_rows,
    "datapayment": _tender_rows,
    "lines": _line_rows,
    "lines_vat": _line_vat_rows,
    "references": _reference_rows,
}
