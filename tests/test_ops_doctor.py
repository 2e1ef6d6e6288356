from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from bakery import db, selectors
from bakery.models import Shop

pytestmark = pytest.mark.django_db


def doctor():
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), None


def test_a_fresh_shop_is_healthy():
    out, error = doctor()

    assert error is None
    for label in ("bakery", "accounts", "products", "cashbook", "orders", "production"):
        assert f"{label}: ok\n" in out
    assert "(last backup: never)" in out
    assert "(worker: never seen)" in out


def test_each_drift_is_a_line_and_the_exit_code_says_so():
    Shop.objects.update_or_create(pk=1, defaults={"name": " ", "currency": "€"})

    out, error = doctor()

    assert "bakery: The shop's currency '€' is not a code such as EUR.\n" in out
    assert "bakery: The shop has no name.\n" in out
    assert error == "2 things are not as it must be."
    assert "bakery: ok" not in out
    assert "products: ok" in out


def test_a_missing_trigger_is_seen():
    db.drop_triggers()

    assert [line for line in selectors.checks() if "_no_" in line]


def test_a_missing_migration_is_seen():
    MigrationRecorder(connection).record_unapplied("bakery", "0001_initial")

    assert next(iter(selectors.checks())) == "The migration bakery.0001_initial is not applied."


def test_an_app_that_cannot_be_checked_hides_no_other(monkeypatch):
    def broken():
        raise ValueError("no such table")

    monkeypatch.setattr(selectors, "checks", broken)
    out, error = doctor()

    assert "bakery: Could not be checked to the end: ValueError: no such table\n" in out
    assert "products: ok" in out
    assert error == "1 thing is not as it must be."
