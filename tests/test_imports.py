"""Imports of products beside what other apps hold, and in processes of their own."""

import signal
from pathlib import Path

import pytest
from django.db import connection

from orders.tests.factories import make_order
from products.errors import CannotUndo
from products.importing import undo_import
from products.models import Product
from products.tests.factories import make_category, make_product
from products.tests.test_import_undo import bring_in, undo
from tests.server import a_shop


@pytest.mark.django_db
def test_what_was_ordered_since_an_import_made_it_stands_in_the_way_of_its_undo():
    old = make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    first = bring_in("sku,name,category,price\n,Loaf,Bread,2\nR1,Roll,Bread,2\n")
    make_order(items=[{"product": old.pk, "quantity": 1}])
    undo(bring_in("name,category,price\nLoaf,Bread,3\n"))  # what was there before may have been ordered
    make_order(items=[{"product": Product.objects.get(name="Roll").pk, "quantity": 1}])

    with pytest.raises(CannotUndo) as refused:
        undo_import(import_id=first.pk, user=None)

    assert [problem.message for problem in refused.value.problems] == ["Roll (R1) is in order items since."]
    assert Product.objects.count() == 2


def is_writing(shop):
    """Whether a process of the shop has products in its transaction, and has not committed them."""
    if connection.vendor == "sqlite":
        log = Path(shop.folder, "bakery.sqlite3-wal")
        return log.exists() and log.stat().st_size > 1_000_000
    with connection.cursor() as cursor:
        database = shop.environment["DATABASE_URL"].rpartition("/")[2]
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction, the same picture is shown again
        # Who has written something has a number for it.
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname = %s", [database])
        return cursor.fetchone() is not None


# It stands still once all products are written, and before they are committed.
IMPORT_AND_STAND_STILL = """
import signal, sys
import django
django.setup()
from django.core.management import call_command
from products.importing import apply
def stand_still(*_, **__):
    print("all is written", flush=True)
    signal.pause()
apply.add_history = stand_still
call_command("import_products", sys.argv[1])
"""


@pytest.mark.servers
@pytest.mark.django_db
def test_an_import_that_is_killed_in_the_middle_leaves_nothing_and_the_next_one_succeeds(tmp_path):
    path = tmp_path / "products.csv"
    rows = (f"SKU-{number},Loaf {number},Category {number % 40},1.30\n" for number in range(100_000))
    path.write_text("sku,name,category,price\n" + "".join(rows))
    with a_shop(tmp_path) as shop:
        importing = shop.start("-c", IMPORT_AND_STAND_STILL, str(path))
        shop.wait_for_line("all is written", importing)
        assert is_writing(shop)
        shop.stop(importing, signal.SIGKILL)
        assert importing.returncode == -signal.SIGKILL

        nothing = shop.manage("undo_import", check=False)
        assert "There is no import that could be undone." in nothing.stderr
        again = shop.manage("import_products", str(path))

    assert again.stdout == "created 100000, updated 0, unchanged 0, skipped 0\n"
