"""What models are built from: time stamps, versions, money, append-only tables, unique violations."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, models
from django.db.models.query_utils import DeferredAttribute

from bakery.errors import AlreadyExists, Stale

CENT = Decimal("0.01")
MOST_MONEY = Decimal("99999999.99")
LONGEST_FOLDED = 300


def to_cents(amount: Decimal) -> Decimal:
    """Round half up to two decimals, as tills do."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


SetType = TypeVar("SetType")
GetType = TypeVar("GetType")


class MoneyField(models.DecimalField[SetType, GetType]):
    """An amount of the shop's currency, two decimals, at most 99999999.99 either way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_digits=10, decimal_places=2)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, list(args), dict(kwargs)


@lru_cache(maxsize=1024)  # files name the same few categories thousands of times
def fold(text: str) -> str:
    """Return the form in which names are compared: case and compatibility forms make no difference, in any script.

    Of one letter folding may make eighteen, so it ends where the columns that hold it do.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())[:LONGEST_FOLDED]


class _Folded(DeferredAttribute):
    field: "FoldedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        return self if instance is None else fold(getattr(instance, self.field.follows))

    # There only so that Django finds a value and takes the column for a loaded one.
    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class FoldedField(models.CharField[Any, Any]):
    """A column that holds the folded text of another one, for a unique constraint or a look-up in any case.

    LOWER of SQLite knows ASCII alone. It follows its field by itself, in `loaddata` and `bulk_create` too; only
    `update()` and `save(update_fields=…)` must name both.
    """

    descriptor_class = _Folded

    def __init__(self, *, follows: str, **kwargs: Any) -> None:
        self.follows = follows
        super().__init__(editable=False, **{"default": "", **kwargs})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, list(args), {**kwargs, "follows": self.follows}


class TimeStampedModel(models.Model):
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class VersionedModel(TimeStampedModel):
    """A row whose every change counts its version up, so that nobody overwrites what they have not seen."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True

    def require_version(self, expected: frozenset[int] | None) -> None:
        """Raise Stale unless the stored version is one of `expected` (None: any). Call it under the row's lock."""
        if expected is not None and self.version not in expected:
            raise Stale("It was changed in the meantime. Read it again and repeat your change.")

    def save_version(self, *fields: str) -> None:
        """Save `fields` (all of them where none is named) as the next version."""
        self.version += 1
        self.save(update_fields=[*fields, "version", "updated_at"] if fields else None)


