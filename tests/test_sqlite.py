"""How transactions of one process wait for each other on SQLite."""

from threading import Event, Thread

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.sqlite3 import base

from bakery.models import Shop
from tests.waiting import PATIENCE

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has its own queues"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def begun(monkeypatch):
    """Which transactions were begun in the database itself."""
    begun = []
    begin = base.DatabaseWrapper._start_transaction_under_autocommit

    def note(self):
        begun.append(self)
        begin(self)

    monkeypatch.setattr(base.DatabaseWrapper, "_start_transaction_under_autocommit", note)
    return begun


def write(started=None):
    if started:
        started.set()
    try:
        with transaction.atomic():
            Shop.objects.update(name="In line")
    finally:
        connection.close()


def test_who_waits_for_the_turn_does_not_ask_the_database(begun):
    started = Event()
    waiting = Thread(target=write, args=[started], daemon=True)
    with transaction.atomic():
        waiting.start()
        started.wait()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert len(begun) == 1
    waiting.join(PATIENCE / 2)

    assert not waiting.is_alive()
    assert len(begun) == 2


@pytest.mark.parametrize("end", [RuntimeError, None])
def test_the_turn_goes_on_however_a_transaction_ends(end):
    try:
        with transaction.atomic():
            if end:
                raise end
    except RuntimeError:
        pass
    other = Thread(target=write, daemon=True)
    other.start()
    other.join(PATIENCE / 2)

    assert not other.is_alive()


def test_a_connection_that_is_closed_in_its_transaction_lets_the_next_one_in():
    with transaction.atomic():
        Shop.objects.count()
        connection.close()
    other = Thread(target=write, daemon=True)
    other.start()
    other.join(PATIENCE / 2)

    assert not other.is_alive()


def test_who_is_less_patient_is_told_that_the_database_is_locked():
    told = []

    def hurry():
        try:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 50")
            write()
        except OperationalError as error:
            told.append(str(error))

    with transaction.atomic():
        hurried = Thread(target=hurry, daemon=True)
        hurried.start()
        hurried.join(PATIENCE / 2)

    assert told == ["database is locked"]
