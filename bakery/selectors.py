"""What the kernel itself can tell of its state."""

import re
from collections.abc import Iterator

from django.db import connection

from bakery.backup import Refused, sqlite
from bakery.backup.facts import applied, known
from bakery.db import missing_triggers
from bakery.models import Shop


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
