"""The cash book over HTTP, to the letter."""

from decimal import Decimal

import pytest
import time_machine

from accounts.models import User
from bakery.models import Shop
from cashbook import services
from cashbook.models import CashEntry, CashSession, Register
from cashbook.tests.factories import a_cashier, book, close_session, open_session

pytestmark = pytest.mark.django_db

SALE = {"type": "sale", "amount": "12.50", "method": "cash", "notes": ""}


@pytest.fixture
def api(api_as):
    return api_as(a_cashier())


def refusal(response):
    body = response.json()
    assert body["data"] is None
    return response.status_code, {(error["field"], error["code"]) for error in body["errors"]}


@time_machine.travel("2026-11-25T07:00:00.250Z", tick=False)
def test_an_entry_is_booked_and_read(api):
    response = api.post("/api/cash", SALE)

    assert response.status_code == 201
    entry = CashEntry.objects.get()
    assert response["Location"] == f"/api/cash/{entry.pk}"
    assert response.json() == {
        "success": True,
        "message": "",
        "data": {
            "id": entry.pk,
            "number": 1,
            "type": "sale",
            "amount": "12.50",
            "signed_amount": "12.50",
            "method": "cash",
            "notes": "",
            "reference": "",
            "register": "main",
            "session": None,
            "reversal_of": None,
            "user": a_cashier().username,
            "created_at": "2026-11-25T08:00:00.250000+01:00",
            "hash": entry.hash,
            "vat": [],
            "signature": "",
        },
        "errors": [],
        "meta": {},
    }
    assert api.get(response["Location"]).json() == response.json()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"type": None}, "type", "null"),
        ({"type": "theft"}, "type", "invalid_choice"),
        ({"method": "cheque"}, "method", "invalid_choice"),
        ({"amount": "0"}, "amount", "min_value"),
        ({"amount": "0.00"}, "amount", "min_value"),
        ({"amount": "-1.00"}, "amount", "min_value"),
        ({"amount": "1.005"}, "amount", "max_decimal_places"),
        ({"amount": "100000000.00"}, "amount", "max_digits"),
        ({"amount": "1E5"}, "amount", "invalid"),
        ({"amount": True}, "amount", "invalid"),
        ({"notes": "x" * 2001}, "notes", "max_length"),
        ({"notes": "a\x00b"}, "notes", "control_character"),
        ({"register": "moon"}, "register", "does_not_exist"),
        ({"register": 1}, "register", "invalid"),
    ],
)
def test_a_bad_entry_names_its_field_and_books_nothing(api, change, field, code):
    assert refusal(api.post("/api/cash", SALE | change)) == (400, {(field, code)})
    assert not CashEntry.objects.exists()


def test_what_is_missing_is_named(api):
    assert refusal(api.post("/api/cash", {})) == (
        400,
        {("type", "required"), ("amount", "required"), ("method", "required")},
    )


def test_what_a_client_may_not_set_is_ignored(api):
    sent = SALE | {"number": 9, "signed_amount": "-1.00", "reference": "order:7", "hash": "x", "user": 1, "id": 7}
    data = api.post("/api/cash", sent).json()["data"]
    assert (data["number"], data["signed_amount"], data["reference"]) == (1, "12.50", "")


def test_the_same_key_books_once(api):
    first = api.post("/api/cash", SALE, headers={"Idempotency-Key": "k1"})
    again = api.post("/api/cash", SALE, headers={"Idempotency-Key": "k1"})
    other = api.post("/api/cash", SALE | {"amount": "1.00"}, headers={"Idempotency-Key": "k1"})

    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert refusal(other) == (409, {(None, "idempotency_mismatch")})
    assert CashEntry.objects.count() == 1


