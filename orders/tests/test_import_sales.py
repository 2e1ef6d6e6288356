"""`manage.py import_sales`: another till's tickets, each once, all or nothing where the file is wrong."""

import gzip
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cashbook.models import CashEntry
from orders.models import Order
from orders.selectors import checks
from orders.services import importing
from products.tests.factories import make_product, make_vat_class, make_vat_rate

pytestmark = pytest.mark.django_db

HEADER = "date,time,ticket,article,quantity,unit_price"


@pytest.fixture
def bring(tmp_path):
    """Write the rows to a file, import it and return what the command says."""

    def write_and_import(*rows, header=HEADER, name="tickets.csv", encoding="utf-8", **options):
        path = tmp_path / name
        text = "\n".join([header, *rows, ""]).encode(encoding)
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        out = StringIO()
        call_command("import_sales", str(path), stdout=out, **options)
        return out.getvalue()

    return write_and_import


@pytest.fixture
def baguette():
    bread = make_vat_class(takeaway="5.50")
    make_vat_rate(vat_class=bread, rate="10.00", valid_from=date(2022, 1, 1))
    return make_product(name="BAGUETTE", price="9.99", vat_class=bread)


def test_a_ticket_becomes_a_completed_sale_at_the_files_prices(bring, baguette, api_as):
    cake = make_product(name="PLATPREPARE5,50 / S/SEL  X")

    said = bring(
        "2021-01-02,08:38,150040,BAGUETTE,2,0.90",
        '2021-01-02,08:38,150040,"PLATPREPARE5,50 / S/SEL  X",1,5.50',
        "2021-07-02,19:14:59,150041,BAGUETTE,1,0.95",
    )

    first, second = Order.objects.order_by("pk")
    assert said.startswith("2 tickets with 3 lines imported, 0 lines skipped, 0 tickets already there, ")
    assert (first.channel, first.status, first.payment_status) == ("counter", "completed", "paid")
    assert (first.total, first.paid, first.external_reference) == (
        Decimal("7.30"),
        Decimal("7.30"),
        "ticket:2021-01-02:150040",
    )
    assert (first.due_at.isoformat(), first.due_on) == ("2021-01-02T07:38:00+00:00", date(2021, 1, 2))
    assert second.due_at.isoformat() == "2021-07-02T17:14:59+00:00"
    assert list(first.items.values_list("product", "product_name", "quantity", "unit_price", "vat_rate")) == [
        (baguette.pk, "BAGUETTE", 2, Decimal("0.90"), Decimal("5.50")),
        (cake.pk, "PLATPREPARE5,50 / S/SEL  X", 1, Decimal("5.50"), Decimal("0.00")),
    ]
    assert not CashEntry.objects.exists()
    assert checks() == []
    history = api_as("cashier").get(f"/api/orders/{first.pk}/history").json()["data"]
    assert [(step["at"], step["to"], step["user"]) for step in history] == [
        ("2021-01-02T08:38:00+01:00", "completed", None),
    ]


def test_the_rate_is_that_of_the_ticket_s_day(bring, baguette):
    bring("2021-12-31,23:59,1,BAGUETTE,1,1.00", "2022-01-01,00:00,2,BAGUETTE,1,1.00")

    rates = Order.objects.order_by("pk").values_list("items__vat_rate", flat=True)
    assert list(rates) == [Decimal("5.50"), Decimal("10.00")]


def test_a_second_run_imports_nothing_twice(bring, baguette):
    rows = [f"2021-01-02,08:38,{number},BAGUETTE,1,0.90" for number in range(3)]
    bring(*rows)

    said = bring(*rows, "2021-01-03,08:38,0,BAGUETTE,1,0.90")

    assert said.startswith("1 tickets with 1 lines imported, 0 lines skipped, 3 tickets already there, ")
    assert Order.objects.count() == 4


def test_an_import_that_was_cut_short_is_completed_by_the_next(bring, baguette, monkeypatch):
    monkeypatch.setattr(importing, "TICKETS_AT_ONCE", 2)
    rows = [f"2021-01-02,08:38,{number},BAGUETTE,1,0.90" for number in range(5)]
    bring(*rows[:3])

    bring(*rows)

    assert Order.objects.count() == 5


def test_returns_may_make_a_ticket_negative(bring, baguette, api_as):
    bring("2021-01-02,08:38,1,BAGUETTE,-3,0.90", "2021-01-02,08:38,1,BAGUETTE,1,0.90")

    data = api_as("cashier").get("/api/orders").json()["data"][0]
    assert (data["total"], data["paid"], data["balance"], data["payment_status"]) == ("-1.80", "-1.80", "0.00", "paid")
    assert data["vat"] == [{"rate": "5.50", "net": "-1.71", "vat": "-0.09", "gross": "-1.80"}]
    assert api_as("cashier").get("/api/orders?payment_status=paid").json()["meta"]["pagination"]["total"] == 1
    assert checks() == []


def test_lines_of_no_account_are_skipped_and_counted(bring, baguette):
    said = bring(
        "2021-01-02,08:38,1,.,1,0.00",
        "2021-01-02,08:38,1,BAGUETTE,1,0.90",
        "2021-01-02,08:39,2,.,1,0",
        "2021-01-02,08:40,3,BAGUETTE,0,0.90",
    )

    assert said.startswith("1 tickets with 1 lines imported, 3 lines skipped, ")
    assert Order.objects.count() == 1


