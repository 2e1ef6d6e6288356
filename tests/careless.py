"""The shop with a guard taken out, for the counterproofs: a proof that passes here as well would prove nothing.

A WSGI application for `Shop.serve`; the environment variable CARELESS names the guard. The product has no such switch.
"""

import os
from functools import wraps
from itertools import count
from threading import Event, local

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bakery.settings")
application = get_wsgi_application()

from django.db import transaction

from orders import services
from orders.services import lines, rules
from orders.views import OrderViewSet
from products.models import Product
from tests.waiting import PATIENCE

_looked, _two = count(1), Event()


def wait_for_another():
    """Return once two threads of this process have got as far: of the first two, neither sees what the other does."""
    if next(_looked) == 2:
        _two.set()
    _two.wait(timeout=PATIENCE)


def looks_before_it_locks():
    """Ask whether there is room in one transaction, and place the order unasked in the next."""
    looked, place, over = local(), services.place_order, rules._over_capacity

    def look_then_place(**wanted):
        looked.already = False
        with transaction.atomic():
            place(**wanted)
            transaction.set_rollback(True)
        looked.already = True
        wait_for_another()
        return place(**wanted)

    services.place_order = look_then_place
    rules._over_capacity = lambda *what: [] if looked.already else over(*what)


def locks_nothing():
    """Count what is taken without keeping the others out. (SQLite lets one writer in at a time anyway.)"""
    over = rules._over_capacity

    def look_and_wait(*what):
        refused = over(*what)
        if not refused:
            wait_for_another()
        return refused

    lines.lock_products = lambda ids: {product.pk: product for product in Product.objects.filter(pk__in=ids)}
    rules._lock = lambda products, *, anew: None
    rules._over_capacity = look_and_wait


def forgets_orders():
    """Acknowledge each third order without storing it."""
    create, numbers = OrderViewSet.create, count(1)

    @wraps(create)
    def create_or_forget(*request):
        with transaction.atomic():
            answer = create(*request)
            transaction.set_rollback(next(numbers) % 3 == 0)
        return answer

    OrderViewSet.create = create_or_forget


def knows_no_keys():
    """Take each repetition of a request for another order."""
    OrderViewSet.create = OrderViewSet.create.__wrapped__


globals()[os.environ["CARELESS"]]()
