"""Fixtures that every test may use."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from shutil import which
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import make_user
from bakery.cache import _Forgiving
from bakery.db import drop_triggers
from bakery.health import _Readiness
from tests.waiting import PATIENCE

# What Hypothesis makes up is the same each time, and may take its time.
settings.register_profile("bakery", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("bakery")

A_TUESDAY = datetime(2026, 11, 24, 9, 0, 10, tzinfo=UTC)  # at ten in the shop


@pytest.fixture(autouse=True)
def _on_the_same_morning(request: pytest.FixtureRequest) -> Iterator[None]:
    """Begin each test on the same morning: no midnight, month's end or change of the clocks comes into any by chance.

    Other processes go by the machine's clock, and so do the tests that start some.
    """
    if request.node.get_closest_marker("servers"):
        yield
        return
    with time_machine.travel(A_TUESDAY):
        yield


@pytest.fixture
def api_as(db: None) -> Callable[..., APIClient]:
    """A client signed in with a role, or as a user: `api_as("baker").get(...)`; `api_as(None)` is a guest."""

    def sign_in(who: str | User | None) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if who is not None:
            user = who if isinstance(who, User) else make_user(role=who)
            client.force_authenticate(User.objects.get(pk=user.pk))
        return client

    return sign_in


@pytest.fixture
def chromium(_browser: Any) -> Any:
    """A browser without a window, for tests with the mark `browser`; it knows nothing of the test before."""
    _browser.get("about:blank")
    _browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    _browser.set_window_size(1400, 1000)  # on a narrow one the buttons are in a menu
    _browser.get_log("browser")
    return _browser


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en-US"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome"))))
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(which("chromedriver")))
    browser.implicitly_wait(PATIENCE / 2)
    yield browser
    browser.quit()


@pytest.fixture
def queries_do_not_grow() -> Callable[..., int]:
    """Assert that a list costs as many queries for many rows as for few; return how many."""

    def check(client: APIClient, url: str, add_rows: Callable[[], object]) -> int:
        client.get(url)  # what its user may do is asked once
        counts = []
        for _ in range(3):
            add_rows()
            with CaptureQueriesContext(connection) as caught:
                assert client.get(url).status_code == 200
            counts.append(len(caught))
        assert len(set(counts)) == 1, f"{url}: {counts} queries"
        return counts[0]

    return check


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers for seconds would tell one test of another."""
    cache.clear()
    monkeypatch.setattr(_Readiness, "looked_at", 0.0)
    monkeypatch.setattr(_Forgiving, "away_until", 0.0)


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_triggers() -> Iterator[None]:
    """After a test that commits, Django empties the tables, append-only ones too; the flush makes the triggers anew."""
    flush = TransactionTestCase._fixture_teardown

    def flush_without_triggers(self: TransactionTestCase) -> None:
        drop_triggers()
        flush(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_without_triggers)
        yield
