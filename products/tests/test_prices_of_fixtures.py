"""The story of a price that `loaddata` brought, which writes no history: it is told from its beginning."""

import pytest
from django.core.management import call_command

from accounts.tests.factories import make_user
from products import tasks
from products.models import Product
from products.tests.pictures import drawn, put
from products.tests.test_prices import MONDAY, NOON, PLAN, url_of

OF_OLD = ("1.95", "2026-01-01T06:00", None)


@pytest.fixture(autouse=True)
def _friday(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def turnover(db) -> Product:
    """One of the demo shop, 1.95 since 2026-01-01: `loaddata` wrote no history of it."""
    call_command("loaddata", "demo", verbosity=0)
    return Product.objects.get(sku="CHAUSSON")


@pytest.fixture
def manager(api_as, turnover):
    return api_as(make_user(role="manager", username="marc"))


def told(manager, product) -> list[tuple[str, str, str | None]]:
    return [(span["price"], span["since"][:16], span["user"]) for span in manager.get(url_of(product)).json()["data"]]


def test_a_fixtures_price_stays_its_own_when_something_else_changes(manager, turnover):
    manager.patch(f"/api/products/{turnover.pk}", {"description": "With cinnamon."})

    assert told(manager, turnover) == [OF_OLD]


def test_a_fixtures_price_is_kept_when_it_changes_once_and_again(manager, turnover, time_machine):
    manager.patch(f"/api/products/{turnover.pk}", {"price": "9.90"})
    time_machine.move_to(MONDAY, tick=False)
    manager.patch(f"/api/products/{turnover.pk}", {"price": "2.00"})

    changes = [("9.90", "2026-11-27T12:00", "marc"), ("2.00", "2026-11-30T00:00", "marc")]
    assert told(manager, turnover) == [OF_OLD, *changes]
    assert turnover.history.count() == 3


def test_a_fixtures_price_is_kept_when_another_is_entered_for_today(manager, turnover):
    manager.post(url_of(turnover), {"price": "2.10", "valid_from": "2026-11-27"})

    assert told(manager, turnover) == [OF_OLD, ("2.10", "2026-11-27T12:00", "marc")]


def test_a_fixtures_price_is_kept_when_a_planned_one_comes_into_force(manager, turnover, time_machine):
    manager.post(url_of(turnover), PLAN)
    Product.history.all().delete()  # an upgrade finds plans that were made before
    time_machine.move_to(MONDAY, tick=False)
    call_command("tick")

    assert told(manager, turnover) == [OF_OLD, ("1.40", "2026-11-30T00:00", "marc")]


def test_a_fixture_that_is_loaded_again_tells_its_price_after_what_was_before(manager, turnover, time_machine):
    manager.patch(f"/api/products/{turnover.pk}", {"price": "9.90"})
    call_command("loaddata", "demo", verbosity=0)
    time_machine.move_to(MONDAY, tick=False)
    manager.patch(f"/api/products/{turnover.pk}", {"price": "2.00"})

    prices = [price for price, _, _ in told(manager, turnover)]
    assert prices == ["1.95", "9.90", "1.95", "2.00"]


def test_a_fixtures_price_is_kept_when_its_picture_gets_thumbnails(manager, turnover, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    put(manager, turnover, drawn("PNG", size=(400, 40)))
    Product.history.all().delete()
    Product.objects.filter(pk=turnover.pk).update(image_width=0, updated_at="2026-01-01T05:00:00Z")
    tasks.make_thumbnails.call()

    assert told(manager, turnover) == [OF_OLD]
