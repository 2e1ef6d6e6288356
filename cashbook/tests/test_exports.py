"""The cash book as files: entries for a spreadsheet, reports on paper, closings in the shape of DSFinV-K."""

import csv
import io
import re
from decimal import Decimal
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
import time_machine
from openpyxl import load_workbook
from pypdf import PdfReader

from bakery.models import Shop
from cashbook import services
from cashbook.dsfinvk import FILES
from cashbook.models import CashEntry, VatShare
from cashbook.tests.factories import a_cashier, book, open_session

pytestmark = pytest.mark.django_db

DAY = "from=2026-11-25&to=2026-11-25"


def share(rate, gross, vat):
    return VatShare(Decimal(rate), Decimal(gross), Decimal(vat))


@pytest.fixture
def a_day(db):
    Shop.objects.update_or_create(pk=1, defaults={"name": "Bäckerei Łoś", "address": "1 Mill Lane\nParis"})
    with time_machine.travel("2026-11-24T22:59:00Z", tick=False):
        book("1.00")  # the day before
    with time_machine.travel("2026-11-25T07:00:00Z", tick=False):
        session = open_session("150.00")
        sale = book(
            "12.00", notes="=1+1", reference="order:7", vat=[share("7", "8.00", "0.52"), share("19", "4.00", "0.64")]
        )
        services.reverse(entry_id=sale.pk, notes="", actor=a_cashier())
        book("3.50", "sale", "card", vat=[share("5.5", "3.50", "0.18")])
        book("2.00", "refund")
        book("50.00", "bank_drop")
        services.close_session(
            session_id=session.pk, counted=Decimal("97.50"), note="Half a euro – short", actor=a_cashier(),
            denominations={Decimal("50.00"): 1, Decimal("0.50"): 95},
        )  # fmt: skip
    return session


@pytest.fixture
def office(api_as):
    return api_as("manager")


def content(response):
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_entries_come_as_csv_with_all_that_the_chain_covers(office, a_day):
    response = office.get(f"/api/cash/export?{DAY}")
    rows = list(csv.DictReader(io.StringIO(content(response).decode())))

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="cash-entries-2026-11-25-2026-11-25.csv"'
    assert [row["number"] for row in rows] == ["2", "3", "4", "5", "6"]
    first = CashEntry.objects.get(number=2)
    assert rows[0] == {
        "register": "main", "number": "2", "created_at": "2026-11-25T08:00:00+01:00", "type": "sale",
        "amount": "12.00", "signed_amount": "12.00", "method": "cash", "reference": "order:7", "notes": "'=1+1",
        "session": "1", "reversal_of": "", "user": a_cashier().username, "vat": "7.00:8.00:0.52;19.00:4.00:0.64",
        "signature": "", "previous_hash": first.previous_hash, "hash": first.hash,
    }  # fmt: skip
    assert (rows[1]["reversal_of"], rows[1]["signed_amount"]) == ("2", "-12.00")


def test_entries_come_as_a_workbook(office, a_day):
    sheet = load_workbook(io.BytesIO(content(office.get(f"/api/cash/export?{DAY}&as=xlsx")))).active

    assert sheet.max_row == 6
    assert [cell.value for cell in sheet[2]][:6] == ["main", 2, "2026-11-25T08:00:00+01:00", "sale", 12, 12]
    assert sheet["I2"].value == "'=1+1"


def test_an_export_of_one_register_has_only_its_entries(office, a_day):
    services.add_register(name="stall")
    book(register="stall")
    rows = content(office.get("/api/cash/export?register=stall")).decode().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["stall", "1"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [("as=ods", "as"), ("register=moon", "register"), ("from=2026-1-5", "from"), ("colour=red", "colour"),
     ("from=2026-02-01&to=2026-01-01", "from")],
)  # fmt: skip
def test_a_bad_parameter_is_named(office, query, field):
    response = office.get(f"/api/cash/export?{query}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)


def test_what_is_longer_than_a_sheet_is_refused_as_a_workbook(office, a_day, monkeypatch):
    monkeypatch.setattr("cashbook.exporting.MOST_ROWS_OF_A_SHEET", 4)
    response = office.get(f"/api/cash/export?{DAY}&as=xlsx")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "as")
    assert office.get(f"/api/cash/export?{DAY}&as=csv").status_code == 200


