"""What is counted and summed in a database, so that two of them can be compared."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from bakery.db import MoneyField


class Facts(NamedTuple):
    """Rows per table, the sum of each money column as text with two decimals, and the migrations applied."""

    tables: dict[str, int]
    sums: dict[str, str]
    migrations: list[str]


def money_columns() -> list[str]:
    """Return `table.column` for every amount of money that this release knows."""
    return sorted(
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        for field in model._meta.local_concrete_fields
        if isinstance(field, MoneyField)
    )


def measure(columns: Iterable[str]) -> Facts:
    """Count the rows of every table of the connected database, and sum up those of `columns` that it has."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        tables = {}
        sums = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            # Names come from the database's own catalogue.
            cursor.execute(f"SELECT COUNT(*) FROM {quote(table)}")  # noqa: S608
            tables[table] = cursor.fetchone()[0]
            cursor.execute(f"SELECT * FROM {quote(table)} LIMIT 0")  # noqa: S608
            there = {column[0] for column in cursor.description}
            for name in columns:
                owner, _, column = name.partition(".")
                if owner == table and column in there:
                    # In cents: SQLite would add up binary fractions.
                    cents = f"CAST(ROUND({quote(column)} * 100) AS BIGINT)"
                    cursor.execute(f"SELECT COALESCE(SUM({cents}), 0) FROM {quote(table)}")  # noqa: S608
                    sums[name] = f"{Decimal(cursor.fetchone()[0]) / 100:.2f}"
    return Facts(tables, sums, applied())


def applied() -> list[str]:
    """Return the migrations that the connected database has seen, as `app.name`."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def known() -> set[str]:
    """Return the migrations that this release has, as `app.name`."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}


@contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Connect to another database of the same server, or to another SQLite file, for the time being."""
    usual = connection.settings_dict["NAME"]
    disconnect()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        disconnect()
        connection.settings_dict["NAME"] = usual


def disconnect() -> None:
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]
