"""A plan is carried out: all of it in one short transaction, or nothing, and on record."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from django.db import connection, transaction
from simple_history.utils import bulk_create_with_history

from accounts.models import User
from bakery import clock
from bakery.db import fold, little_memory
from products import services
from products.errors import ImportIsOver, PlanOutdated
from products.importing import plan as planning
from products.importing.plan import Plan, SourceFile
from products.models import Category, ImportFile, ImportState, Product, ProductImport
from products.services.history import add_history, as_stored, keep_former_states
from products.slugs import SlugBook

# So many rows have fewer values than SQLite takes in one statement; PostgreSQL is sent as many as are indexed at once.
CHUNK, MANY = 2000, 20_000

# The columns of a product that a file fills: of a new one, and, after its key, of one that is there.
READ = ("sku", "name", "slug", "category_id", "price", "image_source", "description", "is_active")
CHANGED = ("id", "name", "category_id", "price", "image_source", "description", "is_active")

Progress = Callable[[str, int, int], None]


@little_memory()
def import_products(
    file: SourceFile,
    *,
    user: User | None,
    reviewed: str = "",
    waiting: int | None = None,
    progress: Progress = lambda *_: None,
) -> ProductImport:
    """Bring the products of `file` into the catalogue, all of them or, where one cannot be taken, none.

    The plan is made before anybody is made to wait; should the catalogue change in between, it is made anew, unless
    somebody `reviewed` it (its fingerprint): then it is that one or none. `waiting` is the id of the upload that this
    carries out. Returns the record of it. Raises BadProductFile with every fault of the file; PlanOutdated;
    ImportIsOver where the upload does not wait any more.
    """
    progress("Comparing", 0, len(file.products.rows))
    plan = planning.plan_import(file)
    if reviewed and reviewed != plan.fingerprint:
        raise PlanOutdated
    progress("Writing", 0, len(plan.creates) + len(plan.updates))
    with transaction.atomic():
        if plan.creates or plan.updates:
            plan = _confirmed(plan, reviewed=reviewed)
        record = _record(plan, user=user, waiting=waiting)
        if plan.creates or plan.updates:
            _Writer(plan, record, progress).write()
        return record


def _confirmed(plan: Plan, *, reviewed: str) -> Plan:
    """Take the catalogue, and make the plan anew where it has changed since. Raises PlanOutdated."""
    if services.touch_catalogue() == plan.revision:
        return plan
    if reviewed:
        raise PlanOutdated
    return planning.plan_import(plan.file)


def _record(plan: Plan, *, user: User | None, waiting: int | None) -> ProductImport:
    now = clock.now()
    record = ProductImport(begun_at=now, file_name=plan.file.name[-255:])
    if waiting is not None:
        record = ProductImport.objects.select_for_update().get(pk=waiting)
        if record.state != ImportState.IMPORTING:
            raise ImportIsOver
        ImportFile.objects.filter(product_import=record).delete()
    record.user, record.state, record.imported_at, record.step = user, ImportState.DONE, now, ""
    for name, value in plan.on_record().items():
        setattr(record, name, value)
    record.save()
    return record


class _Writer:
    """Writes a plan, without a query for each row: tables as large as a file may be are written in seconds."""

    def __init__(self, plan: Plan, record: ProductImport, progress: Progress) -> None:
        self._plan = plan
        self._record = record
        self._progress = progress
        self._now = record.imported_at or clock.now()
        self._done = 0

    def write(self) -> None:
        self._write_categories()
        ids = {fold(name): pk for pk, name in Category.objects.values_list("pk", "name")}
        self._insert(ids)
        self._update(ids)
        # The products written are those that bear this import's moment.
        kind, where = "CASE WHEN created_at = updated_at THEN '+' ELSE '~' END", "updated_at = %s"
        record = self._record
        add_history(Product, kind, where, [self._moment], moment=self._now, user=record.user, reason=record.reason)

    def _write_categories(self) -> None:
        slugs = SlugBook(Category, set(Category.objects.values_list("slug", flat=True)))
        fresh = [Category(name=name, slug=slugs.take(name)) for name in self._plan.new_categories.values()]
        bulk_create_with_history(
            fresh,
            Category,
            batch_size=CHUNK,
            default_user=self._record.user,
            default_date=self._now,
            default_change_reason=self._record.reason,
        )

    def _insert(self, categories: dict[str, int]) -> None:
        usual = Product(vat_class=services.standard_class(), created_at=self._now, updated_at=self._now)
        others = [one for one in Product._meta.concrete_fields if not one.primary_key and one.attname not in READ]
        slugs = SlugBook(Product, set(Product.objects.values_list("slug", flat=True)))
        columns = ", ".join([*READ, *(str(one.column) for one in others)])
        values = ", ".join([*READ, *["%s"] * len(others)])
        self._execute(
            f"INSERT INTO products_product ({columns}) SELECT {values} FROM {{rows}}",  # noqa: S608  # our names
            [one.get_db_prep_save(getattr(usual, one.attname), connection) for one in others],
            READ,
            (
                (
                    row.sku,
                    row.name,
                    slugs.take(row.name),
                    categories[fold(row.category)],
                    _stored_price(row.price),
                    row.image or "",
                    row.description or "",
                    row.active is not False,
                )
                for row in self._plan.creates
            ),
        )

    def _update(self, categories: dict[str, int]) -> None:
        updates = sorted(self._plan.updates)
        _lock(stored.id for stored, _ in updates)
        keep_former_states(stored.id for stored, _ in updates)
        self._execute(
            "UPDATE products_product SET version = version + 1, updated_at = %s,"
            " name = v.name, category_id = v.category_id, price = v.price,"
            " image_source = COALESCE(v.image_source, products_product.image_source),"
            " description = COALESCE(v.description, products_product.description),"
            " is_active = COALESCE(v.is_active, products_product.is_active)"
            " FROM {rows} AS v WHERE products_product.id = v.id",
            [self._moment],
            CHANGED,
            (
                (
                    stored.id,
                    row.name,
                    categories[fold(row.category)],
                    _stored_price(row.price),
                    row.image,
                    row.description,
                    row.active,
                )
                for stored, row in updates
            ),
        )

    @property
    def _moment(self) -> Any:
        return as_stored(self._now)

    def _execute(
        self, statement: str, constants: list[Any], columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]
    ) -> None:
        """Run a statement over all rows, put in as a table of these columns, and tell how far it is."""
        total = len(self._plan.creates) + len(self._plan.updates)
        put_in = _in_a_table if connection.vendor == "postgresql" else _in_the_statement
        with connection.cursor() as cursor:
            while count := put_in(cursor, statement, constants, columns, rows):
                self._done += count
                self._progress("Writing", self._done, total)


def _in_the_statement(
    cursor: Any, statement: str, constants: list[Any], columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]
) -> int:
    chunk = list(islice(rows, CHUNK))
    if chunk:
        named = ", ".join(f"column{number} AS {name}" for number, name in enumerate(columns, start=1))
        marks = f"({', '.join(['%s'] * len(columns))})"
        values = f"(SELECT {named} FROM (VALUES {', '.join([marks] * len(chunk))}))"  # noqa: S608  # our names
        cursor.execute(statement.format(rows=values), [*constants, *chain.from_iterable(chunk)])
    return len(chunk)


def _in_a_table(
    cursor: Any, statement: str, constants: list[Any], columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]
) -> int:
    """By COPY, the only way in which PostgreSQL reads rows without taking a statement apart for each of them."""
    named, count = ", ".join(columns), 0
    cursor.execute(
        f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {named} FROM products_product WITH NO DATA"  # noqa: S608
    )
    with connection.wrap_database_errors, cursor.copy(f"COPY incoming ({named}) FROM STDIN") as copy:
        for count, row in enumerate(islice(rows, MANY), start=1):  # noqa: B007
            copy.write_row(row)
    if count:
        cursor.execute(statement.format(rows="incoming"), constants)
    cursor.execute("DROP TABLE incoming")
    return count


def _lock(ids: Iterator[int]) -> None:
    """Lock products in the order of their keys, as everybody does; UPDATE … FROM takes them in any order."""
    if not connection.features.has_select_for_update:
        return
    while chunk := list(islice(ids, CHUNK)):
        rows = Product.objects.select_for_update(no_key=True).filter(pk__in=chunk).order_by("pk")
        list(rows.values_list("pk"))


@lru_cache(CHUNK)  # prices repeat
def _stored_price(price: Decimal) -> Any:
    return Product._meta.get_field("price").get_db_prep_save(price, connection)
