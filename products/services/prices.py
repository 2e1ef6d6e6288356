"""Prices that are to hold from a day on."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from bakery import clock
from bakery.errors import AlreadyExists, Conflict, NotFound
from products.errors import TooLate
from products.models import PriceChange
from products.services.catalogue import locked_product
from products.services.revision import await_next_price, touch_catalogue

MOST_TO_COME = 100


@transaction.atomic
def plan_price(
    *, product_id: int, price: Decimal, valid_from: date, actor: User | None, expected: frozenset[int] | None = None
) -> PriceChange:
    """Let a product cost `price` from the start of the shop's day `valid_from` on; today means at once.

    Raises TooLate for a day that is over, AlreadyExists for one that has its price, Conflict where there are
    MOST_TO_COME, NotFound, Stale.
    """
    touch_catalogue()
    now = clock.now()
    today = clock.shop_day(now)
    product = locked_product(product_id)
    product.require_version(expected)
    if valid_from < today:
        raise TooLate(f"That day is over. The first possible day is {today}, which means at once.", field="valid_from")
    for other in product.price_changes.filter(valid_from=valid_from):
        way_out = _ways_out(today) if other.effective_at else "Take that back first."
        raise AlreadyExists(f"There is already a price from this day on. {way_out}", field="valid_from")
    if product.price_changes.to_come().count() >= MOST_TO_COME:
        raise Conflict(f"It has {MOST_TO_COME} prices to come, which is the most. Take one back first.")
    change = PriceChange(product=product, price=price, valid_from=valid_from, user=actor)
    if valid_from == today:
        change.effective_at = product._history_date = now  # type: ignore[attr-defined]
        product.price = price
        product.save_version("price")
    change.save(force_insert=True)
    await_next_price()
    return change


@transaction.atomic
def withdraw_price(*, product_id: int, change_id: int) -> None:
    """Take back a planned price. Raises TooLate for one that is in force or was, NotFound."""
    touch_catalogue()
    change = PriceChange.objects.select_for_update(of=("self",)).filter(pk=change_id, product=product_id).first()
    if change is None:
        raise NotFound("There is no such price.")
    if change.effective_at:
        raise TooLate(f"It has come into force. {_ways_out(clock.today())}")
    change.delete()
    await_next_price()


def _ways_out(today: date) -> str:
    """Say what can be done about a price that is in force."""
    tomorrow = today + timedelta(days=1)
    return f"Change the product's `price` itself (PATCH), which holds at once, or plan one from {tomorrow} on."
