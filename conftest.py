"""Fixtures that every test may use."""

from collections.abc import Callable, Iterator
from shutil import which
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import make_user
from bakery.cache import _Forgiving
from bakery.db import drop_triggers
from bakery.health import _Readiness


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
    """A browser without a window, for tests with the mark `browser`; its log begins with the test."""
    _browser.get("about:blank")
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