def test_a_product_is_found_by_its_name_whatever_its_case_or_form(bring):
    exact, folded = make_product(name="Pain"), make_product(name="PAIN")
    composed = make_product(name="Éclair")

    bring("2021-01-02,08:38,1,Pain,1,1.00", "2021-01-02,08:38,1,PAIN,1,1.00", "2021-01-02,08:38,1,E\u0301CLAIR ,1,1.00")

    found = Order.objects.get().items.values_list("product", flat=True)
    assert list(found) == [exact.pk, folded.pk, composed.pk]


def test_of_several_products_of_a_name_the_active_and_then_the_older_one_is_meant(bring):
    make_product(name="PAIN", is_active=False)
    meant = make_product(name="PAIN")
    make_product(name="PAIN")
    retired = make_product(name="COUPE", is_active=False)

    bring("2021-01-02,08:38,1,PAIN,1,1.00", "2021-01-02,08:38,1,COUPE,1,1.00")

    assert list(Order.objects.get().items.values_list("product", flat=True)) == [meant.pk, retired.pk]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2021-1-2,08:38,1,BAGUETTE,1,0.90", "line 3: the date '2021-1-2' is not YYYY-MM-DD"),
        ("2021-02-29,08:38,1,BAGUETTE,1,0.90", "line 3: the date '2021-02-29' is not YYYY-MM-DD"),
        ("0001-01-01,08:38,1,BAGUETTE,1,0.90", "line 3: the date '0001-01-01' is not YYYY-MM-DD"),
        ("2021-01-02,25:00,1,BAGUETTE,1,0.90", "line 3: the time '25:00' is not HH:MM"),
        ("2021-01-02,8h38,1,BAGUETTE,1,0.90", "line 3: the time '8h38' is not HH:MM"),
        ("2021-01-02,08:38,,BAGUETTE,1,0.90", "line 3: the ticket '' is not 1 to 40 plain characters"),
        ("2021-01-02,08:38,1,BAGUETTE,1.5,0.90", "line 3: the quantity '1.5' is not a whole number"),
        ("2021-01-02,08:38,1,BAGUETTE,1,0.905", "line 3: the unit_price '0.905' is not an amount such as 1.20"),
        ("2021-01-02,08:38,1,BAGUETTE,1,-0.90", "line 3: the unit_price '-0.90' is not an amount such as 1.20"),
        ("2021-01-02,08:38,1,BAGUETTE,999999,999999", "ticket 1 of 2021-01-02 comes to more than 99999999.99"),
        ("2021-01-02,08:38,1,BRIOCHE,1,0.90", "line 3: there is no product named 'BRIOCHE'; import or add it first"),
        ("2021-01-02,08:38,1,BAGUETTE,1", "line 3: 5 cells instead of 6"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(bring, baguette, row, problem):
    with pytest.raises(CommandError, match="Nothing was imported") as refusal:
        bring("2021-01-01,08:38,1,BAGUETTE,1,0.90", row)

    assert problem in str(refusal.value).splitlines()
    assert not Order.objects.exists()


def test_of_many_problems_the_first_are_told_and_an_article_is_told_once(bring, baguette):
    rows = [f"2021-01-02,08:38,1,UNKNOWN {number % 25},1,0.90" for number in range(100)]

    with pytest.raises(CommandError) as refusal:
        bring(*rows)

    said = str(refusal.value).splitlines()
    assert (len(said), said[-1]) == (22, "… and 5 more")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"header": "date,time,ticket,article,quantity"}, "line 1: the columns unit_price are missing"),
        ({"header": ""}, "line 1: the columns date, time, ticket, article, quantity, unit_price are missing"),
        ({"encoding": "utf-16"}, "The file cannot be read after line 0"),
    ],
)
def test_a_file_of_another_kind_is_refused(bring, options, problem):
    with pytest.raises(CommandError) as refusal:
        bring(**options)

    assert problem in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_sales", str(tmp_path / "nothing.csv"))


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "tickets.csv.gz"
    path.write_bytes(gzip.compress(HEADER.encode() * 1000)[:-9])

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_sales", str(path))


def test_columns_may_stand_in_any_order_and_the_file_be_packed(bring, baguette):
    said = bring(
        "0.90,BAGUETTE,2,1,08:38,2021-01-02",
        "",
        header="unit_price,article,quantity,ticket,time,date",
        name="tickets.csv.gz",
        encoding="utf-8-sig",
    )

    assert said.startswith("1 tickets with 1 lines imported")
    assert Order.objects.get().total == Decimal("1.80")


def test_it_can_be_quiet(bring, baguette):
    assert bring("2021-01-02,08:38,1,BAGUETTE,1,0.90", quiet=True) == ""


def test_progress_is_told(tmp_path, baguette, monkeypatch):
    monkeypatch.setattr(importing, "TICKETS_AT_ONCE", 2)
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join([HEADER, *(f"2021-01-02,08:38,{number},BAGUETTE,1,0.90" for number in range(3))]))
    told = []

    importing.import_sales(path, progress=lambda done, total: told.append((done, total)))

    assert told == [(2, 3), (3, 3)]


def test_queries_go_with_the_thousands_not_with_the_tickets(bring, baguette):
    def cost(day, tickets):
        rows = [f"2021-01-{day:02},08:38,{number},BAGUETTE,1,0.90" for number in range(tickets)]
        with CaptureQueriesContext(connection) as caught:
            bring(*rows)
        return len(caught)

    assert cost(1, 2) == cost(2, 15)
