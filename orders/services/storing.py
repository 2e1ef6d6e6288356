"""How a new order gets into the database: a free code, its lines, the first step of its history."""

import secrets
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError

from accounts.models import User
from bakery.db import as_already_exists
from bakery.queries import insert_rows
from orders.models import Line, Order, OrderEvent, OrderItem

# Without those that are mistaken for another when they are read aloud or written by hand: 0 O, 1 I L, U V.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
ATTEMPTS = 5


def new_code() -> str:
    """Return a code that is probably free; the database has the last word."""
    return "".join(secrets.choice(ALPHABET) for _ in range(6))


def new_token() -> str:
    """Return a secret by which an order can be followed."""
    return secrets.token_urlsafe(24)


def with_free_code(order: Order, store: Callable[[], Order]) -> Order:
    """Give `order` a code and call `store`, a transaction of its own, again while the code turns out to be taken."""
    for _ in range(ATTEMPTS):
        order.pk, order.code, order.tracking_token = None, new_code(), new_token()
        try:
            return store()
        except IntegrityError as error:
            refusal = as_already_exists(error)
            if refusal is None or refusal.problems[0].field != "code":
                raise
            taken = error
    raise taken


def insert(order: Order, items: list[OrderItem], *, actor: User | None, now: datetime, note: str = "") -> OrderEvent:
    """Write a new order with its lines and the first event of its history; return that event."""
    insert_rows([order])
    for item in items:
        item.order = order
    insert_rows(items)
    order.lines = [Line.of(item) for item in items]
    event = OrderEvent(order=order, at=now, user=actor, to_status=order.status, note=note)
    insert_rows([event])
    return event
