"""What the kernel itself can tell of its state."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from django.db import connection

from bakery import holidays
from bakery.backup import Refused, sqlite
from bakery.backup.facts import applied, known
from bakery.db import missing_triggers
from bakery.holidays import Holiday
from bakery.models import Closure, Shop

EIGHTEEN_MONTHS = timedelta(days=548)


def checks() -> Iterator[str]:
    """Yield a line for each thing about the database that is not as it must be."""
    for migration in sorted(known() - set(applied())):
        yield f"The migration {migration} is not applied."
    if connection.vendor == "sqlite":
        try:
            sqlite.check()
        except Refused as damage:
            yield str(damage)
    for name in missing_triggers():
        yield f"The trigger {name} is missing: what it guards could be changed. `manage.py migrate` makes it again."
    shop = Shop.get()
    if not re.fullmatch("[A-Z]{3}", shop.currency):
        yield f"The shop's currency {shop.currency!r} is not a code such as EUR."
    if not shop.name.strip():
        yield "The shop has no name."


def holidays_ahead(today: date) -> list[Holiday]:
    """Return the public holidays of the next 18 months where the shop is; none where that is not known."""
    shop = Shop.get()
    if not shop.country or holidays.find_fault(shop.country, shop.subdivision):
        return []
    return holidays.between(today, today + EIGHTEEN_MONTHS, country=shop.country, subdivision=shop.subdivision)


def holidays_offered(today: date) -> list[Holiday]:
    """Return those of `holidays_ahead` on which the shop is not closed yet."""
    closures = list(Closure.objects.ahead(today))
    return [
        holiday
        for holiday in holidays_ahead(today)
        if not any(closure.first_day <= holiday.day <= closure.last_day for closure in closures)
    ]
