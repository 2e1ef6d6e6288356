"""Reports as files: the figures of the JSON, and no cell that a spreadsheet takes for a formula."""

import csv
import io
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from cashbook.tests.factories import book
from products.tests.factories import make_category, make_product
from reports.tests.factories import import_tickets
from reports.views import ReportViewSet

PERIOD = "from=2026-11-24&to=2026-11-26"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def csv_of(response):
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(response.content.decode())))


def xlsx_of(response):
    assert response.status_code == 200
    return load_workbook(io.BytesIO(response.content)).active


def test_sales_as_csv(manager, tmp_path):
    make_product(name="Pâté", category=make_category(name="Épices, divers", slug="epices"))
    import_tickets(tmp_path, "2026-11-25 08:15 1 Pâté 2 1.30", "2026-11-25 08:20 2 Pâté -3 1.30")

    response = manager.get(f"/api/reports/sales?{PERIOD}&group_by=category&as=csv")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="sales-category-2026-11-24-2026-11-26.csv"'
    assert response.content.decode() == (
        "key,label,orders,quantity,gross,vat,net\r\n"
        'epices,"Épices, divers",2,-1,-1.30,0.00,-1.30\r\n'
    )  # fmt: skip


@pytest.mark.parametrize("group_by", ["day", "week", "month", "weekday", "hour", "product", "category"])
def test_files_hold_the_figures_of_the_json(manager, tmp_path, group_by):
    make_product(name="Bread")
    import_tickets(tmp_path, "2026-11-25 08:15 1 Bread 2 1.30", "2026-11-26 09:15 1 Bread 1 1.25")
    url = f"/api/reports/sales?{PERIOD}&group_by={group_by}"
    rows = manager.get(url).json()["data"]["rows"]
    assert rows

    head, *lines = csv_of(manager.get(f"{url}&as=csv"))
    assert [dict(zip(head, line, strict=True)) for line in lines] == [
        {name: str(value) for name, value in row.items()} for row in rows
    ]

    head, *lines = xlsx_of(manager.get(f"{url}&as=xlsx")).values
    money = ("gross", "vat", "net")
    assert [dict(zip(head, line, strict=True)) for line in lines] == [
        {name: float(value) if name in money else value for name, value in row.items()} for row in rows
    ]


def test_a_workbook_has_numbers_where_there_are_numbers(manager, tmp_path):
    make_product(name="Bread")
    import_tickets(tmp_path, "2026-11-25 08:15 1 Bread 2 1.30")

    response = manager.get(f"/api/reports/sales?{PERIOD}&group_by=product&as=xlsx")

    assert response["Content-Type"] == XLSX
    assert response["Content-Disposition"].endswith('.xlsx"')
    cells = next(xlsx_of(response).iter_rows(min_row=2))
    assert [cell.data_type for cell in cells] == ["n", "s", "n", "n", "n", "n", "n"]
    assert cells[4].number_format == "0.00"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1+1", "=cmd|'/C calc'!A0"])
@pytest.mark.parametrize("group_by", ["product", "category"])
def test_no_cell_can_start_a_formula(manager, tmp_path, name, group_by):
    bread = make_product(name="Bread", category=make_category(name=name))
    import_tickets(tmp_path, "2026-11-25 08:15 1 Bread 2 1.30")
    bread.name = name
    bread.save()
    url = f"/api/reports/sales?{PERIOD}&group_by={group_by}"

    label = csv_of(manager.get(f"{url}&as=csv"))[1][1]
    cell = xlsx_of(manager.get(f"{url}&as=xlsx"))["B2"]

    assert label == cell.value == "'" + name
    assert cell.data_type == "s"


def test_what_a_workbook_cannot_hold_is_left_out(manager, tmp_path):
    bread = make_product(name="Bread")
    import_tickets(tmp_path, "2026-11-25 08:15 1 Bread 2 1.30")
    bread.name = "Br\x0bead"
    bread.save()

    response = manager.get(f"/api/reports/sales?{PERIOD}&group_by=product&as=xlsx")

    assert xlsx_of(response)["B2"].value == "Bread"


def test_a_file_is_given_whatever_is_accepted_and_a_refusal_is_json(manager):
    response = manager.get("/api/reports/sales?as=csv", HTTP_ACCEPT="text/csv")
    assert response["Content-Type"].startswith("text/csv")

    response = manager.get("/api/reports/sales?as=pdf", HTTP_ACCEPT="text/csv")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "as"


# The cash book by day


def today_of(entry):
    from bakery import clock

    return clock.shop_day(entry.created_at)


def test_cash_by_day(manager):
    book("12.50")
    book("3.00", method="card")
    entry = book("2.00", kind="paid_out")
    day = today_of(entry)

    response = manager.get(f"/api/reports/cash?from={day}&to={day}")

    figures = {
        "in": "15.50",
        "out": "2.00",
        "net": "13.50",
        "by_method": {"cash": "10.50", "card": "3.00", "transfer": "0.00", "voucher": "0.00"},
        "by_type": {"sale": "15.50", "refund": "0.00", "paid_in": "0.00", "paid_out": "-2.00", "bank_drop": "0.00"},
        "by_vat": [{"rate": None, "net": "15.50", "vat": "0.00", "gross": "15.50"}],
    }
    assert response.status_code == 200
    assert response.json()["data"] == {
        "from": str(day), "to": str(day), "days": [{"date": str(day), **figures}], "total": figures,
    }  # fmt: skip
    assert manager.get(f"/api/cash/summary?from={day}&to={day}").json()["data"] == response.json()["data"]


def test_cash_as_files(manager):
    entry = book("12.50")
    book("2.00", kind="refund", method="card")
    day = today_of(entry)
    url = f"/api/reports/cash?from={day}&to={day}"
    columns = ["date", "in", "out", "net", "cash", "card", "transfer", "voucher", "sale", "refund", "paid_in",
               "paid_out", "bank_drop"]  # fmt: skip
    figures = ["12.50", "2.00", "10.50", "12.50", "-2.00", "0.00", "0.00", "12.50", "-2.00", "0.00", "0.00", "0.00"]

    assert csv_of(manager.get(f"{url}&as=csv")) == [columns, [str(day), *figures]]
    assert list(xlsx_of(manager.get(f"{url}&as=xlsx")).values) == [
        tuple(columns), (str(day), *(float(Decimal(figure)) for figure in figures)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("from=2026-1-5", "invalid", "from"),
        ("from=2026-11-26&to=2026-11-25", "invalid", "from"),
        ("from=2020-01-01&to=2026-01-01", "invalid", "from"),
        ("as=ods", "invalid_choice", "as"),
        ("group_by=day", "unknown_parameter", "group_by"),
    ],
)
def test_what_cannot_be_reported_of_cash_is_refused_by_name(manager, query, code, field):
    response = manager.get(f"/api/reports/cash?{query}")

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [(code, field)]


def test_every_report_is_closed_by_its_own_permission():
    assert ReportViewSet.permissions == {
        "sales": "orders.view_sales_report",
        "cash": "cashbook.view_cash_report",
        "overrides": "orders.view_override",
    }
