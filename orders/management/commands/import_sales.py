import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bakery.errors import DomainError
from orders import services

MOST_PROBLEMS = 20


class Command(BaseCommand):
    help = (
        "Import another till's tickets from a CSV file (or .csv.gz) with the columns date, time, ticket, article, "
        "quantity, unit_price. A ticket that is there already is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--quiet", action="store_true", help="Say nothing unless something is wrong.")

    def handle(self, *, file: Path, quiet: bool, **options: Any) -> None:
        started = time.monotonic()
        columns = (TextColumn("tickets"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty()) as bar:
            task = bar.add_task("tickets", total=None)
            try:
                report = services.import_sales(
                    file, progress=lambda done, total: bar.update(task, completed=done, total=total)
                )
            except OSError as error:
                raise CommandError(f"{file}: {error.strerror or error}") from error
            except DomainError as refusal:
                raise CommandError(told(refusal)) from refusal
        if not quiet:
            self.stdout.write(
                f"{report.tickets} tickets with {report.lines} lines imported, {report.skipped} lines skipped, "
                f"{report.already_there} tickets already there, {time.monotonic() - started:.1f} seconds."
            )


def told(refusal: DomainError) -> str:
    """Return what was wrong with the file, at most so many lines of it."""
    shown = [problem.message for problem in refusal.problems[:MOST_PROBLEMS]]
    more = len(refusal.problems) - len(shown)
    rest = [f"… and {more} more"] if more else []
    return "\n".join(["Nothing was imported:", *shown, *rest])
