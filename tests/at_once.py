"""Several people at the same moment, each on a connection of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from tests.waiting import wait_until

T = TypeVar("T")

ON_POSTGRES = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite lets one writer in at a time, and locks no rows"
)


def elsewhere(act: Callable[[], T]) -> T:
    """Do it on a connection of this thread's own; return what comes of it."""
    try:
        return act()
    finally:
        connection.close()


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all of it at the same moment, each on a connection of its own; return "done" or the error's code of each."""
    barrier = Barrier(len(acts))

    def do(act):
        try:
            barrier.wait()
            elsewhere(act)
        except Exception as error:  # noqa: BLE001  # whatever it is, the test is told
            return getattr(error, "code", type(error).__name__)
        return "done"

    connection.close()
    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def wait_until_somebody_waits() -> None:
    """Return once another connection to PostgreSQL waits for a lock."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def somebody_waits():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction, the same picture is shown again
            cursor.execute(blocked)
            return cursor.fetchone()[0]

    wait_until(somebody_waits)
