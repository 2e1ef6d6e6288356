"""PostgreSQL: pg_dump out of one snapshot; restored into a database beside the shop's, swapped by renaming both."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from bakery.backup.archive import Refused, Unfinished
from bakery.backup.facts import Facts, disconnect, measure, money_columns

_SCRATCH = "bakery_scratch_"
_DAY = 24 * 3600
_VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "service": "PGSERVICE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
}  # fmt: skip


def live() -> str:
    return str(connection.settings_dict["NAME"])


def workplace() -> Path:
    return Path(settings.DATA_DIR)


def dump(folder: Path) -> tuple[Path, Facts]:
    """Dump the database, as one snapshot shows it, into `folder`; return the dump and what it holds."""
    target = folder / "dump"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        _run(
            "pg_dump", "--format=custom", "--compress=0", "--no-owner", "--no-privileges",
            f"--snapshot={snapshot}", f"--file={target}", f"--dbname={live()}",
        )  # fmt: skip
        facts = measure(money_columns())
    return target, facts


@contextmanager
def candidate(source: Path) -> Iterator[str]:
    """Restore a dump into a database of its own; it is dropped afterwards unless it was put live."""
    name = f"{_SCRATCH}{int(time.time())}_{secrets.token_hex(4)}"
    _drop_forgotten()
    _create_like(live(), name)
    try:
        _run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={name}", str(source))
        yield name
    finally:
        disconnect()
        _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def check() -> None:
    """PostgreSQL checked each constraint while it restored."""


def close_down() -> None:
    """Raise Refused while somebody is connected to the shop's database."""
    disconnect()
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' LIMIT 1"
    if _on_server(others, live()):
        raise Refused("The shop is still running. Stop its web server and its worker first.")


def put_live(new: str, *, keep: bool) -> str:
    """Put a database in the place of the shop's, in one transaction.

    Returns the name under which the old one was kept (nowhere: ""). Raises Refused while somebody is connected to it.
    """
    old, kept = live(), f"{live()}_replaced"
    close_down()
    _on_server(f'DROP DATABASE IF EXISTS "{kept}"')
    _on_server(f'BEGIN; ALTER DATABASE "{old}" RENAME TO "{kept}"; ALTER DATABASE "{new}" RENAME TO "{old}"; COMMIT')
    if keep:
        return kept
    try:
        _on_server(f'DROP DATABASE "{kept}"')
    except DatabaseError as error:
        raise Unfinished(f"What was there before is still kept as {kept}: {error}") from error
    return ""


def _create_like(old: str, new: str) -> None:
    about = "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s"
    try:
        ((encoding, collate, ctype),) = _on_server(about, old)
        _on_server(
            f"""CREATE DATABASE "{new}" TEMPLATE template0
            ENCODING '{encoding}' LC_COLLATE '{collate}' LC_CTYPE '{ctype}'"""
        )
    except DatabaseError as error:
        if "permission denied" in str(error):
            raise Refused(
                "A scratch database is needed, and the database's user may not make one: ALTER ROLE … CREATEDB."
            ) from error
        raise


def _drop_forgotten() -> None:
    """Drop scratch databases of yesterday and before: whoever made them was killed."""
    for (name,) in _on_server("SELECT datname FROM pg_database WHERE datname LIKE %s", f"{_SCRATCH}%"):
        made = name.removeprefix(_SCRATCH).partition("_")[0]
        if made.isdecimal() and int(made) < time.time() - _DAY:
            _on_server(f'DROP DATABASE IF EXISTS "{name}"')


def _on_server(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run a statement outside of the shop's database, where databases are made, renamed and dropped."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []


def _run(program: str, *args: str) -> None:
    params = connection.get_connection_params()
    environment = {variable: str(params[key]) for key, variable in _VARIABLES.items() if params.get(key)}
    done = subprocess.run(  # noqa: S603  # our own words
        [_path_of(program), *args], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["without a word"])[0]
        raise Refused(f"{program} failed: {reason}")


def _path_of(program: str) -> str:
    """The program of the server's own release where it is installed, else the one on the PATH."""
    # One that is older than the server refuses to dump it.
    release = connection.pg_version // 10000  # type: ignore[attr-defined]
    own = Path(f"/usr/lib/postgresql/{release}/bin/{program}")
    found = str(own) if own.exists() else shutil.which(program)
    if not found:
        raise Refused(f"{program} is needed, and was not found (on Debian: apt-get install postgresql-client).")
    return found
