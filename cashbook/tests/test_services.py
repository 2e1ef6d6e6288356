"""What the cash book does and refuses, whoever asks."""

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from bakery import clock
from bakery.errors import AlreadyExists, DomainError
from bakery.models import Shop
from cashbook import selectors, services
from cashbook.errors import SessionClosed
from cashbook.models import GENESIS, CashEntry, CashSession, EntryType, Method, Register, VatShare
from cashbook.tests.factories import a_cashier, book, close_session, open_session
from products.models import contained_vat

pytestmark = pytest.mark.django_db


def demand_sessions():
    Shop.objects.update_or_create(pk=1, defaults={"requires_cash_session": True})


@pytest.mark.parametrize(
    ("kind", "signed"),
    [("sale", "9.00"), ("paid_in", "9.00"), ("refund", "-9.00"), ("paid_out", "-9.00"), ("bank_drop", "-9.00")],
)
def test_the_type_gives_the_sign(kind, signed):
    assert book("9.00", kind).signed_amount == Decimal(signed)


def test_numbers_run_without_gaps_in_each_register():
    services.add_register(name="stall")
    found = [book(register=name) for name in ("main", "stall", "main", "main", "stall")]

    assert [entry.number for entry in found] == [1, 1, 2, 3, 2]


def test_a_refused_booking_takes_no_number():
    book()

    @transaction.atomic
    def an_order_that_fails():
        book()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        an_order_that_fails()

    assert book().number == 2
    assert list(CashEntry.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_each_entry_follows_the_one_before_and_the_register_remembers_the_last():
    first, second = book(), book("4.20", "refund", "card")

    assert first.previous_hash == GENESIS
    assert second.previous_hash == first.hash
    register = Register.objects.get(name="main")
    assert (register.last_number, register.last_hash) == (2, second.hash)


def test_bookings_leave_no_trace_in_the_registers_history():
    before = Register.history.count()
    book()
    assert Register.history.count() == before


def test_the_hash_can_be_computed_by_anyone():
    # Computed by hand, as docs/cashbook.md tells it: printf '["main",1,…]' | sha256sum
    entry = CashEntry(
        register=Register(name="main"), number=1, type="sale", amount=Decimal("12.5"), signed_amount=Decimal("12.50"),
        method="cash", notes="Crème \"brûlée\"", reference="order:7", user_id=4, previous_hash=GENESIS,
        created_at=datetime(2026, 11, 25, 7, 0, tzinfo=UTC),
    )  # fmt: skip

    assert entry.compute_hash() == "c2cb83d88caad8f8495b7521a9344dd42b16c0f7880ceae846383606d0781a36"


def test_an_amount_that_is_no_amount_is_refused():
    for amount in ("0", "-1", "0.004", "100000000"):
        with pytest.raises(DomainError):
            book(amount)
    assert not CashEntry.objects.exists()


def test_an_unknown_register_is_refused_with_the_known_ones():
    with pytest.raises(DomainError, match="known are main"):
        book(register="moon")


def test_an_entry_belongs_to_the_open_session_of_its_register():
    services.add_register(name="stall")
    session = open_session()
    inside, elsewhere = book(method="card"), book(register="stall")
    close_session(session)

    assert inside.session == session
    assert elsewhere.session is None
    assert book().session is None


def test_where_sessions_are_demanded_cash_needs_an_open_one():
    demand_sessions()
    with pytest.raises(SessionClosed):
        book(method="cash")

    assert not CashEntry.objects.exists()
    assert Register.objects.get(name="main").last_number == 0
    assert book(method="card").number == 1
    open_session()
    assert book(method="cash").number == 2


def test_where_sessions_are_demanded_a_cash_entry_is_reversed_in_an_open_one():
    demand_sessions()
    session = open_session()
    entry = book()
    close_session(session)

    with pytest.raises(SessionClosed):
        services.reverse(entry_id=entry.pk, notes="", actor=a_cashier())
    later = open_session()
    assert services.reverse(entry_id=entry.pk, notes="", actor=a_cashier()).session == later


def test_a_reversal_is_the_opposite_in_the_same_register():
    services.add_register(name="stall")
    entry = book("8.00", "refund", "card", register="stall", reference="order:7")
    reversal = services.reverse(entry_id=entry.pk, notes="typed wrongly", actor=a_cashier())

    assert (reversal.type, reversal.amount, reversal.signed_amount) == ("refund", Decimal("8.00"), Decimal("8.00"))
    assert (reversal.register.name, reversal.method, reversal.reference) == ("stall", "card", "order:7")
    assert (reversal.reversal_of, reversal.notes) == (entry, "typed wrongly")


def test_a_mistake_is_reversed_once_and_a_reversal_never():
    entry = book()
    reversal = services.reverse(entry_id=entry.pk, notes="", actor=a_cashier())

    for pk in (entry.pk, reversal.pk):
        with pytest.raises(AlreadyExists):
            services.reverse(entry_id=pk, notes="", actor=a_cashier())
    assert CashEntry.objects.count() == 2


def test_a_register_has_one_open_session():
    services.add_register(name="stall")
    open_session()
    with pytest.raises(AlreadyExists):
        open_session()

    assert open_session(register="stall").number == 1
    assert CashSession.objects.count() == 2


def test_a_second_open_session_is_refused_by_the_database_too():
    session = open_session()
    with pytest.raises(IntegrityError), transaction.atomic():
        CashSession.objects.create(
            register=session.register, number=2, float_amount=0, opened_by=a_cashier(), opened_at=session.opened_at
        )


def test_sessions_are_numbered_without_gaps():
    numbers = [close_session(open_session()).number for _ in range(3)]
    assert numbers == [1, 2, 3]


def test_a_session_is_closed_once():
    session = close_session(open_session(), "149.50")
    with pytest.raises(SessionClosed):
        close_session(session, "150.00")

    session.refresh_from_db()
    assert (session.counted, session.difference) == (Decimal("149.50"), Decimal("-0.50"))


def test_the_drawer_of_a_day_holds_what_the_book_says():
    session = open_session("150.00")
    sale = book("75.00")  # paid with 100, change 25
    book("8.00", "refund")
    book("50.00", "bank_drop")
    book("20.00", "paid_in")
    book("30.00", "sale", "card")
    book("5.00", "paid_out", "transfer")

    assert selectors.report(session).expected == Decimal("187.00")
    closed = close_session(session, "187.00")
    assert (closed.expected, closed.difference) == (Decimal("187.00"), Decimal("0.00"))
    assert selectors.report(closed).first_number == sale.number


@pytest.mark.django_db(transaction=True)
def test_ten_thousand_random_entries_add_up_to_the_cent():
    random.seed(5)
    session, cashier = open_session("0.00"), a_cashier()
    drawer = net = 0
    by_rate = Counter()

    def book_one():
        nonlocal drawer, net
        cents = random.choice([random.randint(1, 9999), random.randint(1, 9_999_999_999)])
        kind, method = random.choice(EntryType.values), random.choice(Method.values)
        amount, rate = Decimal(cents).scaleb(-2), Decimal(random.choice(["5.50", "10.00", "20.00"]))
        vat = [VatShare(rate, amount, contained_vat(amount, rate))] if kind in ("sale", "refund") else []
        entry = book(str(amount), kind, method, actor=cashier, vat=vat)
        signed = cents if kind in ("sale", "paid_in") else -cents
        assert entry.signed_amount == Decimal(signed).scaleb(-2)
        net += signed
        drawer += signed if method == "cash" else 0
        for share in vat:
            by_rate[rate] += share.vat if kind == "sale" else -share.vat

    # PostgreSQL keeps every state of a row that one transaction changes again and again: not too often in one.
    for _ in range(200):
        with transaction.atomic():
            for _ in range(50):
                book_one()

    report = selectors.report(session)
    assert report.net == Decimal(net).scaleb(-2)
    assert report.expected == Decimal(drawer).scaleb(-2)
    assert report.net == report.money_in - report.money_out == sum(report.by_type.values())
    assert {row.rate: row.vat for row in report.by_vat} == by_rate
    assert sum(row.gross for row in report.by_vat) == report.turnover == report.perpetual_total
    today = clock.today()
    assert selectors.summary(today, today).total.net == report.net
    assert list(selectors.checks()) == []
