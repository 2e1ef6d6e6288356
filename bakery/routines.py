"""What the clock makes due. Each routine may be run by several processes at once, and only one of them does it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.core.management import call_command

from bakery import jobs, models
from bakery.apps import offered
from bakery.models import Routine

log = structlog.get_logger("bakery.routines")

EACH_TIME, DAILY = timedelta(0), timedelta(days=1)


class Step(NamedTuple):
    name: str
    every: timedelta
    run: Callable[[datetime], object]


def run_due(now: datetime) -> list[str]:
    """Run every routine that is due at `now`; return the names of those that failed. One failing stops no other."""
    return [step.name for step in steps() if not _run(step, now)]


def steps() -> Iterator[Step]:
    """The kernel's routines, and the `tick(now)` of each app whose services offer one."""
    yield Step("revive-jobs", EACH_TIME, jobs.revive)
    yield Step("prune", timedelta(hours=1), models.prune)
    yield Step("prune-jobs", DAILY, jobs.prune)
    yield Step("forget-tokens", DAILY, lambda _: call_command("flushexpiredtokens"))
    yield Step("forget-sessions", DAILY, lambda _: call_command("clearsessions"))
    for label, tick in offered("services", "tick"):
        yield Step(label, EACH_TIME, tick)


def _run(step: Step, now: datetime) -> bool:
    if not Routine.objects.claim(step.name, every=step.every, now=now):
        return True
    done_at = None
    try:
        step.run(now)
        done_at = now
    except Exception:
        log.exception("routine failed", routine=step.name)
    finally:
        Routine.objects.release(step.name, done_at=done_at)
    return done_at is not None
