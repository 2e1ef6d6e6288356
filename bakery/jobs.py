"""Work that is done behind the request: a row in a table, written in the transaction of its cause.

    @job(keep_trying=timedelta(hours=4))
    def send_reset_link(user_id: int) -> None: ...

    send_reset_link.enqueue(user.pk)   # inside the service's transaction

A job that raises is tried again after 10 s, 20 s, 40 s … up to an hour, until `keep_trying` has passed since it was
enqueued. It may therefore run more than once: to do its work twice must do no harm.
"""

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from traceback import format_exception
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import transaction
from django_tasks import TaskResultStatus, task
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from bakery import clock

log = structlog.get_logger("bakery.jobs")

P = ParamSpec("P")
R = TypeVar("R")

THREE_DAYS = timedelta(days=3)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
# No job of ours takes minutes: its worker was killed, and nobody else will say so.
PRESUMED_DEAD = timedelta(minutes=10)
KEEP_DONE, KEEP_FAILED = timedelta(days=7), timedelta(days=90)


def job(*, keep_trying: timedelta = THREE_DAYS) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a module-level function a job. Its arguments must be JSON: ids, not objects."""

    def make(function: Callable[P, R]) -> Task[P, R]:
        function.keep_trying = keep_trying  # type: ignore[attr-defined]
        return task()(function)

    return make


def run_due(stop: threading.Event | None = None) -> int:
    """Run every job that is due, one after the other, until none is left or `stop` is set; return how many ran."""
    worker = f"{socket.gethostname()}:{os.getpid()}"[:64]
    count = 0
    while not (stop and stop.is_set()):
        claimed = _claim(worker)
        if claimed is None:
            break
        _run(claimed)
        count += 1
    return count


def _claim(worker: str) -> DBTaskResult[Any, Any] | None:
    # A plain look first, so that an idle worker does not take the write lock of SQLite every second.
    if not DBTaskResult.objects.ready().exists():
        return None
    with transaction.atomic():
        row = DBTaskResult.objects.ready().get_locked()
        if row:
            row.claim(worker)
        return row


def _run(row: DBTaskResult[Any, Any]) -> None:
    with structlog.contextvars.bound_contextvars(job=row.task_path, job_id=str(row.pk)):
        try:
            row.task.call(*row.args_kwargs["args"], **row.args_kwargs["kwargs"])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is logged and tried again
            _after_failure(row, error)
        else:
            row.set_successful(None)
            log.info("job done", attempt=len(row.worker_ids))


def _after_failure(row: DBTaskResult[Any, Any], error: Exception) -> None:
    """Put the job back for a later time, or give it up."""
    now = clock.now()
    attempt = len(row.worker_ids)
    again_at = now + pause_after(attempt)
    left = {"exception_class_path": _path_of(error), "traceback": "".join(format_exception(error))}
    # Only while the row is still this attempt's: it may have been presumed dead and be another worker's by now.
    mine = DBTaskResult.objects.running().filter(pk=row.pk, started_at=row.started_at)
    if again_at < row.enqueued_at + _keep_trying(row):
        mine.update(status=TaskResultStatus.READY, run_after=again_at, **left)
        log.warning("job failed, will be tried again", attempt=attempt, again_at=again_at.isoformat(), exc_info=error)
    else:
        mine.update(status=TaskResultStatus.FAILED, finished_at=now, **left)
        log.error("job given up", attempt=attempt, exc_info=error)


def pause_after(attempt: int) -> timedelta:
    """Return how long to wait after the given attempt, counted from 1."""
    return min(FIRST_PAUSE * (1 << min(attempt - 1, 20)), LONGEST_PAUSE)


def _keep_trying(row: DBTaskResult[Any, Any]) -> timedelta:
    try:
        keep_trying: timedelta = row.task.func.keep_trying  # type: ignore[attr-defined]
    except (ImportError, AttributeError):  # enqueued by a newer release than this worker's
        return THREE_DAYS
    return keep_trying


def _path_of(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def revive(now: datetime) -> int:
    """Put jobs back whose worker died; return how many. One that keeps killing its worker is given up in the end."""
    lost = list(DBTaskResult.objects.running().filter(started_at__lt=now - PRESUMED_DEAD)[:1000])
    for row in lost:
        again = now < row.enqueued_at + _keep_trying(row)
        change = (
            {"status": TaskResultStatus.READY, "run_after": now}
            if again
            else {"status": TaskResultStatus.FAILED, "finished_at": now}
        )
        if DBTaskResult.objects.running().filter(pk=row.pk, started_at=row.started_at).update(**change):
            log.error("job was lost with its worker", job=row.task_path, job_id=str(row.pk), again=again)
    return len(lost)


def prune(now: datetime) -> None:
    """Forget jobs that were done a week ago, and those given up three months ago."""
    DBTaskResult.objects.successful().filter(finished_at__lt=now - KEEP_DONE).delete()
    DBTaskResult.objects.failed().filter(finished_at__lt=now - KEEP_FAILED).delete()
