import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timesince import timesince
from django_tasks_db.models import DBTaskResult

from bakery import clock
from bakery.apps import offered
from bakery.models import Routine


class Command(BaseCommand):
    help = "Check everything that is derived or guarded; exit 1 and a line for each thing that is not as it must be."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        count = 0
        for label, checks in offered("selectors", "checks"):
            drifts = 0
            for line in _all_of(checks):
                self.stdout.write(f"{label}: {line}")
                drifts += 1
            if not drifts:
                self.stdout.write(f"{label}: ok")
            count += drifts
        for line in _for_information():
            self.stdout.write(f"({line})")
        if count:
            raise CommandError(f"{count} thing{'s are' if count > 1 else ' is'} not as it must be.")


def _all_of(checks: Callable[[], Iterable[str]]) -> Iterator[str]:
    try:
        yield from checks()
    except Exception as error:  # noqa: BLE001  # what one app stumbles over must not hide what the next one finds
        yield f"Could not be checked to the end: {type(error).__name__}: {error}"


def _for_information() -> Iterator[str]:
    free = shutil.disk_usage(settings.DATA_DIR).free
    yield f"disk: {free / 1024**3:.1f} GiB free in {settings.DATA_DIR}"
    last = Routine.objects.filter(name="backup").first()
    yield f"last backup: {timesince(last.done_at)} ago" if last and last.done_at else "last backup: never"
    jobs = DBTaskResult.objects
    yield f"jobs: {jobs.ready().count()} due, {jobs.failed().count()} given up in the last 90 days"
    ticked = Routine.objects.filter(name="revive-jobs").first()
    yield (
        f"worker: last seen {timesince(ticked.done_at, clock.now())} ago"
        if ticked and ticked.done_at
        else "worker: never seen"
    )
    for _, asides in offered("selectors", "asides"):
        yield from _all_of(asides)
