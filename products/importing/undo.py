"""The last import is taken back: the catalogue is as it was before, unless something has changed since."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from bakery import clock
from products import services
from products.errors import CannotUndo
from products.models import Category, ImportState, Product, ProductImport
from products.services.history import TOLD, add_history, as_stored, history_of

MOST_NAMED = 20

Rows: TypeAlias = Any  # querysets of history, whose models exist at run time only


@transaction.atomic
def undo_import(*, import_id: int, user: User | None) -> ProductImport:
    """Put the catalogue back to what it was before an import; versions go forwards all the same, and history tells.

    Raises CannotUndo for any import but the last one that still stands, and where something has changed since, with
    a problem for each product that was edited, removed or ordered; then nothing is undone.
    """
    services.touch_catalogue()
    record = _last_import(import_id)
    _lock(_written(Product, record))
    found = list(islice(_obstacles(record), MOST_NAMED + 1))
    if found:
        raise CannotUndo([*found[:MOST_NAMED], *(["There are more."] if found[MOST_NAMED:] else [])])
    _put_back(record, user)
    record.state, record.undone_at, record.undone_by = ImportState.UNDONE, clock.now(), user
    record.save(update_fields=["state", "undone_at", "undone_by"])
    return record


def _last_import(import_id: int) -> ProductImport:
    last = ProductImport.objects.select_for_update().undoable().first()
    if last is None:
        raise CannotUndo(["There is no import that could be undone."])
    if last.pk != import_id:
        raise CannotUndo([f"Only the last import can be undone; that is number {last.pk}, {last.file_name}."])
    return last


def _lock(written: Rows) -> None:
    rows = Product.objects.select_for_update().filter(pk__in=written.values("id")).order_by("pk")
    list(rows.values_list("pk"))


def _written(model: type[Product | Category], record: ProductImport) -> Rows:
    return model.history.filter(history_date=record.imported_at, history_change_reason=record.reason)


def _obstacles(record: ProductImport) -> Iterator[str]:
    """Yield what has changed since the import, as sentences that name the product or category."""
    products, categories = _written(Product, record), _written(Category, record)
    for name, sku, version in _changed(record, Product).values_list("name", "sku", "now"):
        yield f"{_label(name, sku)} was {'removed' if version is None else 'edited'} since."
    for name, version in _changed(record, Category).values_list("name", "now"):
        yield f"The category {name} was {'removed' if version is None else 'edited'} since."
    created = products.filter(history_type="+").order_by("id")
    for relation in _relations(Product):
        what = relation.related_model._meta.verbose_name_plural
        named = created.filter(Exists(_pointing(relation)))
        for name, sku in named.values_list("name", "sku"):
            yield f"{_label(name, sku)} is in {what} since."
    for relation in _relations(Category):
        what = relation.related_model._meta.verbose_name_plural
        is_holding = categories.filter(Exists(_pointing(relation))).values_list("name", flat=True)
        for name in _with_others(products, categories) if relation.related_model is Product else is_holding:
            yield f"The category {name} has other {what} since."
    for name, sku in _homeless(products).values_list("name", "sku"):
        yield f"The category that {_label(name, sku)} was in is no longer there."


def _label(name: str, sku: str) -> str:
    return f"{name} ({sku})" if sku else name


def _changed(record: ProductImport, model: type[Product | Category]) -> Rows:
    """Return those that somebody else wrote since; `now` is their version, None where they are not there.

    Later imports that were undone moved the version twice and left all else as it was.
    """
    version = Subquery(model._default_manager.filter(pk=OuterRef("id")).values("version"))
    undone = ProductImport.objects.filter(state=ImportState.UNDONE, imported_at__gt=record.imported_at)
    reasons = [reason for one in undone for reason in (one.reason, one.undo_reason)]
    moves = model.history.filter(
        id=OuterRef("id"), history_id__gt=OuterRef("history_id"), history_change_reason__in=reasons
    )
    moved = Coalesce(Subquery(moves.order_by().values("id").annotate(count=Count("pk")).values("count")), 0)
    expected = F("version") + (moved if reasons else 0)
    written = _written(model, record).annotate(now=version, expected=expected)
    return written.filter(Q(now=None) | ~Q(now=F("expected"))).order_by("id")


def _relations(model: type[models.Model]) -> Iterator[Any]:
    """Yield what may point to `model`, in whatever app; history does not, it keeps what is gone."""
    relations: list[Any] = model._meta.get_fields(include_hidden=True)
    for relation in relations:
        if isinstance(relation, models.ManyToOneRel) and relation.field.db_constraint:  # type: ignore[attr-defined]
            yield relation


def _pointing(relation: Any) -> Rows:
    return relation.related_model._base_manager.filter(**{relation.field.attname: OuterRef("id")})


def _with_others(products: Rows, categories: Rows) -> list[str]:
    """Return the names of those categories in which there are products that the import did not write."""
    written = set(products.values_list("id", flat=True))
    inside = Product.objects.filter(category__in=categories.values("id")).values_list("category__name", "pk")
    return sorted({name for name, pk in inside if pk not in written})


def _homeless(written: Rows) -> Rows:
    """Return those whose category of before the import is not there any more."""
    former = Product.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    changed = written.filter(history_type="~").annotate(former=Subquery(former.values("category_id")[:1]))
    return changed.exclude(Exists(Category.objects.filter(pk=OuterRef("former")))).order_by("id")


def _put_back(record: ProductImport, user: User | None) -> None:
    now = clock.now()
    remember = partial(add_history, moment=now, user=user, reason=record.undo_reason)
    written = [as_stored(record.imported_at or now), record.reason]
    _restore_fields(written, as_stored(now))
    remember(Product, "'~'", _these(Product), [*written, "~"])
    for model in (Product, Category):
        remember(model, "'-'", _these(model), [*written, "+"])
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {_these(model)}", [*written, "+"])  # noqa: S608


def _these(model: type[Product | Category]) -> str:
    """SQL for the rows that an import wrote; its values are the moment, the reason, and + or ~."""
    return (
        f"id IN (SELECT id FROM {history_of(model)}"  # noqa: S608  # our names
        " WHERE history_date = %s AND history_change_reason = %s AND history_type = %s)"
    )


def _restore_fields(written: list[Any], moment: Any) -> None:
    fields = ", ".join(f"{name} = b.{name}" for name in TOLD)
    before = (
        "SELECT h.id AS product, MAX(o.history_id) AS before FROM products_historicalproduct h"
        " JOIN products_historicalproduct o ON o.id = h.id AND o.history_id < h.history_id"
        " WHERE h.history_date = %s AND h.history_change_reason = %s AND h.history_type = '~' GROUP BY h.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE products_product SET version = products_product.version + 1, updated_at = %s, {fields}"  # noqa: S608
            f" FROM ({before}) AS m JOIN products_historicalproduct b ON b.history_id = m.before"
            " WHERE products_product.id = m.product",
            [moment, *written],
        )
