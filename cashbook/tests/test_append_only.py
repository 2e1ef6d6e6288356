"""The database itself refuses to change the cash book, by whatever road."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management.sql import emit_post_migrate_signal
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory

from bakery.api.exceptions import to_response
from bakery.db import drop_triggers, missing_triggers
from bakery.selectors import checks
from cashbook import selectors, services
from cashbook.models import CashEntry, MonthlyClosing, Register, ZReport
from cashbook.tests.factories import book, close_session, open_session

TABLE = CashEntry._meta.db_table
COLUMNS = [field.column for field in CashEntry._meta.concrete_fields]
EVERY = ", ".join(f'"{name}"' for name in COLUMNS)
NEW_ID = EVERY.replace('"id"', "id + 100")
POSTGRES = connection.vendor == "postgresql"

EVERYWHERE = {
    "update": f"UPDATE {TABLE} SET amount = 1",
    "update of one": f"UPDATE {TABLE} SET notes = 'x' WHERE number = 2",
    "update to the same": f"UPDATE {TABLE} SET notes = notes",
    "delete": f"DELETE FROM {TABLE}",
    "delete the last": f"DELETE FROM {TABLE} WHERE number = 3",
    "upsert by id": f"INSERT INTO {TABLE} ({EVERY}) SELECT {EVERY} FROM {TABLE} WHERE number = 1 "
    "ON CONFLICT (id) DO UPDATE SET amount = 1",
    "upsert by number": f"INSERT INTO {TABLE} ({EVERY}) SELECT {EVERY} FROM {TABLE} WHERE number = 1 "
    "ON CONFLICT (register_id, number) DO UPDATE SET amount = 1",
}
SQLITE = {
    "replace": f"REPLACE INTO {TABLE} SELECT * FROM {TABLE} WHERE number = 2",
    "insert or replace": f"INSERT OR REPLACE INTO {TABLE} ({EVERY}) SELECT {EVERY} FROM {TABLE} WHERE number = 2",
    "replace by number": f"REPLACE INTO {TABLE} ({EVERY}) SELECT {NEW_ID} FROM {TABLE} WHERE number = 2",
    "update or replace": f"UPDATE OR REPLACE {TABLE} SET number = 1 WHERE number = 2",
    "update or ignore": f"UPDATE OR IGNORE {TABLE} SET amount = 1",
}
POSTGRESQL = {
    "truncate": f"TRUNCATE {TABLE} CASCADE",
    "truncate what it refers to": "TRUNCATE cashbook_register CASCADE",
    "merge": f"MERGE INTO {TABLE} old USING {TABLE} new ON old.id = new.id WHEN MATCHED THEN DELETE",
}
STATEMENTS = EVERYWHERE | (POSTGRESQL if POSTGRES else SQLITE)


@pytest.fixture
def three(db):
    for amount in ("1.50", "2.50", "3.50"):
        book(amount)
    connection.check_constraints()  # PostgreSQL truncates nothing whose foreign keys are yet to be checked


def stored():
    return list(CashEntry.objects.order_by("pk").values_list())


def refused(change):
    before = stored()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        change()
    assert stored() == before


@pytest.mark.parametrize("name", STATEMENTS)
def test_sql_that_changes_an_entry_is_refused(three, name):
    refused(lambda: connection.cursor().execute(STATEMENTS[name]))


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: CashEntry.objects.filter(pk=entry.pk).update(notes="x"),
        lambda entry: CashEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: CashEntry.objects.bulk_update([entry], ["notes"]),
    ],
)
def test_the_orm_cannot_change_an_entry_either(three, change):
    refused(lambda: change(CashEntry.objects.get(number=2)))


def test_the_triggers_stand_after_a_migration_that_rebuilds_the_table(transactional_db):
    book()
    if not POSTGRES:  # PostgreSQL alters a table in place
        with connection.schema_editor() as editor:
            editor._remake_table(CashEntry)
        assert missing_triggers() != []
        assert any("trigger" in line for line in checks())
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")

    assert missing_triggers() == []
    refused(lambda: CashEntry.objects.all().delete())


@pytest.mark.parametrize("turn", ["first", "second"])
def test_after_a_flush_the_shop_is_as_fresh_and_as_guarded(transactional_db, turn):
    assert not CashEntry.objects.exists()
    assert Register.objects.filter(name="main", last_number=0).exists()
    assert missing_triggers() == []
    book()


def test_a_change_that_got_as_far_as_the_database_is_a_conflict_not_a_fault(three):
    request = RequestFactory().get("/api/cash")
    try:
        with transaction.atomic():
            CashEntry.objects.all().delete()
    except IntegrityError as error:
        response = to_response(error, {"request": request})

    assert response.status_code == 409
    assert response.data["errors"][0]["code"] == "conflict"


def test_every_append_only_table_is_named_by_the_check_when_its_guard_is_gone(three):
    assert not any("trigger" in line for line in checks())
    name = f"{TABLE}_no_change" if POSTGRES else f"{TABLE}_no_update"
    connection.cursor().execute(f'DROP TRIGGER "{name}"' + (f" ON {TABLE}" if POSTGRES else ""))

    assert [line for line in checks() if name in line]


KEPT = {
    model._meta.db_table: [field.column for field in model._meta.concrete_fields] for model in (ZReport, MonthlyClosing)
}


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("rebuilt", [False, True], ids=["as migrated", "after a later migration"])
def test_z_reports_and_closings_cannot_be_changed_either(db, table, rebuilt):
    with time_machine.travel("2026-10-25T10:00:00Z", tick=False):
        close_session(open_session())
        book()
    services.tick(datetime(2026, 11, 2, tzinfo=UTC))
    connection.check_constraints()
    if rebuilt:
        # What Django does to a table of SQLite in a later migration: a new one takes its name, without its triggers.
        drop_triggers()
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    every = ", ".join(f'"{name}"' for name in KEPT[table])
    same = f"SELECT {every} FROM {table} WHERE true"
    statements = [
        f"UPDATE {table} SET content = '{{}}'",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} ({every}) {same} ON CONFLICT (id) DO UPDATE SET content = ''",
        f"TRUNCATE {table}" if POSTGRES else f"REPLACE INTO {table} SELECT * FROM {table}",
    ]
    for statement in statements:
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)
    assert list(selectors.checks()) == []