def test_the_same_key_opens_and_closes_a_session_once(api):
    """Whoever sends again after the line was cut is told what became of it, and not that somebody was quicker."""
    opened = [api.post("/api/cash/sessions", {"float": "5.00"}, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    url, counted = f"{opened[0]['Location']}/close", {"counted": "5.00"}
    closed = [api.post(url, counted, headers={"Idempotency-Key": "k2"}) for _ in range(2)]

    assert [response.status_code for response in opened + closed] == [201, 201, 200, 200]
    for first, again in (opened, closed):
        assert again["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
    assert opened[1]["Location"] == opened[0]["Location"]
    assert refusal(api.post(url, counted, headers={"Idempotency-Key": "k3"})) == (409, {(None, "session_closed")})
    assert CashSession.objects.count() == 1


def test_a_blank_reference_is_refused(api):
    book()
    for blank in ("", "%20", "%E2%80%8B"):
        response = api.get(f"/api/cash?reference={blank}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "reference")


def test_an_entry_can_only_be_read(api):
    path = f"/api/cash/{book().pk}"
    for method in (api.put, api.patch, api.delete):
        assert refusal(method(path, SALE)) == (405, {(None, "method_not_allowed")})


@pytest.mark.parametrize("path", ["/api/cash/999999", "/api/cash/99999999999999999999", "/api/cash/x", "/api/cash/-1"])
def test_an_entry_that_is_not_there_is_404(api, path):
    assert refusal(api.get(path)) == (404, {(None, "not_found")})
    assert refusal(api.post(f"{path}/reverse", {})) == (404, {(None, "not_found")})


def test_an_entry_is_reversed_once(api):
    entry = book("12.50", reference="order:7")
    response = api.post(f"/api/cash/{entry.pk}/reverse", {"notes": "typed wrongly"})

    assert response.status_code == 201
    data = response.json()["data"]
    assert response["Location"] == f"/api/cash/{data['id']}"
    assert {name: data[name] for name in ("number", "type", "amount", "signed_amount", "notes", "reference")} == {
        "number": 2, "type": "sale", "amount": "12.50", "signed_amount": "-12.50", "notes": "typed wrongly",
        "reference": "order:7",
    }  # fmt: skip
    assert data["reversal_of"] == entry.pk
    for pk in (entry.pk, data["id"]):
        assert refusal(api.post(f"/api/cash/{pk}/reverse", {})) == (409, {("reversal_of", "already_exists")})
    assert CashEntry.objects.count() == 2


def test_cash_without_a_session_is_refused_where_the_shop_demands_one(api):
    Shop.objects.update_or_create(pk=1, defaults={"requires_cash_session": True})

    assert refusal(api.post("/api/cash", SALE)) == (409, {(None, "session_closed")})
    assert not CashEntry.objects.exists()
    assert api.post("/api/cash", SALE | {"method": "card"}).status_code == 201


# Lists


@pytest.fixture
def book_of_three(db):
    """A sale in a session, then after it a refund by card of an order, then a drop at the stall; in three days."""
    services.add_register(name="stall")
    with time_machine.travel("2026-11-23T22:59:59Z", tick=False):
        session = open_session()
        first = book("1.00")
        close_session(session)
    with time_machine.travel("2026-11-23T23:00:00Z", tick=False):
        second = book("2.00", "refund", "card", reference="order:7")
    with time_machine.travel("2026-11-24T23:00:00Z", tick=False):
        third = book("3.00", "bank_drop", register="stall")
    return {"session": session.pk, 1: first.pk, 2: second.pk, 3: third.pk}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [3, 2, 1]),
        ("type=sale", [1]),
        ("method=card", [2]),
        ("method=cash", [3, 1]),
        ("session={session}", [1]),
        ("session=999999", []),
        ("from=2026-11-24", [3, 2]),
        ("to=2026-11-23", [1]),
        ("from=2026-11-24&to=2026-11-24", [2]),
        ("reference=order:7", [2]),
        ("reference=order:70", []),
        ("register=stall", [3]),
        ("ordering=amount", [1, 2, 3]),
        ("ordering=-created_at", [3, 2, 1]),
        ("page_size=1&page=2", [2]),
    ],
)
def test_the_book_is_listed_newest_first_and_filtered(api, book_of_three, query, found):
    response = api.get(f"/api/cash?{query.format(session=book_of_three['session'])}")
    assert response.status_code == 200
    assert [entry["id"] for entry in response.json()["data"]] == [book_of_three[number] for number in found]
    assert set(response.json()["meta"]["pagination"]) == {"page", "page_size", "total", "pages", "next", "previous"}


@pytest.mark.parametrize(
    "query",
    [
        "type=theft", "method=", "session=x", "session=1.0", "from=2026-1-5", "from=20260105", "to=9999-12-31",
        "to=0001-01-01", "register=moon", "register=%00", "colour=red", "ordering=hash", "reference=%00",
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(api, query):
    status, problems = refusal(api.get(f"/api/cash?{query}"))
    assert (status, {field for field, _ in problems}) == (400, {query.partition("=")[0]})


def test_a_long_book_costs_no_more_queries(api, queries_do_not_grow):
    session = open_session()
    assert queries_do_not_grow(api, "/api/cash", book) <= 5
    close_session(session)
    assert queries_do_not_grow(api, "/api/cash/sessions", lambda: close_session(open_session())) <= 5


# Sessions and registers


@time_machine.travel("2026-11-25T07:00:00Z", tick=False)
def test_a_session_is_opened_counted_and_closed(api):
    who = a_cashier().username
    opened = api.post("/api/cash/sessions", {"float": "150.00"})
    session = CashSession.objects.get()
    as_opened = {
        "id": session.pk,
        "number": 1,
        "register": "main",
        "opened_by": who,
        "opened_at": "2026-11-25T08:00:00+01:00",
        "float": "150.00",
        "closed_by": None,
        "closed_at": None,
        "expected": None,
        "counted": None,
        "difference": None,
        "note": "",
        "denominations": {},
    }
    assert (opened.status_code, opened.json()["data"]) == (201, as_opened)
    assert opened["Location"] == f"/api/cash/sessions/{session.pk}"
    assert api.get("/api/cash/sessions/current").json()["data"] == as_opened
    assert api.get(opened["Location"]).json()["data"] == as_opened
    assert api.get("/api/cash/sessions").json()["data"] == [as_opened]

    for amount, kind in (("75.00", "sale"), ("8.00", "refund"), ("50.00", "bank_drop"), ("20.00", "paid_in")):
        book(amount, kind)
    closed = api.post(f"/api/cash/sessions/{session.pk}/close", {"counted": "186.50", "note": "50 cents short"})
    assert closed.status_code == 200
    assert closed.json()["data"] == as_opened | {
        "closed_by": who,
        "closed_at": "2026-11-25T08:00:00+01:00",
        "expected": "187.00",
        "counted": "186.50",
        "difference": "-0.50",
        "note": "50 cents short",
    }
    again = api.post(f"/api/cash/sessions/{session.pk}/close", {"counted": "187.00"})
    assert refusal(again) == (409, {(None, "session_closed")})
    assert refusal(api.get("/api/cash/sessions/current")) == (404, {(None, "not_found")})


def test_a_register_has_one_open_session(api):
    open_session()
    assert refusal(api.post("/api/cash/sessions", {"float": "1.00"})) == (409, {("register", "already_exists")})
    assert CashSession.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "float", "required"),
        ({"float": "-1"}, "float", "min_value"),
        ({"float": "x"}, "float", "invalid"),
        ({"float": "1.00", "register": "moon"}, "register", "does_not_exist"),
    ],
)
def test_a_bad_opening_is_refused(api, body, field, code):
    assert refusal(api.post("/api/cash/sessions", body)) == (400, {(field, code)})
    assert not CashSession.objects.exists()


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "counted", "required"),
        ({"counted": "-0.01"}, "counted", "min_value"),
        ({"counted": None}, "counted", "null"),
        ({"counted": "1.00", "note": "x" * 2001}, "note", "max_length"),
    ],
)
def test_a_bad_closing_is_refused_and_closes_nothing(api, body, field, code):
    session = open_session()
    assert refusal(api.post(f"/api/cash/sessions/{session.pk}/close", body)) == (400, {(field, code)})
    session.refresh_from_db()
    assert session.is_open


