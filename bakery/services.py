"""What changes the shop itself."""

from collections.abc import Collection
from datetime import date

from django.db import transaction

from bakery import selectors
from bakery.errors import DomainError
from bakery.models import Closure, Shop


@transaction.atomic
def close_on_holidays(*, days: Collection[date], today: date) -> list[Closure]:
    """Enter a closure of its name for each of `days` on which the shop is not closed yet; return those made.

    Raises DomainError for a day that is no public holiday of the shop's country in the time ahead.
    """
    # Whoever ticks the same days at the same moment waits here, and then finds them entered.
    list(Shop.objects.select_for_update().filter(pk=1))
    strange = set(days) - {holiday.day for holiday in selectors.holidays_ahead(today)}
    if strange:
        raise DomainError(f"{min(strange)} is no public holiday here.", field="days")
    return [
        Closure.objects.create(first_day=holiday.day, last_day=holiday.day, reason=holiday.name[:200])
        for holiday in selectors.holidays_offered(today)
        if holiday.day in days
    ]
