"""The cash book in the back office: everything to be seen, nothing to be changed but by the service."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.tests.factories import make_user
from bakery.models import Shop
from cashbook import services
from cashbook.models import CashEntry, CashSession, Register
from cashbook.tests.factories import a_cashier, book, close_session, open_session

pytestmark = pytest.mark.django_db

ENTRIES = reverse("admin:cashbook_cashentry_changelist")


@pytest.fixture
def office(client):
    client.force_login(make_user(role="manager"))
    return client


def page(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def run_action(client, *entries, reason=""):
    return client.post(
        ENTRIES,
        {"action": "reverse", "_selected_action": [entry.pk for entry in entries], "reason": reason},
        follow=True,
    )


def test_the_list_shows_entries_and_finds_them(office):
    book("12.50", notes="<script>alert(1)</script>")
    book("3.00", "refund", "card", reference="order:77")

    shown = page(office, ENTRIES)
    assert "12.50" in shown
    assert "-3.00" in shown
    assert "<script>alert(1)" not in shown
    assert "order:77" not in page(office, f"{ENTRIES}?method__exact=cash")
    assert "12.50" not in page(office, f"{ENTRIES}?q=order:77")


def test_the_list_costs_no_more_for_many_entries(office, queries_do_not_grow):
    open_session()
    assert queries_do_not_grow(office, ENTRIES, book) <= 20


def test_entries_can_be_neither_added_changed_nor_deleted(office):
    entry = book()
    change = reverse("admin:cashbook_cashentry_change", args=[entry.pk])

    assert "3.50" in page(office, change)
    assert office.get(reverse("admin:cashbook_cashentry_add")).status_code == 403
    assert office.post(change, {"amount": "1.00"}).status_code == 403
    assert office.post(reverse("admin:cashbook_cashentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    office.post(ENTRIES, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert list(CashEntry.objects.all()) == [entry]


def test_chosen_entries_are_reversed_by_the_service(office):
    one, other = book("1.00"), book("2.00")
    shown = run_action(office, one, other, reason=" typed wrongly ").content.decode()

    assert "Entry 1 was reversed by entry 3." in shown
    assert "Entry 2 was reversed by entry 4." in shown
    reversal = CashEntry.objects.get(reversal_of=one)
    assert (reversal.notes, reversal.user.role) == ("typed wrongly", "manager")


def test_a_refused_reversal_says_why(office):
    entry = book()
    services.reverse(entry_id=entry.pk, notes="", actor=a_cashier())

    assert "Entry 1: This entry has been reversed already." in run_action(office, entry).content.decode()
    assert CashEntry.objects.count() == 2


def test_sessions_are_listed_with_their_difference(office):
    session = close_session(open_session("150.00"), "149.25")
    assert "-0.75" in page(office, reverse("admin:cashbook_cashsession_changelist"))
    change = reverse("admin:cashbook_cashsession_change", args=[session.pk])
    assert office.post(change, {"counted": "150.00"}).status_code == 403
    assert CashSession.objects.get().counted == session.counted


def test_a_register_is_added_and_labelled_but_keeps_its_name(office):
    office.post(reverse("admin:cashbook_register_add"), {"name": "stall", "label": "Stall"})
    stall = Register.objects.get(name="stall")
    change = reverse("admin:cashbook_register_change", args=[stall.pk])
    office.post(change, {"name": "kiosk", "label": "Market stall", "last_number": "9"})

    stall.refresh_from_db()
    assert (stall.name, stall.label, stall.last_number) == ("stall", "Market stall", 0)
    assert office.post(reverse("admin:cashbook_register_delete", args=[stall.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("role", ["baker", "driver"])
def test_who_may_not_see_the_cash_book_does_not(client, role):
    client.force_login(make_user(role=role))
    assert client.get(ENTRIES).status_code == 403


# The till of today

TILL = reverse("admin:cashbook_register_till", args=["main"])


@pytest.fixture
def counter(client):
    client.force_login(a_cashier())
    return client


def test_a_session_is_opened_counted_and_closed_at_the_till(counter):
    assert "No session is open" in page(counter, TILL)
    shown = counter.post(TILL, {"float": "150.00"}, follow=True).content.decode()
    assert "Session 1 is open" in shown
    book("37.00")
    shown = counter.post(
        TILL, {"session": "1", "50.00": "3", "20.00": "1", "10.00": "1", "0.50": "13", "note": "x"}, follow=True
    )

    session = CashSession.objects.get()
    assert (str(session.counted), str(session.difference), session.note) == ("186.50", "-0.50", "x")
    assert session.denominations == {"50.00": 3, "20.00": 1, "10.00": 1, "0.50": 13}
    assert session.z_report.number == 1
    assert "Session 1 is closed: -0.50 EUR off." in shown.content.decode()


def test_the_page_to_count_on_does_not_show_cashiers_what_should_be_there(counter, office):
    open_session("150.00")
    book("37.77")

    client = type(counter)()
    client.force_login(a_cashier())
    assert "187.77" not in page(client, TILL)
    client.force_login(make_user(role="manager"))
    assert "187.77" in page(client, TILL)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "Count the drawer first."),
        ({"counted": "-1"}, "The sum alone: Ensure this value is greater than or equal to 0"),
        ({"counted": "1e2"}, "The sum alone: Write an amount in digits, such as 1.50 or 1,50."),
        ({"counted": "1_50"}, "The sum alone: Write an amount in digits"),
        ({"counted": "\u0661"}, "The sum alone: Write an amount in digits"),
        ({"counted": "150.001"}, "no more than 2 decimal places"),
        ({"50.00": "1_0"}, "50.00: Enter a whole number."),
        ({"50.00": "\u0663"}, "50.00: Enter a whole number."),
        ({"counted": "150.00", "50.00": "2"}, "They add up to 100.00"),
        ({"counted": "100.00"}, "off by more than 5.00"),
    ],
)
def test_a_count_that_is_refused_says_why(counter, sent, told):
    Shop.objects.update_or_create(pk=1, defaults={"cash_difference_limit": 5})
    open_session("150.00")
    shown = counter.post(TILL, {"session": "1", "note": "", **sent}).content.decode()
    assert told in shown
    assert "__all__" not in shown
    assert CashSession.objects.get().is_open


@pytest.mark.parametrize("sent", ["", "1e2", "1_0", "\u0661", "-1", "ten"])
def test_a_float_that_is_no_amount_opens_nothing(counter, sent):
    shown = counter.post(TILL, {"float": sent}).content.decode()
    assert "Float: " in shown
    assert ">float<" not in shown
    assert not CashSession.objects.exists()


@pytest.mark.parametrize(("sent", "kept"), [("1,50", "1.50"), ("-0", "0.00")])
def test_a_float_may_be_written_with_a_decimal_comma(counter, sent, kept):
    counter.post(TILL, {"float": sent})
    assert f"{CashSession.objects.get().float_amount:.2f}" == kept


def test_a_count_closes_no_other_session_than_the_one_it_was_shown_with(counter):
    first = open_session("150.00")
    assert '<input type="hidden" name="session" value="1">' in page(counter, TILL)
    close_session(first, "150.00")
    second = open_session("20.00")

    shown = counter.post(TILL, {"session": "1", "counted": "150.00"}, follow=True).content.decode()
    assert "Session 1 is closed already; session 2 is open now. Nothing was changed." in shown
    second.refresh_from_db()
    assert second.is_open


def test_a_count_that_is_sent_twice_says_that_the_session_is_closed(counter):
    close_session(open_session("150.00"), "150.00")
    shown = counter.post(TILL, {"session": "1", "counted": "150.00"}, follow=True).content.decode()
    assert "Session 1 is closed already; no session is open now. Nothing was changed." in shown
    assert "This field is required" not in shown


def test_a_float_is_refused_where_a_session_was_opened_meanwhile(counter):
    open_session("150.00")
    shown = counter.post(TILL, {"float": "20.00"}, follow=True).content.decode()
    assert "This page was out of date; session 1 is open now. Nothing was changed." in shown
    assert CashSession.objects.get().is_open


def test_a_session_that_is_closed_in_the_same_moment_is_shown_as_closed(counter, monkeypatch):
    session = open_session("150.00")
    close = services.close_session

    def be_late(**sent):
        close(session_id=session.pk, counted=Decimal(150), note="", actor=a_cashier())
        return close(**sent)

    monkeypatch.setattr(services, "close_session", be_late)
    shown = counter.post(TILL, {"session": "1", "counted": "100.00"}, follow=True).content.decode()
    assert "Session 1 is closed already." in shown
    assert "No session is open" in shown


def test_the_till_is_for_who_may_see_sessions(client):
    client.force_login(make_user(role="baker"))
    assert client.get(TILL).status_code == 403
    client.force_login(a_cashier())
    assert client.get(reverse("admin:cashbook_register_till", args=["moon"])).status_code == 404


def test_reports_are_printed_from_the_office(office):
    session = open_session()
    paper = reverse("admin:cashbook_cashsession_paper", args=[session.pk])
    assert office.get(paper).content.startswith(b"%PDF")
    close_session(session)
    assert office.get(paper)["Content-Type"] == "application/pdf"
    assert paper in page(office, reverse("admin:cashbook_zreport_changelist"))
    assert paper in page(office, reverse("admin:cashbook_cashsession_changelist"))


def test_monthly_closings_are_listed(office):
    book("12.50", now=datetime(2026, 9, 5, tzinfo=UTC))
    services.tick(datetime(2026, 10, 2, tzinfo=UTC))
    assert "12.50" in page(office, reverse("admin:cashbook_monthlyclosing_changelist"))


@pytest.mark.parametrize("model", ["zreport", "monthlyclosing"])
def test_statements_can_be_neither_added_nor_changed(office, model):
    close_session(open_session())
    assert office.get(reverse(f"admin:cashbook_{model}_add")).status_code == 403


def test_the_list_of_registers_leads_to_the_till(office):
    assert TILL in page(office, reverse("admin:cashbook_register_changelist"))
