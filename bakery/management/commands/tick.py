from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bakery import clock, routines


class Command(BaseCommand):
    help = "Do what the clock makes due. The worker calls this every minute; to run it as well does no harm."

    def handle(self, **options: Any) -> None:
        failed = routines.run_due(clock.now())
        if failed:
            raise CommandError(f"Failed, see the log: {', '.join(failed)}.")
