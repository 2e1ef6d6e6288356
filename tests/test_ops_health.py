"""Probes, figures and log lines: what an operator watches."""

import json
import logging
import re
import shutil
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import Role
from accounts.tests.factories import make_user
from bakery import clock, health
from bakery.models import Routine
from tests.server import a_shop
from tests.waiting import PATIENCE


def test_healthz_answers_without_a_database(client):
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_names_each_check(client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "cache": "ok", "disk": "ok"},
    }


@pytest.mark.django_db
def test_readyz_is_cheap(client, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: 1000.0, monotonic_ns=lambda: 1))
    client.get("/readyz")
    health._Readiness.looked_at = 0.0
    with django_assert_max_num_queries(8):
        client.get("/readyz")
    with django_assert_max_num_queries(0):
        client.get("/readyz")


def refuse(*args, **kwargs):
    raise OperationalError("could not connect to server at 10.0.0.5")


def not_ready(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert "10.0.0.5" not in answer.content.decode()
    return {name: outcome for name, outcome in answer.json()["checks"].items() if outcome != "ok"}


@pytest.mark.django_db
def test_not_ready_while_the_database_is_away(client, monkeypatch):
    monkeypatch.setitem(health.CHECKS, "database", refuse)

    assert not_ready(client) == {"database": "failed", "migrations": "unknown"}


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client):
    MigrationRecorder(connection).record_unapplied("bakery", "0001_initial")

    assert not_ready(client) == {"migrations": "1 not applied"}


@pytest.mark.django_db
def test_not_ready_while_the_cache_is_away(client, monkeypatch):
    monkeypatch.setattr(type(cache._connections["default"]), "get", refuse)

    assert not_ready(client) == {"cache": "failed"}


@pytest.mark.django_db
def test_not_ready_while_the_disk_is_full(client, monkeypatch):
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 0))

    assert not_ready(client) == {"disk": "full"}


@pytest.mark.django_db
def test_metrics_are_for_administrators(client):
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").json()["errors"][0]["code"] == "not_authenticated"


@pytest.mark.parametrize("role", Role.values)
def test_metrics_by_role(api_as, role):
    answer = api_as(role).get("/metrics")

    assert answer.status_code == (200 if role == "admin" else 403)


def test_the_token_of_the_scraper_opens_the_metrics_and_nothing_else(client, db, settings):
    settings.METRICS_TOKEN = "s" * 32
    shown = {"Authorization": "Bearer " + "s" * 32}

    assert client.get("/metrics", headers=shown).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer " + "s" * 31}).status_code == 401
    assert client.get("/api/users", headers=shown).status_code == 401


def test_without_a_token_an_empty_one_opens_nothing(client, db, settings):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_requests_and_jobs_are_counted(api_as):
    admin = api_as("admin")
    admin.get("/healthz")
    admin.generic("BREW", "/nothing-here")
    text = admin.get("/metrics").content.decode()

    assert re.search(r'bakery_request_seconds_count\{method="GET",status="200",view="healthz"\} \d', text)
    assert re.search(r'bakery_request_seconds_count\{method="other",status="404",view="none"\} \d', text)
    assert 'bakery_jobs{status="ready"} 0.0' in text
    assert "bakery_last_backup" not in text

    made = clock.now()
    Routine.objects.create(name="backup", done_at=made)
    text = admin.get("/metrics").content.decode()
    assert float(re.search(r"^bakery_last_backup_timestamp_seconds (.+)$", text, re.MULTILINE)[1]) == made.timestamp()


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "bakery.request")
    return lambda: [record.msg for record in caplog.records if record.name == "bakery.request"]


def test_a_request_leaves_one_line(api_as, lines):
    manager = make_user(role="manager")
    api_as(manager).get("/api/schema?search=clara", headers={"X-Request-ID": "abc-1"})

    (line,) = lines()
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["user"], line["request_id"]) == (
        "GET",
        "/api/schema",
        manager.pk,
        "abc-1",
    )
    assert line["ms"] > 0
    assert "clara" not in str(line)


def test_probes_leave_no_line(client, db, lines):
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)

    assert lines() == []


@pytest.mark.servers
def test_figures_are_right_over_all_processes(tmp_path):
    import urllib.request

    with a_shop(tmp_path, METRICS_TOKEN="t" * 40) as shop:
        server = shop.serve()

        def scrape():
            request = urllib.request.Request(f"{shop.url}/metrics", headers={"Authorization": "Bearer " + "t" * 40})
            text = urllib.request.urlopen(request, timeout=PATIENCE).read().decode()
            count = re.search(r'bakery_request_seconds_count\{method="GET",status="200",view="readyz"\} (\d+)', text)
            return int(count[1]) if count else 0

        for _ in range(30):
            urllib.request.urlopen(f"{shop.url}/readyz", timeout=PATIENCE).read()
        assert {scrape() for _ in range(6)} == {30}
        shop.stop(server)
        written = [json.loads(line) for line in shop.log().splitlines()[1:]]
        assert "Shutting down: Master" in written[-1]["event"]
