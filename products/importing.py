"""Products out of a file: a plan made from what is read, then all of it in one short transaction, or nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from django.db import connection, transaction
from simple_history.utils import bulk_create_with_history

from bakery import clock
from products import services
from products.errors import BadProductFile
from products.models import Category, Product, same_name
from products.reader import CellError, ProductFile, ProductRow, UnreadableFile, in_order, read_products
from products.slugs import SlugBook

if TYPE_CHECKING:
    from accounts.models import User

# So many rows have fewer values than SQLite takes in one statement.
CHUNK = 2000

# The columns of a product that a file fills.
READ = ("sku", "name", "slug", "category_id", "price", "image_source", "description", "is_active")

Progress = Callable[[str, int, int], None]


class ImportResult(NamedTuple):
    """How many products a file makes, changes and leaves as they are, and how many of its records are none."""

    created: int
    updated: int
    unchanged: int
    skipped: int


class Stored(NamedTuple):
    """A product as far as a file can say something about it."""

    id: int
    sku: str
    name: str
    category: int
    price: Decimal
    image: str
    description: str
    active: bool


@dataclass
class Plan:
    """What a file means for the catalogue as it was at `revision`."""

    revision: int
    new_categories: dict[str, str] = field(default_factory=dict)
    creates: list[ProductRow] = field(default_factory=list)
    updates: list[tuple[Stored, ProductRow]] = field(default_factory=list)
    unchanged: int = 0


def read_file(source: Path | BinaryIO, *, filename: str) -> ProductFile:
    """Read a file of products. Raises BadProductFile where the file as a whole cannot be used."""
    try:
        return read_products(source, filename=filename)
    except UnreadableFile as error:
        raise BadProductFile(error.errors) from error


def plan_import(file: ProductFile) -> Plan:
    """Say what `file` means for the catalogue. Raises BadProductFile with every fault of the file."""
    return _Planner(file).plan()


def import_products(
    file: ProductFile, *, user: "User | None", dry_run: bool = False, progress: Progress = lambda *_: None
) -> ImportResult:
    """Bring the products of `file` into the catalogue, all of them or, where one cannot be taken, none.

    The plan is made before anybody is made to wait; should the catalogue change in between, it is made anew.
    Raises BadProductFile with every fault of the file.
    """
    plan = plan_import(file)
    if not dry_run and (plan.creates or plan.updates):
        with transaction.atomic():
            if services.touch_catalogue() != plan.revision:
                plan = plan_import(file)
            _Writer(plan, user, progress).write()
    return ImportResult(len(plan.creates), len(plan.updates), plan.unchanged, file.skipped)


class _Planner:
    """Finds the product that each row means, or makes a new one of it."""

    def __init__(self, file: ProductFile) -> None:
        self._file = file
        self._result = Plan(revision=services.revision_on(clock.today()))
        self._categories = {same_name(name): pk for pk, name in Category.objects.values_list("pk", "name")}
        self._by_sku: dict[str, Stored] = {}
        self._by_name: dict[tuple[int, str], list[Stored]] = {}
        self._first_line: dict[object, int] = {}
        self._load()

    def _load(self) -> None:
        wants_names = any(not row.sku for row in self._file.rows)
        columns = ("pk", "sku", "name", "category_id", "price", "image_source", "description", "is_active")
        for values in Product.objects.order_by().values_list(*columns).iterator(CHUNK):
            stored = Stored._make(values)
            if stored.sku:
                self._by_sku[stored.sku] = stored
            if wants_names:
                self._by_name.setdefault((stored.category, stored.name), []).append(stored)

    def plan(self) -> Plan:
        """Return the plan. Raises BadProductFile with what the reader found and what is found here."""
        errors = list(self._file.errors)
        for row in self._file.rows:
            error = self._place(row)
            if error:
                errors.append(error)
        if errors:
            raise BadProductFile(in_order(errors))
        return self._result

    def _place(self, row: ProductRow) -> CellError | None:
        category = same_name(row.category)
        meant = self._meant_by(row, self._categories.get(category))
        if isinstance(meant, CellError):
            return meant
        first = self._first_line.setdefault(meant.id if meant else row.sku or (category, row.name), row.line)
        if first != row.line:
            message = f"This is the product that line {first} writes already; keep one of the two."
            return CellError(row.line, "sku" if row.sku else "name", "duplicate_key", message)
        if category not in self._categories:
            self._result.new_categories.setdefault(category, row.category)
        if meant is None:
            self._result.creates.append(row)
        elif self._differs(row, meant):
            self._result.updates.append((meant, row))
        else:
            self._result.unchanged += 1
        return None

    def _meant_by(self, row: ProductRow, category: int | None) -> Stored | CellError | None:
        """Find the product with the row's sku; without one, that of its name and category."""
        if row.sku:
            return self._by_sku.get(row.sku)
        namesakes = self._by_name.get((category, row.name), []) if category else []
        for stored in namesakes:
            if not stored.sku:
                return stored
        clash = self._file.clashes.get((row.name, row.category))
        if clash:
            return clash
        if len(namesakes) > 1:
            skus = ", ".join(stored.sku for stored in namesakes[:5])
            message = f"Several products have this name and category; say which is meant by its sku ({skus})."
            return CellError(row.line, "name", "ambiguous_key", message)
        return namesakes[0] if namesakes else None

    def _differs(self, row: ProductRow, stored: Stored) -> bool:
        return (
            row.name != stored.name
            or row.price != stored.price
            or self._categories.get(same_name(row.category)) != stored.category
            or row.image not in (None, stored.image)
            or row.description not in (None, stored.description)
            or row.active not in (None, stored.active)
        )