def test_a_session_that_is_not_there_is_404(api):
    for path in ("", "/report"):
        assert api.get(f"/api/cash/sessions/999{path}").status_code == 404
    assert api.post("/api/cash/sessions/999/close", {"counted": "1.00"}).status_code == 404


def test_the_current_session_is_that_of_the_register_asked_for(api):
    services.add_register(name="stall")
    session = open_session(register="stall")

    assert refusal(api.get("/api/cash/sessions/current")) == (404, {(None, "not_found")})
    assert api.get("/api/cash/sessions/current?register=stall").json()["data"]["id"] == session.pk
    assert [s["id"] for s in api.get("/api/cash/sessions?register=stall").json()["data"]] == [session.pk]
    assert api.get("/api/cash/sessions?register=main").json()["data"] == []
    assert refusal(api.get("/api/cash/sessions/current?register=moon")) == (400, {("register", "does_not_exist")})


def test_an_x_report_says_what_the_drawer_should_hold_and_changes_nothing(api):
    book("999.00")  # before the session
    session = open_session("150.00")
    entries = [book("75.00"), book("30.00", "sale", "card"), book("8.00", "refund"), book("50.00", "bank_drop")]
    services.reverse(entry_id=entries[1].pk, notes="", actor=a_cashier())
    before = list(CashSession.objects.values_list())

    with time_machine.travel("2026-11-25T17:00:00Z", tick=False):
        report = api.get(f"/api/cash/sessions/{session.pk}/report").json()["data"]

    assert list(CashSession.objects.values_list()) == before
    assert report == {
        "kind": "X",
        "z_number": None,
        "made_at": "2026-11-25T18:00:00+01:00",
        "session": api.get("/api/cash/sessions/current").json()["data"],
        "expected": "167.00",
        "entries": 5,
        "transactions": 3,
        "reversals": 1,
        "voided": "30.00",
        "turnover": "67.00",
        "sales_by_method": {"cash": "75.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "refunds_by_method": {"cash": "-8.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "perpetual_total": "1066.00",
        "book_number": 6,
        "first_number": 2,
        "last_number": 6,
        "chain_head": Register.objects.get().last_hash,
        "in": "105.00",
        "out": "88.00",
        "net": "17.00",
        "by_method": {"cash": "17.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "by_type": {"sale": "75.00", "refund": "-8.00", "paid_in": "0.00", "paid_out": "0.00", "bank_drop": "-50.00"},
        "by_vat": [{"rate": None, "net": "67.00", "vat": "0.00", "gross": "67.00"}],
    }


def test_the_report_of_a_fresh_session_expects_its_float(api):
    report = api.get(f"/api/cash/sessions/{open_session('150.00').pk}/report").json()["data"]
    assert (report["expected"], report["entries"], report["last_number"], report["chain_head"]) == (
        "150.00",
        0,
        None,
        "",
    )


def test_sums_may_be_larger_than_an_amount(api):
    session = open_session("99999999.99")
    for _ in range(2):
        book("99999999.99")

    assert api.get(f"/api/cash/sessions/{session.pk}/report").json()["data"]["expected"] == "299999999.97"
    closed = api.post(f"/api/cash/sessions/{session.pk}/close", {"counted": "0"}).json()["data"]
    assert (closed["expected"], closed["difference"]) == ("299999999.97", "-299999999.97")
    assert api.get("/api/cash/summary").json()["data"]["total"]["net"] == "199999999.98"


def test_registers_are_listed_and_added_by_managers(api_as):
    api = api_as("manager")
    added = api.post("/api/cash/registers", {"name": "stall", "label": "Market stall"})

    assert added.status_code == 201
    stall = Register.objects.get(name="stall")
    assert added.json()["data"] == {"id": stall.pk, "name": "stall", "label": "Market stall"}
    assert [register["name"] for register in api.get("/api/cash/registers").json()["data"]] == ["main", "stall"]
    assert stall.history.get().history_user == User.objects.get(role="manager")
    assert refusal(api.post("/api/cash/registers", {"name": "stall"})) == (409, {("name", "already_exists")})
    assert refusal(api.post("/api/cash/registers", {"name": "a b"})) == (400, {("name", "invalid")})
    assert Register.objects.count() == 2


def test_a_register_counts_for_itself(api_as):
    services.add_register(name="stall")
    book()
    entry = api_as("manager").post("/api/cash", SALE | {"register": "stall"}).json()["data"]
    assert (entry["number"], entry["register"], Decimal(entry["amount"])) == (1, "stall", Decimal("12.50"))
