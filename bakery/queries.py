"""Queries that are asked with nearly every request, and rows that are written with it, put into SQL once.

The ORM takes two to five times as long to write such a query down as the database to answer it, and a request asks a
dozen. What is kept is the ORM's own SQL: models, lookups and what differs between databases stay its business.
"""

from collections.abc import Callable, Sequence, Set
from datetime import date, datetime
from functools import cache, partial
from operator import itemgetter
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import FlatValuesListIterable, ModelIterable, NamedValuesListIterable, ValuesIterable
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")


class Given(Expression):
    """Stands in a kept query for a value that is known only when it is asked: `name`, or one in the list `name`."""

    def __init__(self, name: str, index: int | None = None) -> None:
        super().__init__()
        self.name = name
        self.index = index

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def find(self, values: dict[str, Any], database: BaseDatabaseWrapper) -> Any:
        """Return the value that it stands for, as the database takes it."""
        value = values[self.name]
        if self.index is not None:
            value = value[min(self.index, len(value) - 1)]
        if value is None or isinstance(value, Set | tuple):
            raise TypeError(f"{self.name} must be a value or a list, not {value!r}.")
        if isinstance(value, datetime):
            return database.ops.adapt_datetimefield_value(value)
        return database.ops.adapt_datefield_value(value) if isinstance(value, date) else value


class KeptQuery(Generic[Row]):
    """A query that is put into SQL when it is first asked, for each database and each length of what it is given.

    `make` returns a queryset, of objects without relations, of `values` or of `values_list`. It gets a `Given` for
    each value, and a list of them for each list, to stand behind `__in`: so that there are few lengths, a list is
    filled up with its last value to a power of two. Asked with the values, none of them None, it returns its rows:

        IN_ROLE = KeptQuery(lambda role, ids: User.objects.filter(role=role, pk__in=ids))
        IN_ROLE(role="baker", ids=[1, 2])
    """

    def __init__(self, make: "Callable[..., QuerySet[Any, Row]]") -> None:
        self._make = make
        self._written: dict[object, _Statement | None] = {}

    def __call__(self, **values: Any) -> list[Row]:
        database = connections[DEFAULT_DB_ALIAS]
        lengths = {name: _round_up(len(value)) for name, value in values.items() if isinstance(value, list)}
        shape = (database.vendor, *lengths.items())
        if shape not in self._written:
            given = {
                name: [Given(name, index) for index in range(lengths[name])] if name in lengths else Given(name)
                for name in values
            }
            try:
                self._written[shape] = _Statement(self._make(**given), database)
            except EmptyResultSet:  # one of no values: there is nothing to ask
                self._written[shape] = None
        statement = self._written[shape]
        return [] if statement is None else statement.ask(values, database)


def _round_up(count: int) -> int:
    return 1 << (count - 1).bit_length() if count else 0


class _Statement:
    """What the ORM made of a queryset."""

    def __init__(self, queryset: "QuerySet[Any, Any]", database: BaseDatabaseWrapper) -> None:
        query, of_objects = queryset.query, issubclass(queryset._iterable_class, ModelIterable)
        prefetched = queryset._prefetch_related_lookups  # type: ignore[attr-defined]  # unknown to the stubs
        unknown = query.select_related or prefetched or (of_objects and query.annotations)
        if unknown or issubclass(queryset._iterable_class, NamedValuesListIterable):
            raise TypeError("A kept query knows no relations, annotated objects and named rows.")
        # What is kept must not hold on to this thread's file of SQLite.
        compiler = query.get_compiler(connection=database.copy() if database.vendor == "sqlite" else database)
        self._sql, self._parameters = compiler.as_sql()
        self._locks = query.select_for_update and database.features.has_select_for_update
        columns = [column for column, *_ in compiler.select]
        self._conversions = [
            (position, converter, column)
            for position, (converters, column) in compiler.get_converters(columns).items()
            for converter in converters
        ]
        self._row = _maker_of_rows(queryset, columns)

    def ask(self, values: dict[str, Any], database: BaseDatabaseWrapper) -> list[Any]:
        if self._locks and not database.in_atomic_block:
            raise TransactionManagementError("A query that locks is asked within a transaction.")
        parameters = [one.find(values, database) if isinstance(one, Given) else one for one in self._parameters]
        with database.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            rows = cursor.fetchall()
        if self._conversions:
            rows = [self._converted(row, database) for row in rows]
        return [self._row(row) for row in rows]

    def _converted(self, row: tuple[Any, ...], database: BaseDatabaseWrapper) -> tuple[Any, ...]:
        values = list(row)
        for position, converter, column in self._conversions:
            values[position] = converter(values[position], column, database)
        return tuple(values)


def _maker_of_rows(queryset: "QuerySet[Any, Any]", columns: list[Any]) -> Callable[[tuple[Any, ...]], Any]:
    if issubclass(queryset._iterable_class, ModelIterable):
        names = [column.target.attname for column in columns]
        return partial(queryset.model.from_db, DEFAULT_DB_ALIAS, names)
    if issubclass(queryset._iterable_class, ValuesIterable):
        keys = queryset.query.values_select
        return lambda row: dict(zip(keys, row, strict=True))
    if issubclass(queryset._iterable_class, FlatValuesListIterable):
        return itemgetter(0)
    return tuple


def insert_rows(rows: Sequence[Model]) -> None:
    """Write a few new rows of one model, in one statement, and give them their keys.

    Like `bulk_create` it fires no signals; the model has a key that the database counts, and no `db_default`.
    """
    if not rows:
        return
    database = connections[DEFAULT_DB_ALIAS]
    fields = _written_fields(type(rows[0]))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), database) for row in rows for field in fields]
    with database.cursor() as cursor:
        cursor.execute(_insertion(type(rows[0]), len(rows)), values)
        keys = cursor.fetchall()
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _written_fields(model: type[Model]) -> "list[Field[Any, Any]]":
    return [field for field in model._meta.local_concrete_fields if not field.primary_key]


@cache
def _insertion(model: type[Model], count: int) -> str:
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name  # the same for both databases
    columns = [quote(str(field.column)) for field in _written_fields(model)]
    marks = f"({', '.join(['%s'] * len(columns))})"
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(columns)})"  # noqa: S608  # names of our own models
        f" VALUES {', '.join([marks] * count)} RETURNING {quote(str(model._meta.pk.column))}"
    )
