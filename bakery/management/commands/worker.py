import signal
import threading
import time
from functools import partial
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from bakery import clock, jobs, routines

log = structlog.get_logger("bakery.worker")

LOOK_EVERY, TICK_EVERY, AFTER_AN_OUTAGE = 0.5, 60.0, 5.0


class Command(BaseCommand):
    help = "Run background jobs as they come, and every minute what the clock makes due. Ends on SIGTERM."

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, partial(end, stop))
        log.info("worker started")
        next_tick = time.monotonic()
        while not stop.is_set():
            pause = LOOK_EVERY
            try:
                close_old_connections()
                if time.monotonic() >= next_tick:
                    next_tick = time.monotonic() + TICK_EVERY
                    routines.run_due(clock.now())
                jobs.run_due(stop)
            except (OperationalError, InterfaceError) as error:
                # The database is away or busy. Nothing is lost: whatever was begun is found again.
                log.warning("database unavailable", exc_info=error)
                connections.close_all()
                pause = AFTER_AN_OUTAGE
            stop.wait(pause)
        log.info("worker ended")


def end(stop: threading.Event, number: int, _: FrameType | None) -> None:
    """Finish the job in hand, then end; the same signal once more ends at once."""
    stop.set()
    signal.signal(number, signal.SIG_DFL)