def test_only_who_sees_the_report_of_the_cash_takes_the_book_out(api_as):
    assert {role: api_as(role).get("/api/cash/export").status_code for role in (None, "cashier", "baker", "admin")} == {
        None: 401, "cashier": 403, "baker": 403, "admin": 200,
    }  # fmt: skip


def test_an_export_costs_no_more_queries_for_many_entries(office, queries_do_not_grow):
    open_session()
    assert queries_do_not_grow(office, "/api/cash/export", book) <= 5


def test_a_z_report_is_printed(api_as, a_day):
    response = api_as("cashier").get(f"/api/cash/sessions/{a_day.pk}/report?as=pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="Z-main-1.pdf"'
    assert response.content.startswith(b"%PDF-1.")
    assert b"/Count 1" in response.content  # a single page

    open_session()
    x = api_as("cashier").get(f"/api/cash/sessions/{a_day.pk + 1}/report?as=pdf")
    assert "Bäckerei Łoś" in PdfReader(io.BytesIO(x.content)).pages[0].extract_text()
    assert x["Content-Disposition"] == 'inline; filename="X-main-2.pdf"'
    refused = api_as("cashier").get(f"/api/cash/sessions/{a_day.pk}/report?as=doc")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "as")


def test_closings_come_in_the_shape_of_dsfinv_k(office, a_day):
    open_session()
    book("9.00")  # not closed: not in it
    archive = ZipFile(io.BytesIO(content(office.get(f"/api/cash/export?{DAY}&as=dsfinvk"))))
    assert archive.namelist() == ["index.xml", *(f"{name}.csv" for name in FILES)]

    def rows(name, *columns):
        text = archive.read(f"{name}.csv").decode()
        assert text.endswith("\r\n")
        return [tuple(row[column] for column in columns) for row in csv.DictReader(io.StringIO(text), delimiter=";")]

    assert rows("cashpointclosing", "Z_KASSE_ID", "Z_NR", "Z_BUCHUNGSTAG", "NAME", "Z_SE_BARZAHLUNGEN") == [
        ("main", "1", "2026-11-25", "Bäckerei Łoś", "-52,00")
    ]
    assert rows("businesscases", "GV_TYP", "UST_SCHLUESSEL", "Z_UMS_BRUTTO", "Z_UMS_NETTO", "Z_UST") == [
        ("Umsatz", "10550", "3,50", "3,32", "0,18"),
        ("Umsatz", "2", "0,00", "0,00", "0,00"),
        ("Umsatz", "1", "0,00", "0,00", "0,00"),
        ("Umsatz", "7", "-2,00", "-2,00", "0,00"),
        ("Anfangsbestand", "5", "150,00", "150,00", "0,00"),
        ("Geldtransit", "5", "-50,00", "-50,00", "0,00"),
        ("DifferenzSollIst", "5", "-0,50", "-0,50", "0,00"),
    ]
    assert rows("transactions", "BON_ID", "BON_TYP", "BON_STORNO", "UMS_BRUTTO", "BON_NOTIZ")[:2] == [
        ("2", "Beleg", "0", "12,00", "'=1+1"),
        ("3", "AVBelegstorno", "1", "-12,00", ""),
    ]
    assert rows("transactions_vat", "BON_ID", "UST_SCHLUESSEL", "BON_BRUTTO", "BON_NETTO", "BON_UST")[:3] == [
        ("2", "2", "8,00", "7,48", "0,52"),
        ("2", "1", "4,00", "3,36", "0,64"),
        ("3", "2", "-8,00", "-7,48", "-0,52"),
    ]
    assert rows("payment", "ZAHLART_TYP", "ZAHLART_NAME", "Z_ZAHLART_BETRAG") == [
        ("Bar", "cash", "-52,00"), ("Unbar", "card", "3,50"),
    ]  # fmt: skip
    assert rows("datapayment", "BON_ID", "ZAHLART_TYP", "BASISWAEH_BETRAG")[2] == ("4", "Unbar", "3,50")
    assert rows("cash_per_currency", "ZAHLART_WAEH", "ZAHLART_BETRAG_WAEH") == [("EUR", "97,50")]
    assert rows("lines", "BON_ID", "POS_ZEILE", "ARTIKELTEXT", "GV_TYP", "STK_BR")[1] == (
        "2", "2", "order:7", "Umsatz", "4,00",
    )  # fmt: skip
    assert rows("references", "BON_ID", "REF_Z_NR", "REF_BON_ID") == [("3", "1", "2")]
    assert rows("transactions_tse", "BON_ID") == []
    assert set(rows("vat", "UST_SCHLUESSEL", "UST_SATZ")) == {
        ("10550", "5,50"), ("2", "7,00"), ("1", "19,00"), ("7", "0"),
    }  # fmt: skip


