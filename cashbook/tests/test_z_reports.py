"""What a session came to: X at any time, Z once and for good."""

from decimal import Decimal

import orjson
import pytest
import time_machine

from bakery.errors import DomainError
from bakery.models import Shop
from cashbook import selectors, services
from cashbook.models import GENESIS, CashSession, Register, VatShare, ZReport
from cashbook.tests.factories import a_cashier, book, close_session, open_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(api_as):
    return api_as(a_cashier())


def share(rate, gross, vat):
    return VatShare(Decimal(rate), Decimal(gross), Decimal(vat))


def a_day():
    """Oracle: float 150, a sale of 75 (100 tendered), 8 given back, 50 to the bank, 20 paid in: 187 in the drawer."""
    session = open_session("150.00")
    book("75.00", vat=[share("5.50", "52.75", "2.75"), share("20.00", "22.25", "3.71")])
    book("8.00", "refund", vat=[share("5.50", "8.00", "0.42")])
    book("50.00", "bank_drop")
    book("20.00", "paid_in")
    wrong = book("30.00", "sale", "card", vat=[share("20.00", "30.00", "5.00")])
    services.reverse(entry_id=wrong.pk, notes="", actor=a_cashier())
    return session


def close(session, counted="187.00", **fields):
    return services.close_session(
        session_id=session.pk, counted=Decimal(counted), note=fields.pop("note", ""), actor=a_cashier(), **fields
    )


