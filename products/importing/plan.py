"""What a file of products means for the catalogue: nothing is written here."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO, NamedTuple

from bakery import clock
from bakery.db import fold
from products import services
from products.errors import BadProductFile
from products.models import Category, Product
from products.reader import CellError, ProductFile, ProductRow, UnreadableFile, in_order, read_products

AT_ONCE = 2000
MOST_NOTICES = 50

# What a file may say about a product, by the names of its columns.
FIELDS = ("name", "category", "price", "image", "description", "active")


class SourceFile(NamedTuple):
    """A file that was read: what it holds, and how the record of its import names it."""

    products: ProductFile
    name: str
    sha256: str


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


class Change(NamedTuple):
    """What a row does: `fields` are (name, old, new); a product that it creates has no old ones."""

    line: int
    action: str
    sku: str
    name: str
    fields: list[tuple[str, str | None, str]]


@dataclass
class Plan:
    """What a file means for the catalogue as it was at `revision`."""

    file: SourceFile
    revision: int
    category_names: dict[int, str]
    new_categories: dict[str, str] = field(default_factory=dict)
    creates: list[ProductRow] = field(default_factory=list)
    updates: list[tuple[Stored, ProductRow]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def fingerprint(self) -> str:
        """Names this plan: the same file against the same state of the catalogue, and nothing else, has it."""
        return hashlib.sha256(f"{self.revision} {self.file.sha256}".encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        return {
            "created": len(self.creates),
            "updated": len(self.updates),
            "unchanged": self.unchanged,
            "skipped": self.file.products.skipped,
        }

    def on_record(self) -> dict[str, object]:
        """Return what is kept of the plan: its fields by their names in the record of the import."""
        notices = [{"line": one.line, "message": one.message} for one in self.file.products.notices[:MOST_NOTICES]]
        return {"sha256": self.file.sha256, "plan": self.fingerprint, "notices": notices, **self.counts}

    def changes(self) -> Iterator[Change]:
        """Yield what would be done, field by field: products that are there first, each kind in the file's order."""
        for stored, row in self.updates:
            yield Change(row.line, "updated", row.sku or stored.sku, stored.name, self._differences(stored, row))
        for row in self.creates:
            fields: list[tuple[str, str | None, str]] = [
                (name, None, _shown(new)) for name, new in _values(row) if name != "name" and new not in (None, "")
            ]
            yield Change(row.line, "created", row.sku, row.name, fields)

    def _differences(self, stored: Stored, row: ProductRow) -> list[tuple[str, str | None, str]]:
        former = self.category_names[stored.category]
        same_category = fold(former) == fold(row.category)
        old = stored._asdict() | {"category": row.category if same_category else former}
        return [
            (name, _shown(old[name]), _shown(new)) for name, new in _values(row) if new is not None and new != old[name]
        ]


def _values(row: ProductRow) -> Iterator[tuple[str, str | Decimal | bool | None]]:
    for name in FIELDS:
        yield name, getattr(row, name)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def read_file(source: BinaryIO, *, filename: str) -> SourceFile:
    """Read a file of products. Raises BadProductFile where the file as a whole cannot be used."""
    try:
        products = read_products(source, filename=filename)
    except UnreadableFile as error:
        raise BadProductFile(error.errors) from error
    source.seek(0)
    name = filename.encode(errors="replace").decode()  # no database takes a name on disk that is no UTF-8
    return SourceFile(products, name, hashlib.sha256(source.read()).hexdigest())


def plan_import(file: SourceFile) -> Plan:
    """Say what `file` means for the catalogue. Raises BadProductFile with every fault of the file."""
    return _Planner(file).plan()


class _Planner:
    """Finds the product that each row means, or makes a new one of it."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file.products
        revision = services.revision_on(clock.today())  # before what it is to vouch for
        names = dict(Category.objects.values_list("pk", "name"))
        self._result = Plan(file=file, revision=revision, category_names=names)
        self._categories = {fold(name): pk for pk, name in names.items()}
        self._by_sku: dict[str, Stored] = {}
        self._by_name: dict[tuple[int, str], list[Stored]] = {}
        self._first_line: dict[object, int] = {}
        self._load()

    def _load(self) -> None:
        wants_names = any(not row.sku for row in self._file.rows)
        columns = ("pk", "sku", "name", "category_id", "price", "image_source", "description", "is_active")
        for values in Product.objects.order_by().values_list(*columns).iterator(AT_ONCE):
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
        category = fold(row.category)
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
            or self._categories.get(fold(row.category)) != stored.category
            or row.image not in (None, stored.image)
            or row.description not in (None, stored.description)
            or row.active not in (None, stored.active)
        )
