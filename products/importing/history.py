"""Rows of history for what was written in bulk, past the models' own saving."""

from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import User
from products.models import Category, Product


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

    Without a `moment` it is kept as of its last change.
    """
    columns = ", ".join(str(one.column) for one in model.history.model.tracked_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {history_of(model)}"  # noqa: S608  # names of our own tables and columns
            f" ({columns}, history_type, history_date, history_user_id, history_change_reason)"
            f" SELECT {columns}, {kind}, COALESCE(%s, updated_at), %s, %s FROM {model._meta.db_table} WHERE {where}",
            [as_stored(moment) if moment else None, user.pk if user else None, reason, *values],
        )
