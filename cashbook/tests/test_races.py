"""Several people at the same register at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import make_user
from cashbook import selectors, services
from cashbook.admin import RegisterAdmin
from cashbook.models import CashEntry, CashSession, Register
from cashbook.tests.factories import a_cashier, book, close_session, open_session
from tests.at_once import ON_POSTGRES, at_once, elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 8


def test_of_eight_who_close_a_session_one_does():
    session = open_session()
    book("20.00")

    assert Counter(at_once(*[lambda: close_session(session, "170.00")] * AT_ONCE)) == {"done": 1, "session_closed": 7}
    session.refresh_from_db()
    assert session.expected == 170


def test_of_eight_who_open_a_session_one_does():
    a_cashier()
    assert Counter(at_once(*[open_session] * AT_ONCE)) == {"done": 1, "already_exists": 7}
    assert CashSession.objects.get().number == 1


def test_of_eight_who_reverse_an_entry_one_does():
    entry = book()

    def reverse():
        services.reverse(entry_id=entry.pk, notes="", actor=a_cashier())

    assert Counter(at_once(*[reverse] * AT_ONCE)) == {"done": 1, "already_exists": 7}
    assert CashEntry.objects.count() == 2


def test_numbers_have_no_gaps_whoever_fails_in_between():
    a_cashier()

    @transaction.atomic
    def fail():
        book()
        raise RuntimeError

    def work():
        for number in range(6):
            if number % 3 == 2:
                with pytest.raises(RuntimeError):
                    fail()
            else:
                book()

    assert set(at_once(*[work] * AT_ONCE)) == {"done"}
    assert list(CashEntry.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 33))
    assert list(selectors.checks()) == []


def test_what_is_booked_while_a_session_closes_is_in_its_count_or_outside_of_it():
    session = open_session()
    at_once(lambda: close_session(session), *[book] * (AT_ONCE - 1))

    session.refresh_from_db()
    assert not session.is_open
    assert CashEntry.objects.count() == AT_ONCE - 1
    assert list(selectors.checks()) == []


@ON_POSTGRES
def test_what_is_booked_while_the_register_is_labelled_stays_at_the_head_of_the_book(monkeypatch):
    book()
    office, stall = Client(), Register.objects.get()
    office.force_login(make_user(role="manager"))
    read = RegisterAdmin.get_object

    def read_and_wait(*args, **kwargs):
        found = read(*args, **kwargs)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(elsewhere, book).result()
        return found

    with monkeypatch.context() as slow:
        slow.setattr(RegisterAdmin, "get_object", read_and_wait)
        office.post(reverse("admin:cashbook_register_change", args=[stall.pk]), {"label": "Stall"})

    stall.refresh_from_db()
    assert (stall.label, stall.last_number) == ("Stall", 2)
    assert book().number == 3
    assert list(selectors.checks()) == []
