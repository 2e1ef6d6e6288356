"""Rows of history for what was written past the models' own saving: in bulk, or by a fixture."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

from accounts.models import User
from products.models import Category, Product

# What imports change and their undo puts back: history must tell it, and the price above all.
TOLD = ("name", "category_id", "price", "image_source", "description", "is_active")

# So many ids at a time go into a statement.
CHUNK = 2000


def as_stored(moment: datetime) -> Any:
    return Product._meta.get_field("updated_at").get_db_prep_save(moment, connection)


def history_of(model: type[Product | Category]) -> str:
    """Return the name of the table that keeps what rows of `model` were."""
    return str(model.history.model._meta.db_table)


def add_history(
    model: type[Product | Category],
    kind: str,
    where: str,
    values: list[Any],
    *,
    moment: datetime | None,
    user: User | None,
    reason: str,
) -> None:
    """Keep each row that the condition `where` names, as it is now; `kind` is SQL for +, ~ or -.

    Without a `moment` it is kept as of its last change, or of the newest history, should that be later.
    """
    columns = ", ".join(str(one.column) for one in model.history.model.tracked_fields)
    table, kept = model._meta.db_table, history_of(model)
    newest = (
        f"SELECT MAX(CASE WHEN h.history_date > {table}.updated_at THEN h.history_date ELSE {table}.updated_at END)"  # noqa: S608  # our names
        f" FROM {kept} h WHERE h.id = {table}.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {kept}"  # noqa: S608  # names of our own tables and columns
            f" ({columns}, history_type, history_date, history_user_id, history_change_reason)"
            f" SELECT {columns}, {kind}, COALESCE(%s, ({newest}), updated_at), %s, %s FROM {table} WHERE {where}",
            [as_stored(moment) if moment else None, user.pk if user else None, reason, *values],
        )


def keep_former_states(ids: Iterable[int]) -> None:
    """See to it that the newest history of products is what they are, before they change: a fixture writes none.

    One query for each CHUNK; the caller holds their rows.
    """
    # Said in this way, no database takes another index than that of the id, nor reads the whole table.
    same = " AND ".join(f"h.{name} = products_product.{name}" for name in ("version", *TOLD))
    newest = (
        f"SELECT {same} FROM {history_of(Product)} h"  # noqa: S608  # names of our own
        " WHERE h.id = products_product.id ORDER BY h.history_id + 0 DESC LIMIT 1"
    )
    remaining = iter(ids)
    while some := list(islice(remaining, CHUNK)):
        where = f"id IN ({', '.join(['%s'] * len(some))}) AND NOT COALESCE(({newest}), FALSE)"
        add_history(Product, "'~'", where, some, moment=None, user=None, reason="As it was before a change")