def test_the_files_are_described_for_the_programs_of_auditors(office, a_day):
    Shop.objects.update(name="Bread & <more>")
    archive = ZipFile(io.BytesIO(content(office.get(f"/api/cash/export?{DAY}&as=dsfinvk"))))

    text = archive.read("index.xml").decode()
    assert '<!DOCTYPE DataSet SYSTEM "gdpdu-01-09-2004.dtd">' in text
    about = ElementTree.fromstring(text)
    assert about.findtext("DataSupplier/Name") == "Bread & <more>"
    described = {}
    for table in about.iterfind("Media/Table"):
        rules = table.find("VariableLength")
        assert [child.tag for child in table] == [
            "URL", "Name", "UTF8", "DecimalSymbol", "DigitGroupingSymbol", "Range", "VariableLength",
        ]  # fmt: skip
        assert [rules.findtext(name) for name in ("ColumnDelimiter", "RecordDelimiter", "TextEncapsulator")] == [
            ";", "\r\n", '"',
        ]  # fmt: skip
        described[table.findtext("URL")] = {
            column.findtext("Name"): column.find("Numeric") for column in rules.iterfind("VariableColumn")
        }
    assert list(described) == archive.namelist()[1:]
    for file, columns in described.items():
        rows = csv.DictReader(io.StringIO(archive.read(file).decode()), delimiter=";")
        assert rows.fieldnames == list(columns)
        for row in rows:
            for name, number in columns.items():
                decimals = None if number is None else int(number.findtext("Accuracy") or 0)
                if decimals is None or not row[name]:
                    continue
                assert re.fullmatch(r"-?\d+(,\d+)?", row[name]), (file, name, row[name])
                assert len(row[name].partition(",")[2]) <= decimals


# The signing device


class Signer:
    def sign(self, entry):
        assert entry.pk is None
        return f"signed {entry.number} {entry.signed_amount}"


class BrokenSigner:
    def sign(self, entry):
        raise OSError("the device is off")


def test_a_signing_device_signs_what_is_booked(settings, a_day):
    settings.FISCAL_SIGNER = f"{__name__}.Signer"
    entry = book("4.00", "refund")
    entry.refresh_from_db()

    assert entry.signature == f"signed {entry.number} -4.00"
    unsigned, entry.signature = entry.signature, ""
    assert entry.compute_hash() != entry.hash
    entry.signature = unsigned
    assert entry.compute_hash() == entry.hash


def test_what_cannot_be_signed_is_not_booked(settings):
    settings.FISCAL_SIGNER = f"{__name__}.BrokenSigner"
    with pytest.raises(OSError, match="off"):
        book()
    assert not CashEntry.objects.exists()


@pytest.mark.parametrize("path", ["nowhere.Signer", "cashbook.models.CashEntry"])
def test_a_signer_that_is_none_stops_the_start(settings, path):
    from cashbook.fiscal import the_signer_is_there

    assert the_signer_is_there() == []
    settings.FISCAL_SIGNER = path
    assert [error.id for error in the_signer_is_there()] == ["cashbook.E001"]
