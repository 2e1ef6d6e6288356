"""Whoever goes round the triggers is found out."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.tests.factories import make_user
from bakery.db import drop_triggers
from cashbook import services
from cashbook.models import GENESIS, CashEntry, CashSession, Register, VatShare, ZReport
from cashbook.tests.factories import a_cashier, book, close_session, open_session

pytestmark = pytest.mark.django_db

TABLE = CashEntry._meta.db_table


def verify(*days):
    """Return what the command prints, and whether it ends well."""
    out = StringIO()
    try:
        call_command("verify_cashbook", *days, stdout=out)
    except CommandError:
        return out.getvalue().splitlines(), False
    return out.getvalue().splitlines(), True


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def ledger(db):
    """Twelve entries of the main register in two sessions, of which 5 reverses 2, and three of the stall."""
    services.add_register(name="stall")
    first = open_session()
    entries = [
        book(
            f"{n}.00", notes=f"no. {n}", reference=f"order:{n}", vat=[VatShare(Decimal(7), Decimal(n), Decimal("0.05"))]
        )
        for n in range(1, 5)
    ]
    services.reverse(entry_id=entries[1].pk, notes="", actor=a_cashier())
    close_session(first)
    open_session()
    for kind in ("refund", "paid_in", "paid_out", "bank_drop", "sale"):
        book("3.20", kind)
    book("4.00", "sale", "card")
    book("0.05")
    open_session(register="stall")
    for _ in range(3):
        book(register="stall")
    assert verify() == (["The cash book is as it was written."], True)
    drop_triggers()


def id_of(number, register="main"):
    return CashEntry.objects.values_list("pk", flat=True).get(number=number, register__name=register)


EDITS = {
    "type": "type = 'paid_in'",
    "amount": "amount = amount + 1",
    "amount by a cent": "amount = amount + 0.01",
    "signed amount": "signed_amount = signed_amount - 1",
    "both amounts": "amount = amount + 1, signed_amount = signed_amount + 1",
    "sign": "signed_amount = -signed_amount",
    "method": "method = 'card'",
    "notes": "notes = notes || ' '",
    "reference": "reference = ''",
    "session": "session_id = NULL",
    "session of another register": "session_id = (SELECT id FROM cashbook_cashsession WHERE register_id <> "
    f"{TABLE}.register_id)",
    "reversal": f"reversal_of_id = (SELECT id FROM {TABLE} o WHERE o.number = 1 ORDER BY id LIMIT 1)",
    "reversal in another register": f"reversal_of_id = (SELECT id FROM {TABLE} o WHERE o.number = 1 ORDER BY id DESC "
    "LIMIT 1)",
    "user": "user_id = (SELECT max(id) FROM accounts_user)",
    "previous hash": "previous_hash = hash",
    "hash": "hash = previous_hash",
    "vat": "vat = '7.00:3.00:0.04'",
    "signature": "signature = 'x'",
}


@pytest.mark.parametrize("name", EDITS)
def test_a_changed_field_is_found_and_its_entry_named(ledger, name):
    make_user()
    sql(f"UPDATE {TABLE} SET {EDITS[name]} WHERE id = %s", id_of(3))
    lines, fine = verify()

    assert not fine
    assert [line for line in lines if line.startswith("main 3:")], lines


def test_a_changed_time_is_found(ledger):
    entry = CashEntry.objects.get(pk=id_of(3))
    sql(f"UPDATE {TABLE} SET created_at = %s WHERE id = %s", str(entry.created_at.replace(year=2025)), entry.pk)
    lines, fine = verify()

    assert (len(lines), fine) == (1, False)
    assert lines[0].startswith("main 3:")


@pytest.mark.parametrize("microseconds", [0, 100_000, 123_000, 123_400, 123_456, 1])
def test_an_instant_of_any_fraction_is_sound(db, microseconds):
    book(now=datetime(2026, 11, 25, 7, 0, 0, microseconds, tzinfo=UTC))
    assert verify()[1]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps two decimals and refuses other kinds")
@pytest.mark.parametrize(
    "edit",
    [
        "amount = amount + 0.001, signed_amount = signed_amount + 0.001",
        "amount = 'abc', signed_amount = 'abc'",
        "created_at = 'yesterday'",
        "created_at = 7",
        "notes = x'ff00'",
        "number = 2.5",
        "number = 'three'",
        "session_id = 99999",
        "register_id = 99999",
    ],
)
def test_what_no_column_should_hold_is_found_too(ledger, edit):
    pk = id_of(3)
    connection.cursor().execute("PRAGMA ignore_check_constraints = ON")
    try:
        with transaction.atomic():
            sql(f"UPDATE {TABLE} SET {edit} WHERE id = %s", pk)
            lines, fine = verify()
            transaction.set_rollback(True)
    finally:
        connection.cursor().execute("PRAGMA ignore_check_constraints = OFF")

    assert not fine
    assert [line for line in lines if "main 3" in line], lines


def test_a_deleted_entry_is_named(ledger):
    sql(f"DELETE FROM {TABLE} WHERE id = %s", id_of(4))
    assert [line for line in verify()[0] if line.startswith("main 4: missing")]


def test_two_deleted_entries_are_named(ledger):
    sql(f"DELETE FROM {TABLE} WHERE id IN (%s, %s)", id_of(7), id_of(8))
    assert [line for line in verify()[0] if line.startswith("main 7 to 8: missing")]


def test_the_first_entry_is_missed(ledger):
    sql(f"DELETE FROM {TABLE} WHERE id = %s", id_of(1))
    assert [line for line in verify()[0] if line.startswith("main 1: missing")]


def test_a_tail_that_was_cut_off_is_named(ledger):
    sql(f"DELETE FROM {TABLE} WHERE id IN (%s, %s)", id_of(11), id_of(12))
    assert [line for line in verify()[0] if line.startswith("main 11 to 12: cut off")]


def test_a_book_that_was_emptied_is_missed(ledger):
    sql(f"DELETE FROM {TABLE} WHERE register_id = (SELECT id FROM cashbook_register WHERE name = 'stall')")
    assert verify()[0] == ["stall 1 to 3: missing, the register remembers them."]


def test_two_entries_that_changed_places_are_named(ledger):
    one, other = id_of(6), id_of(9)
    for number, pk in ((100, one), (6, other), (9, one)):
        sql(f"UPDATE {TABLE} SET number = %s WHERE id = %s", number, pk)
    lines = verify()[0]

    assert [line for line in lines if line.startswith("main 6:")]
    assert [line for line in lines if line.startswith("main 9:")]


def test_an_entry_that_was_slipped_in_is_named(ledger):
    newest = CashEntry.objects.get(pk=id_of(12))
    forged = CashEntry.objects.get(pk=newest.pk)
    forged.pk, forged.number, forged.previous_hash = None, 13, newest.hash
    forged.hash = forged.compute_hash()
    forged.save(force_insert=True)

    assert verify()[0] == ["main 13: the register knows nothing of them."]


def test_an_entry_whose_hash_was_made_anew_does_not_fit_the_next(ledger):
    entry = CashEntry.objects.get(pk=id_of(3))
    entry.notes = "forged"
    sql(f"UPDATE {TABLE} SET notes = %s, hash = %s WHERE id = %s", entry.notes, entry.compute_hash(), entry.pk)

    assert verify()[0] == ["main 4: it does not follow from the entry before it."]


def test_the_last_entry_with_a_hash_made_anew_is_not_the_one_that_was(ledger):
    entry = CashEntry.objects.get(pk=id_of(12))
    entry.notes = "forged"
    sql(f"UPDATE {TABLE} SET notes = %s, hash = %s WHERE id = %s", entry.notes, entry.compute_hash(), entry.pk)

    assert verify()[0] == ["main 12: it is not the last entry that the register remembers."]


def test_a_sign_that_was_turned_with_its_hash_is_found(ledger):
    entry = CashEntry.objects.get(pk=id_of(12))
    entry.signed_amount = -entry.signed_amount
    sql(f"UPDATE {TABLE} SET signed_amount = -signed_amount, hash = %s WHERE id = %s", entry.compute_hash(), entry.pk)

    assert [line for line in verify()[0] if line.startswith("main 12: its sign")]


def test_a_register_that_forgot_its_head_is_found(ledger):
    Register.objects.filter(name="stall").update(last_number=2)
    assert verify()[0] == ["stall 3: the register knows nothing of them."]


def test_a_renamed_register_breaks_its_chain(ledger):
    Register.objects.filter(name="stall").update(name="kiosk")
    assert [line[:8] for line in verify()[0]] == ["kiosk 1:", "kiosk 2:", "kiosk 3:"]


def test_a_session_whose_float_was_changed_is_found(ledger):
    CashSession.objects.filter(number=1, register__name="main").update(float_amount=140)
    assert verify()[0] == ["Z report main 1: expected is 158.00 in it, but the book gives 148.00."]


def test_a_session_from_before_there_were_z_reports_is_added_up_all_the_same(ledger):
    ZReport.objects.all().delete()
    Register.objects.update(last_z_number=0, last_z_hash=GENESIS)
    assert verify()[1]

    CashSession.objects.filter(number=1, register__name="main").update(float_amount=140)
    assert verify()[0] == ["session main 1: 158.00 was expected at its close, but its entries make 148.00."]


def test_a_session_that_was_taken_out_is_missed(ledger):
    CashSession.objects.filter(number=2, register__name="main").update(number=3)
    assert "session main 3: the one before it is missing." in verify()[0]


COLUMNS = list(EDITS.values())


def edit(number, newest):
    """Tamper with the entry `number` in one random way; return the names that may be told of it."""
    pk, name = id_of(number), f"main {number}"
    kind = random.choice(["field", "delete", "insert", "swap", "cut"])
    if kind == "field":
        sql(f"UPDATE {TABLE} SET {random.choice(COLUMNS)} WHERE id = %s", pk)
        return {name}
    if kind == "insert":
        for shift in (1000, -999):
            sql(f"UPDATE {TABLE} SET number = number + %s WHERE number >= %s AND register_id = (SELECT id FROM "
                "cashbook_register WHERE name = 'main')", shift, number)  # fmt: skip
        forged = CashEntry.objects.get(pk=pk)
        forged.pk, forged.number, forged.reversal_of, forged.notes = None, number, None, "forged"
        forged.hash = forged.compute_hash()
        forged.save(force_insert=True)
        return {f"main {number + 1}"}  # a well made forgery fits what is before it: the next one does not follow
    if kind == "delete":
        sql(f"DELETE FROM {TABLE} WHERE id = %s", pk)
        return {name}
    if kind == "cut":
        sql(f"DELETE FROM {TABLE} WHERE number >= %s AND register_id = (SELECT id FROM cashbook_register "
            "WHERE name = 'main')", number)  # fmt: skip
        return {name}
    other = random.choice([n for n in range(1, newest + 1) if n != number])
    other_pk = id_of(other)
    for new, key in ((1000, pk), (number, other_pk), (other, pk)):
        sql(f"UPDATE {TABLE} SET number = %s WHERE id = %s", new, key)
    return {name, f"main {other}"}


STATEMENTS = {
    "content": "content = replace(content, '158.00', '159.00')",
    "content that is no JSON": "content = 'x'",
    "content without its figures": "content = '{}'",
    "number": "number = 7",
    "session": "session_id = (SELECT max(id) FROM cashbook_cashsession)",
    "created_at": "created_at = '2020-01-01 00:00:00+00:00'",
    "previous hash": "previous_hash = hash",
    "hash": "hash = previous_hash",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_changed_z_report_is_named(ledger, name):
    close_session(CashSession.objects.get(number=2, register__name="main"))
    changed = ZReport.objects.get(session__number=1, register__name="main")
    if name == "session":
        open_session()
    sql(f"UPDATE cashbook_zreport SET {STATEMENTS[name]} WHERE id = %s", changed.pk)

    assert [line for line in verify()[0] if line.startswith(f"Z report main {7 if name == 'number' else 1}: ")]


def test_a_z_report_that_was_written_anew_does_not_fit_the_next(ledger):
    session = CashSession.objects.get(number=2, register__name="main")
    close_session(session)
    z = ZReport.objects.get(session__number=1, register__name="main")
    z.content = z.content.replace('"counted":"150.00"', '"counted":"149.00"')
    sql("UPDATE cashbook_zreport SET content = %s, hash = %s WHERE id = %s", z.content, z.compute_hash("main"), z.pk)

    lines = verify()[0]
    assert lines[0].startswith("Z report main 1: counted is 149.00 in it, but the book gives 150.00")
    assert "Z report main 2: it does not follow from the one before it." in lines


def test_a_z_report_that_is_gone_is_missed(ledger):
    last = CashSession.objects.get(number=2, register__name="main")
    close_session(last)
    sql("DELETE FROM cashbook_zreport WHERE session_id = %s", last.pk)
    assert verify()[0] == [
        "session main 2: its Z report is missing.",
        "Z report main 2: cut off, the register remembers it.",
    ]
    sql("DELETE FROM cashbook_zreport")
    assert verify()[0] == ["Z report main 2: missing, the register remembers it."]


def test_a_z_report_that_was_slipped_in_is_named(ledger):
    Register.objects.filter(name="main").update(last_z_number=0, last_z_hash=GENESIS)
    assert verify()[0] == ["Z report main 1: the register knows nothing of it."]


def test_a_changed_closing_is_named_with_its_month(db):
    with time_machine.travel("2026-09-25T10:00:00Z", tick=False):
        book("10.00")
    services.tick(datetime(2026, 11, 2, tzinfo=UTC))
    assert verify()[1]
    drop_triggers()

    for change, named in (
        ("content = replace(content, '10.00', '11.00')", "closing main 2026-09"),
        ("month = '2026-07-01'", "closing main 2026-07"),
        ("hash = previous_hash", "closing main 2026-09"),
    ):
        with transaction.atomic():
            sql(f"UPDATE cashbook_monthlyclosing SET {change} WHERE number = 1")
            assert [line for line in verify()[0] if line.startswith(named)]
            transaction.set_rollback(True)
    sql("DELETE FROM cashbook_monthlyclosing WHERE number = 1")
    assert verify()[0][0] == "closing main 2026-10: the one before it is missing."


def test_of_two_hundred_random_edits_every_one_is_found_and_named(ledger):
    make_user()
    random.seed(178)
    for _ in range(200):
        number = random.choice([3, 4, 6, 7, 8, 9, 10, 11, 12])
        with transaction.atomic():
            untouched = list(CashEntry.objects.order_by("pk").values_list())
            names = edit(number, newest=12)
            if list(CashEntry.objects.order_by("pk").values_list()) != untouched:
                lines, fine = verify()
                assert not fine, names
                told = {line.partition(":")[0].partition(" to ")[0] for line in lines}
                assert names <= told, (names, lines)
            transaction.set_rollback(True)


def test_a_span_of_days_is_checked_with_what_it_follows_from(db):
    for day in ("23", "24", "25"):
        with time_machine.travel(f"2026-11-{day}T10:00:00Z", tick=False):
            book()
            book()
    drop_triggers()
    sql(f"UPDATE {TABLE} SET notes = 'x' WHERE id = %s", id_of(3))

    assert verify("--from", "2026-11-25")[1]
    assert verify("--to", "2026-11-23")[1]
    assert [line[:7] for line in verify("--from", "2026-11-24", "--to", "2026-11-24")[0]] == ["main 3:"]
    sql(f"DELETE FROM {TABLE} WHERE id = %s", id_of(4))
    assert [line[:7] for line in verify("--from", "2026-11-25")[0]] == ["main 4:"]
    sql(f"DELETE FROM {TABLE} WHERE id = %s", id_of(6))
    assert [line[:7] for line in verify("--from", "2026-11-26")[0]] == ["main 6:"]
    assert verify("--to", "2026-11-23")[1]


def test_a_day_that_is_none_is_refused():
    with pytest.raises(CommandError, match="--from"):
        call_command("verify_cashbook", "--from", "2026-1-5")
