"""SQLite: copied by its online backup API, which readers and writers do not notice; swapped by a rename."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import DatabaseError, connection

from bakery.backup.archive import Refused, Unfinished
from bakery.backup.facts import Facts, disconnect, measure, money_columns, pointed_at


def live() -> Path:
    return Path(connection.settings_dict["NAME"])


def workplace() -> Path:
    """Where a new database is made ready: on the same disk, so that a rename puts it in place."""
    live().parent.mkdir(parents=True, exist_ok=True)
    return live().parent


def dump(folder: Path) -> tuple[Path, Facts]:
    """Copy the database, as one commit left it, into `folder`; return the copy and what it holds."""
    target = folder / "dump"
    try:
        with (
            closing(sqlite3.connect(f"{live().resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise Refused(f"The database {live()} could not be copied: {error}.") from error
    with pointed_at(str(target)):
        facts = measure(money_columns())
    _make_one_file(target)
    return target, facts


@contextmanager
def candidate(source: Path) -> Iterator[str]:
    """Make a dump a database to connect to; of a file that is itself one, it is the file."""
    yield str(source)


def check() -> None:
    """Have SQLite check the connected database. Raises Refused with what it found."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check(1)")
            (found,) = cursor.fetchone()
            if found != "ok":
                raise Refused(f"The database is damaged: {found}.")
            cursor.execute("PRAGMA foreign_key_check")
            lost = cursor.fetchone()
            if lost:
                raise Refused(
                    f"The database is damaged: a row of {lost[0]} belongs to one of {lost[2]} that is not there."
                )
    except DatabaseError as error:
        raise Refused(f"The database is damaged: {error}.") from error


def close_down() -> None:
    """Bring the shop's database back into its one file, which SQLite does only when nobody else has it open.

    Nothing is left beside it then that could be read as belonging to the new one. Raises Refused while the shop runs.
    """
    disconnect()
    if not live().exists():
        return
    try:
        with closing(sqlite3.connect(live(), timeout=2, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise Refused("The shop is still running. Stop its web server and its worker first.") from error
        raise Refused(f"The present database cannot be opened: {error}.") from error
    except sqlite3.DatabaseError:
        return  # damaged, which may be why somebody restores


def put_live(new: str, *, keep: bool) -> str:
    """Put a database in the place of the shop's. At every moment it is the old one or the new one, whole.

    Returns where the old one was kept (nowhere: ""). Raises Refused while another process has it open.
    """
    close_down()
    _make_one_file(Path(new))
    old, kept = live(), live().with_name(f"{live().name}.replaced")
    if keep:
        kept.unlink(missing_ok=True)
        try:
            kept.hardlink_to(old)
        except OSError:  # not every file system has them
            shutil.copy2(old, kept)
    for ending in ("-wal", "-shm"):  # of a damaged database only
        part = old.with_name(old.name + ending)
        if part.exists():
            part.replace(kept.with_name(kept.name + ending))
    Path(new).replace(old)
    try:
        sync(old.parent)
    except OSError as error:
        raise Unfinished(f"The disk did not say that it is written for good: {error}") from error
    return str(kept) if keep else ""


def _make_one_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    sync(path)


def sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