@contextmanager
def little_memory(**more: int) -> Iterator[None]:
    """Keep SQLite from mapping its file into memory, which is of no use to who goes through everything once.

    What is mapped counts as memory of ours. `more` are further settings of the connection for as long.
    """
    if connection.vendor != "sqlite":
        yield
        return
    wanted = {"mmap_size": 0, **more}
    with connection.cursor() as cursor:
        usual = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
        for name, size in wanted.items():
            cursor.execute(f"PRAGMA {name} = {size:d}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name, size in usual.items():
                cursor.execute(f"PRAGMA {name} = {size:d}")


# Append-only tables. Rebuilding a table in a later SQLite migration drops its triggers without a word,
# so they are made anew after every migrate, and `missing_triggers` lets a check see that they stand.

M = TypeVar("M", bound=type[models.Model])

_append_only: list[type[models.Model]] = []


def append_only(model: M) -> M:
    """Class decorator: the database itself refuses to change or delete rows of this model."""
    _append_only.append(model)
    return model


def _unique_keys(model: type[models.Model]) -> Iterable[list[str]]:
    """The columns that name a row: its id, and each unique constraint made of plain fields."""
    columns = {field.name: str(field.column) for field in model._meta.concrete_fields}
    yield [columns[model._meta.pk.name]]
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            yield [columns[field.name]]
    for constraint in model._meta.total_unique_constraints:
        yield [columns[name] for name in constraint.fields]


def _sqlite_triggers(model: type[models.Model]) -> dict[str, str]:
    table = model._meta.db_table
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    # REPLACE INTO walks past the first two, so a row whose key is there already is refused as well.
    taken = " OR ".join(_is_taken(table, columns) for columns in _unique_keys(model))
    return {
        f"{table}_no_update": f'BEFORE UPDATE ON "{table}" {refuse}',
        f"{table}_no_delete": f'BEFORE DELETE ON "{table}" {refuse}',
        f"{table}_no_replace": f'BEFORE INSERT ON "{table}" WHEN {taken} {refuse}',
    }


def _is_taken(table: str, columns: list[str]) -> str:
    same = " AND ".join(f'"{column}" = NEW."{column}"' for column in columns)
    return f'EXISTS (SELECT 1 FROM "{table}" WHERE {same})'  # noqa: S608  # names of our own models


def _postgres_triggers(model: type[models.Model]) -> dict[str, str]:
    table = model._meta.db_table
    call = "EXECUTE FUNCTION refuse_change()"
    return {
        f"{table}_no_change": f'BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW {call}',
        f"{table}_no_truncate": f'BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {call}',
    }


_REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""


def make_triggers(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the triggers of every append-only table that exists; safe to run again."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_REFUSE_CHANGE)
        for model in _append_only:
            if model._meta.db_table not in tables:
                continue
            for name, body in _triggers(connection.vendor, model).items():
                cursor.execute(_drop(connection.vendor, name, model))
                cursor.execute(f'CREATE TRIGGER "{name}" {body}')


def drop_triggers(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers off, for a flush of a test database and for a restore."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for model in _append_only:
            for name in _triggers(connection.vendor, model):
                cursor.execute(_drop(connection.vendor, name, model))


def missing_triggers(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the names of triggers that should guard an append-only table and are not there."""
    connection = connections[using]
    catalogue = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue)
        there = {name for (name,) in cursor.fetchall()}
    wanted = [name for model in _append_only for name in _triggers(connection.vendor, model)]
    return [name for name in wanted if name not in there]


def _triggers(vendor: str, model: type[models.Model]) -> dict[str, str]:
    return _postgres_triggers(model) if vendor == "postgresql" else _sqlite_triggers(model)


def _drop(vendor: str, name: str, model: type[models.Model]) -> str:
    place = f' ON "{model._meta.db_table}"' if vendor == "postgresql" else ""
    return f'DROP TRIGGER IF EXISTS "{name}"{place}'


# Unique violations: the constraint that was hit names the field, so no service asks first and races after.


def as_already_exists(error: IntegrityError) -> AlreadyExists | None:
    """Return the refusal that a unique violation means, or None where `error` is something else."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        if error.__cause__.__class__.__name__ != "UniqueViolation":
            return None
        names, columns = {diagnosis.constraint_name}, set()
    else:
        text = str(error)
        if not text.startswith("UNIQUE constraint failed"):
            return None
        names = set(re.findall(r"index '(\w+)'", text))
        columns = set(re.findall(r"(\w+\.\w+)", text))
    for model in apps.get_models():
        field = _violated_field(model, names, columns)
        if field:
            label = model._meta.verbose_name
            return AlreadyExists(f"There is already a {label} with this {field.replace('_', ' ')}.", field=field)
    return AlreadyExists("This is there already.")


def _violated_field(model: type[models.Model], names: set[str], columns: set[str]) -> str | None:
    table = model._meta.db_table
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint):
            continue
        fields = list(constraint.fields) or [
            str(getattr(reference, "name", ""))
            for expression in constraint.expressions
            if isinstance(expression, models.Expression)
            for reference in expression.flatten()
            if isinstance(reference, models.F)
        ]
        hit = {f"{table}.{model._meta.get_field(name).column}" for name in fields}  # type: ignore[union-attr]
        if constraint.name in names or (columns and columns == hit):
            return str(getattr(model._meta.get_field(fields[-1]), "follows", fields[-1]))
    for field in model._meta.concrete_fields:
        if field.unique and (
            columns == {f"{table}.{field.column}"} or any(name.startswith(f"{table}_{field.column}") for name in names)
        ):
            return field.name
    return None