class _Writer:
    """Writes a plan, without a query for each row: tables as large as a file may be are written in seconds."""

    def __init__(self, plan: Plan, user: "User | None", progress: Progress) -> None:
        self._plan = plan
        self._user = user
        self._progress = progress
        self._now = clock.now()
        self._done = 0

    def write(self) -> None:
        self._write_categories()
        ids = {same_name(name): pk for pk, name in Category.objects.values_list("pk", "name")}
        self._insert(ids)
        self._update(ids)
        self._record()

    def _write_categories(self) -> None:
        slugs = SlugBook(Category, set(Category.objects.values_list("slug", flat=True)))
        fresh = [Category(name=name, slug=slugs.take(name)) for name in self._plan.new_categories.values()]
        bulk_create_with_history(fresh, Category, batch_size=CHUNK, default_user=self._user, default_date=self._now)

    def _insert(self, categories: dict[str, int]) -> None:
        usual = Product(vat_class=services.standard_class(), created_at=self._now, updated_at=self._now)
        others = [one for one in Product._meta.concrete_fields if not one.primary_key and one.attname not in READ]
        slugs = SlugBook(Product, set(Product.objects.values_list("slug", flat=True)))
        columns = ", ".join([*READ, *(str(one.column) for one in others)])
        values = ", ".join([*(f"v.column{n}" for n in range(1, len(READ) + 1)), *["%s"] * len(others)])
        self._execute(
            f"INSERT INTO products_product ({columns}) SELECT {values} FROM ({{rows}}) AS v",  # noqa: S608  # our names
            [one.get_db_prep_save(getattr(usual, one.attname), connection) for one in others],
            (
                (
                    row.sku,
                    row.name,
                    slugs.take(row.name),
                    categories[same_name(row.category)],
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
        self._execute(
            "UPDATE products_product SET version = version + 1, updated_at = %s,"
            " name = v.column2, category_id = v.column3, price = v.column4,"
            " image_source = COALESCE(v.column5, image_source), description = COALESCE(v.column6, description),"
            " is_active = COALESCE(CAST(v.column7 AS boolean), is_active)"
            " FROM ({rows}) AS v WHERE products_product.id = v.column1",
            [self._moment],
            (
                (
                    stored.id,
                    row.name,
                    categories[same_name(row.category)],
                    _stored_price(row.price),
                    row.image,
                    row.description,
                    row.active,
                )
                for stored, row in updates
            ),
        )

    def _record(self) -> None:
        """Add a row of history for each product written: they are those that bear this import's moment."""
        columns = ", ".join(str(one.column) for one in Product._meta.concrete_fields)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO products_historicalproduct"  # noqa: S608  # names of our own columns
                f" ({columns}, history_date, history_type, history_user_id)"
                f" SELECT {columns}, %s, CASE WHEN created_at = %s THEN '+' ELSE '~' END, %s"
                " FROM products_product WHERE updated_at = %s",
                [self._moment, self._moment, self._user.pk if self._user else None, self._moment],
            )

    @property
    def _moment(self) -> Any:
        return Product._meta.get_field("updated_at").get_db_prep_save(self._now, connection)

    def _execute(self, statement: str, constants: list[Any], rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement over all rows, put in as a table of values, and tell how far it is."""
        remaining = iter(rows)
        total = len(self._plan.creates) + len(self._plan.updates)
        with connection.cursor() as cursor:
            while chunk := list(islice(remaining, CHUNK)):
                marks = f"({', '.join(['%s'] * len(chunk[0]))})"
                values = f"VALUES {', '.join([marks] * len(chunk))}"
                cursor.execute(statement.format(rows=values), [*constants, *chain.from_iterable(chunk)])
                self._done += len(chunk)
                self._progress("Writing", self._done, total)


def _lock(ids: Iterable[int]) -> None:
    """Lock products in the order of their keys, as everybody does; UPDATE … FROM takes them in any order."""
    if not connection.features.has_select_for_update:
        return
    remaining = iter(ids)
    while chunk := list(islice(remaining, CHUNK)):
        rows = Product.objects.select_for_update(no_key=True).filter(pk__in=chunk).order_by("pk")
        list(rows.values_list("pk"))


def _stored_price(price: Decimal) -> Any:
    return Product._meta.get_field("price").get_db_prep_save(price, connection)
