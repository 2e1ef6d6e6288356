"""For whoever watches over the processes: does this one answer, and can it do its work."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache as remembered
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from bakery import clock
from bakery.models import Routine

log = structlog.get_logger("bakery.health")

LEAST_FREE = 2 * 1024 * 1024
PATIENCE_MS = 2000


@require_safe
def healthz(_: HttpRequest) -> JsonResponse:
    """The process answers. The database is not asked: a restart would not bring it back."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_: HttpRequest) -> JsonResponse:
    """200 when all that this process needs is there, else 503; `checks` names each with `ok` or what is wrong."""
    checks = _Readiness.look()
    ready = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks},
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


class _Readiness:
    """The checks write to the database, so that a burst of probes, or of strangers, is answered out of one look."""

    lock: ClassVar = threading.Lock()
    looked_at: ClassVar[float] = 0.0
    found: ClassVar[dict[str, str]] = {}

    @classmethod
    def look(cls) -> dict[str, str]:
        with cls.lock:
            if time.monotonic() - cls.looked_at > 1:
                cls.found = {}
                for name, check in CHECKS.items():
                    asked_in_vain = name == "migrations" and cls.found["database"] != "ok"
                    cls.found[name] = "unknown" if asked_in_vain else _outcome(name, check)
                cls.looked_at = time.monotonic()
            return cls.found


def _outcome(name: str, check: Callable[[], str | None]) -> str:
    try:
        return check() or "ok"
    except Exception as error:  # whatever it is, the answer is no; strangers are not told more
        log.warning("not ready", check=name, exc_info=error)
        return "failed"


def _database() -> None:
    """Write one row for good: a lock that somebody holds and a full disk show at nothing less."""
    with _patience(), transaction.atomic():
        if not Routine.objects.filter(name="readyz").update(done_at=clock.now()):
            Routine.objects.bulk_create([Routine(name="readyz")], ignore_conflicts=True)


@contextmanager
def _patience() -> Iterator[None]:
    """Wait for SQLite's one lock for seconds, as a probe does, not for as long as an order does."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = connection.settings_dict["OPTIONS"]["timeout"] * 1000
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def _migrations() -> str | None:
    applied = set(MigrationRecorder(connection).applied_migrations())
    missing = len(_migrations_of_this_release() - applied)
    return f"{missing} not applied" if missing else None


@remembered
def _migrations_of_this_release() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations)


def _cache() -> str | None:
    token = str(time.monotonic_ns())
    cache.set(f"readyz:{token}", token, timeout=10)
    return None if cache.get(f"readyz:{token}") == token else "does not keep what it is given"


def _disk() -> str | None:
    return "full" if shutil.disk_usage(settings.DATA_DIR).free < LEAST_FREE else None


CHECKS: dict[str, Callable[[], Any]] = {
    "database": _database,
    "migrations": _migrations,
    "cache": _cache,
    "disk": _disk,
}