def test_a_z_report_to_the_letter(api):
    with time_machine.travel("2026-11-25T06:00:00Z", tick=False):
        book("10.00", "sale", "card")  # before the session
        session = a_day()
    path = f"/api/cash/sessions/{session.pk}"
    x = api.get(f"{path}/report").json()["data"]
    with time_machine.travel("2026-11-25T18:00:00Z", tick=False):
        closed = api.post(
            f"{path}/close",
            {
                "counted": "186.50",
                "denominations": {"0.50": 3, "50.00": 3, "20": 1, "5.00": 3, "2": 0},
                "note": "short",
            },
        )

    assert closed.status_code == 200
    z = api.get(f"{path}/report").json()["data"]
    assert z == {
        "kind": "Z",
        "z_number": 1,
        "made_at": "2026-11-25T19:00:00+01:00",
        "session": {
            "id": session.pk,
            "number": 1,
            "register": "main",
            "opened_by": a_cashier().username,
            "opened_at": "2026-11-25T07:00:00+01:00",
            "float": "150.00",
            "closed_by": a_cashier().username,
            "closed_at": "2026-11-25T19:00:00+01:00",
            "expected": "187.00",
            "counted": "186.50",
            "difference": "-0.50",
            "note": "short",
            "denominations": {"50.00": 3, "20.00": 1, "5.00": 3, "0.50": 3},
        },
        "expected": "187.00",
        "entries": 6,
        "transactions": 3,
        "reversals": 1,
        "voided": "30.00",
        "first_number": 2,
        "last_number": 7,
        "in": "125.00",
        "out": "88.00",
        "net": "37.00",
        "turnover": "67.00",
        "by_method": {"cash": "37.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "by_type": {"sale": "75.00", "refund": "-8.00", "paid_in": "20.00", "paid_out": "0.00", "bank_drop": "-50.00"},
        "by_vat": [
            {"rate": "5.50", "net": "42.42", "vat": "2.33", "gross": "44.75"},
            {"rate": "20.00", "net": "18.54", "vat": "3.71", "gross": "22.25"},
        ],
        "sales_by_method": {"cash": "75.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "refunds_by_method": {"cash": "-8.00", "card": "0.00", "transfer": "0.00", "voucher": "0.00"},
        "perpetual_total": "77.00",
        "book_number": 7,
        "chain_head": Register.objects.get().last_hash,
    }
    # X and Z cannot drift: but for the closing itself they are the same.
    assert {**x, "kind": "Z", "z_number": 1, "made_at": z["made_at"], "session": z["session"]} == z
    assert z["session"] == closed.json()["data"]


def test_a_z_report_stays_what_it_was(api):
    session = close(a_day())
    path = f"/api/cash/sessions/{session.pk}/report"
    before = api.get(path).json()["data"]
    book("5.00")
    assert api.get(path).json()["data"] == before

    CashSession.objects.update(float_amount=1, expected=2, counted=3, note="forged", denominations={"3.00": 1})
    assert api.get(path).json()["data"] == before


def test_z_reports_are_numbered_and_chained_in_each_register():
    services.add_register(name="stall")
    for register in ("main", "stall", "main", "main"):
        close_session(open_session(register=register))

    first, second, third = ZReport.objects.filter(register__name="main").order_by("number")
    assert [z.number for z in (first, second, third)] == [1, 2, 3]
    assert ZReport.objects.get(register__name="stall").number == 1
    assert [first.previous_hash, second.previous_hash] == [GENESIS, first.hash]
    assert second.hash == second.compute_hash("main")
    main = Register.objects.get(name="main")
    assert (main.last_z_number, main.last_z_hash) == (3, third.hash)


def test_the_perpetual_total_is_never_set_back():
    totals = []
    for amount in ("10.00", "0.50", "99999999.99"):
        session = open_session()
        book(amount)
        book("0.10", "refund", "card")
        close(session)
        book("1.00")  # between two sessions: it counts in the next total
        totals.append(session.z_report.figures["perpetual_total"])

    assert totals == ["9.90", "11.30", "100000012.19"]
    assert list(selectors.checks()) == []


def test_a_z_report_names_people_by_their_ids():
    session = close(a_day())
    assert session.z_report.figures["closed_by"] == a_cashier().pk
    assert a_cashier().username not in session.z_report.content


def test_a_session_without_an_entry_has_its_report():
    book("3.00")
    session = close(open_session(), "150.00")
    figures = orjson.loads(session.z_report.content)

    assert (figures["entries"], figures["first_number"], figures["expected"]) == (0, None, "150.00")
    assert figures["chain_head"] == Register.objects.get().last_hash
    assert list(selectors.checks()) == []


# The count


@pytest.mark.parametrize(
    ("denominations", "field", "code"),
    [
        ({"50.00": 3}, "denominations", "invalid"),
        ({"50.00": 3, "50": 1}, "denominations", "duplicate"),
        ({"x": 1}, "denominations.x", "invalid"),
        ({"0": 1}, "denominations.0", "min_value"),
        ({"50.00": -1}, "denominations.50.00", "min_value"),
        ({"50.00": "3"}, "denominations.50.00", "invalid"),
        ([1], "denominations", "not_a_dict"),
        ({f"{n}.00": 0 for n in range(1, 42)}, "denominations", "max_length"),
    ],
)
def test_a_count_that_does_not_add_up_closes_nothing(api, denominations, field, code):
    session = open_session("150.00")
    response = api.post(f"/api/cash/sessions/{session.pk}/close", {"counted": "200.00", "denominations": denominations})

    assert response.status_code == 400
    assert (response.json()["errors"][0]["field"], response.json()["errors"][0]["code"]) == (field, code)
    session.refresh_from_db()
    assert session.is_open
    assert not ZReport.objects.exists()


def test_a_count_is_kept(api):
    session = open_session("150.00")
    body = {"counted": "150.00", "denominations": {"50.00": 2, "20.00": 2, "0.05": 200}}
    shown = api.post(f"/api/cash/sessions/{session.pk}/close", body).json()["data"]
    assert list(shown["denominations"].items()) == [("50.00", 2), ("20.00", 2), ("0.05", 200)]


@pytest.mark.parametrize(
    ("limit", "counted", "note", "allowed"),
    [
        (None, "0.00", "", True),
        ("2.00", "148.00", "", True),
        ("2.00", "152.00", "", True),
        ("2.00", "147.99", "", False),
        ("2.00", "152.01", " ", False),
        ("2.00", "100.00", "A till roll was jammed.", True),
        ("0.00", "150.01", "", False),
        ("0.00", "150.00", "", True),
    ],
)
def test_a_large_difference_needs_a_note(api, limit, counted, note, allowed):
    Shop.objects.update_or_create(pk=1, defaults={"cash_difference_limit": limit})
    session = open_session("150.00")
    response = api.post(f"/api/cash/sessions/{session.pk}/close", {"counted": counted, "note": note})

    session.refresh_from_db()
    assert session.is_open is not allowed
    if not allowed:
        error = response.json()["errors"][0]
        assert (response.status_code, error["field"], error["code"]) == (400, "note", "required")


# VAT of entries


def test_vat_that_does_not_add_up_is_refused():
    for vat in (
        [share("7", "9.99", "0.65")],
        [share("7", "5.00", "0.33"), share("7", "5.00", "0.33")],
        [share("101", "10.00", "1.00")],
    ):
        with pytest.raises(DomainError):
            book("10.00", vat=vat)
    with pytest.raises(DomainError):
        book("10.00", "bank_drop", vat=[share("7", "10.00", "0.65")])
    assert Register.objects.get().last_number == 0


def test_an_entry_may_say_what_vat_it_contains(api):
    body = {"type": "sale", "amount": "1.65", "method": "cash", "vat": [{"rate": "7.00", "gross": "1.65"}]}
    data = api.post("/api/cash", body).json()["data"]
    # 3 × 0.55: on the sum it is 0.11, where line by line it would be 0.12.
    assert data["vat"] == [{"rate": "7.00", "net": "1.54", "vat": "0.11", "gross": "1.65"}]

    wrong = api.post("/api/cash", {**body, "vat": [{"rate": "7.00", "gross": "1.64"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "vat")
    wrong = api.post("/api/cash", {**body, "vat": [{"rate": "7.005", "gross": "1.65"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "vat.0.rate")


def test_a_reversal_takes_its_vat_back():
    session = open_session()
    entry = book("12.00", vat=[share("20", "12.00", "2.00")])
    reversal = services.reverse(entry_id=entry.pk, notes="", actor=a_cashier())

    assert reversal.vat == entry.vat == "20.00:12.00:2.00"
    rate = selectors.report(session).by_vat[0]
    assert (rate.gross, rate.vat) == (0, 0)


def test_the_summary_adds_up_vat_by_day_and_rate(api):
    with time_machine.travel("2026-11-24T10:00:00Z", tick=False):
        book("12.00", vat=[share("20", "12.00", "2.00")])
        book("12.00", vat=[share("20", "12.00", "2.00")])
        book("1.00", "refund", vat=[share("5.5", "1.00", "0.05")])
        book("4.00")
        book("4.00", "paid_in")
    days = api.get("/api/cash/summary?from=2026-11-24&to=2026-11-25").json()["data"]["days"]

    assert days[0]["by_vat"] == [
        {"rate": "5.50", "net": "-0.95", "vat": "-0.05", "gross": "-1.00"},
        {"rate": "20.00", "net": "20.00", "vat": "4.00", "gross": "24.00"},
        {"rate": None, "net": "4.00", "vat": "0.00", "gross": "4.00"},
    ]
    assert days[1]["by_vat"] == []
