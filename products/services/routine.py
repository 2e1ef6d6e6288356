"""What is due in the catalogue."""

from datetime import datetime

from bakery import clock
from products.models import ProductImport
from products.services.revision import revision_on


def tick(now: datetime) -> None:
    """Put the prices of the day in force where nobody has asked for one yet; forget uploads that nobody confirmed."""
    revision_on(clock.shop_day(now))
    ProductImport.objects.forget(now)
