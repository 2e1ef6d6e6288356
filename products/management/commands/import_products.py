from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from products.errors import BadProductFile, PlanOutdated
from products.importing import Change, Plan, Progress, import_products, plan_import, read_file

MOST_LISTED = 50


class Command(BaseCommand):
    help = "Bring the products of a file (.csv, .tsv, .xlsx, .gz) into the catalogue: all of them, or none."
    # They load every view and page of the admin, which takes longer than to import a thousand products.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")
        parser.add_argument(
            "--plan", default="", help="What a dry run told: import only if the catalogue is still as it was then."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            counts = self._import(path, dry_run=options["dry_run"], reviewed=options["plan"])
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except PlanOutdated as refusal:
            raise CommandError(refusal.message) from refusal
        except BadProductFile as refusal:
            for fault in refusal.errors:
                place = f"line {fault.line}" + (f", column {fault.column}" if fault.column else "")
                self.stderr.write(f"{place}, {fault.code}: {fault.message}")
            raise CommandError(refusal.message) from refusal
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        self.stdout.write(f"{told}{' (dry run)' if options['dry_run'] else ''}")

    def _import(self, path: Path, *, dry_run: bool, reviewed: str) -> dict[str, int]:
        with ExitStack() as shown:
            # Drawn on a terminal alone; a pipe gets the counts and nothing else.
            tell = _bar(shown, f"Reading {path.name}") if self.stderr.isatty() else _silence
            with path.open("rb") as source:
                file = read_file(source, filename=path.name)
            if not dry_run:
                return import_products(file, user=None, reviewed=reviewed, progress=tell).counts
            plan = plan_import(file)
        self._show(plan)
        return plan.counts

    def _show(self, plan: Plan) -> None:
        changes = plan.changes()
        for change in islice(changes, MOST_LISTED):
            self.stdout.write(_sentence(change))
        more = sum(1 for _ in changes)
        if more:
            self.stdout.write(f"… and {more:,} more")
        for notice in plan.file.products.notices[:MOST_LISTED]:
            self.stdout.write(f"line {notice.line}: {notice.message}")
        self.stdout.write(f"--plan {plan.fingerprint} imports just this, or nothing once the catalogue has changed.")


def _silence(*_: object) -> None: ...


def _bar(shown: ExitStack, title: str) -> Progress:
    """Draw a progress bar as long as `shown` is open; return what moves it on."""
    # Here, since a pipe need not wait until it is loaded.
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar = shown.enter_context(Bar(console=Console(stderr=True), transient=True))
    task = bar.add_task(title, total=None)
    return lambda step, done, total: bar.update(task, description=step, completed=done, total=total)


def _sentence(change: Change) -> str:
    label = f"{change.name} ({change.sku})" if change.sku else change.name
    fields = ", ".join(
        f"{name} {_short(new)}" if old is None else f"{name} {_short(old)} → {_short(new)}"
        for name, old, new in change.fields
    )
    return f"line {change.line}: {change.action} {label}: {fields}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= 40 else f"{line[:39]}…") or "(empty)"
