"""How far the catalogue is, and the prices that a new day brings."""

from datetime import date

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from bakery import clock
from bakery.models import Revision
from products.models import CATALOGUE, PriceChange, Product
from products.services.history import CHUNK, keep_former_states


def revision_on(today: date) -> int:
    """Return the revision of the catalogue, with the prices of `today` in force. Read it before what it is to tag.

    The first to ask on a day on which prices change writes them; everybody else is cost one query.
    """
    mark = Revision.objects.current(CATALOGUE)
    if mark.is_over(today):
        with transaction.atomic():
            if Revision.objects.lock(CATALOGUE).is_over(today):
                touch_catalogue()
        mark = Revision.objects.current(CATALOGUE)
    return mark.number


def touch_catalogue() -> int:
    """Say that the catalogue changes, first thing in the transaction that changes it; return the revision before.

    Tags of what was read before are void from then on, and all who write the catalogue wait for each other: so what
    they look up (free slugs, names in any case) stays true until they are done. Prices that are due come into force
    before, so that no plan of last week undoes what is decided now.
    """
    before = Revision.objects.bump(CATALOGUE)
    today = clock.today()
    if before.is_over(today):
        _put_in_force(today)
        before = Revision.objects.bump(CATALOGUE)
    return before.number


def await_next_price() -> None:
    """Note the day of the next price to come; the caller holds the catalogue."""
    days = PriceChange.objects.to_come().order_by("valid_from").values_list("valid_from", flat=True)
    Revision.objects.wait_until(CATALOGUE, days.first())


def _put_in_force(today: date) -> None:
    """Make the planned prices of the days up to `today` those of their products, day by day."""
    due = PriceChange.objects.to_come().filter(valid_from__lte=today)
    # Those of all days at once: who places an order locks its products in the order of their keys, too.
    products = Product.objects.select_for_update(no_key=True).filter(pk__in=due.values("product")).order_by("pk")
    list(products.values_list("pk"))
    for day in sorted(set(due.values_list("valid_from", flat=True))):
        while _put_some_in_force(day):
            pass
    await_next_price()


def _put_some_in_force(day: date) -> bool:
    """Put some of the prices of `day` in force, with their history from its first instant; whether there were any."""
    planned = PriceChange.objects.to_come().filter(valid_from=day).select_related("user").order_by("product")[:CHUNK]
    changes = {change.product_id: change for change in planned}
    keep_former_states(changes)
    price = PriceChange.objects.filter(product=OuterRef("pk"), valid_from=day).values("price")
    products = Product.objects.filter(pk__in=changes)
    products.update(price=Subquery(price), version=F("version") + 1, updated_at=clock.now())
    started = clock.start_of(day)
    rows = list(products)
    for product in rows:
        # Not whoever happened to be the first to look.
        product._history_user = changes[product.pk].user  # type: ignore[attr-defined]
    Product.history.bulk_history_create(
        rows, batch_size=CHUNK, update=True, default_date=started, default_change_reason=f"Planned for {day}"
    )
    PriceChange.objects.filter(product__in=changes, valid_from=day).update(effective_at=started)
    return bool(changes)
