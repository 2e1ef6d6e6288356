from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from products.errors import BadProductFile
from products.importing import ImportResult, import_products, read_file


class Command(BaseCommand):
    help = "Bring the products of a file (.csv, .tsv, .xlsx, .gz) into the catalogue: all of them, or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            result = self._import(path, dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except BadProductFile as refusal:
            for fault in refusal.errors:
                place = f"line {fault.line}" + (f", column {fault.column}" if fault.column else "")
                self.stderr.write(f"{place}, {fault.code}: {fault.message}")
            raise CommandError(refusal.message) from refusal
        counts = ", ".join(f"{name} {count}" for name, count in result._asdict().items())
        self.stdout.write(f"{counts}{' (dry run)' if options['dry_run'] else ''}")

    def _import(self, path: Path, *, dry_run: bool) -> ImportResult:
        # Drawn on a terminal alone; a pipe gets the counts and nothing else.
        with Progress(console=Console(stderr=True), disable=not self.stderr.isatty(), transient=True) as progress:
            task = progress.add_task(f"Reading {path.name}", total=None)
            file = read_file(path, filename=path.name)

            def tell(step: str, done: int, total: int) -> None:
                progress.update(task, description=step, completed=done, total=total)

            return import_products(file, user=None, dry_run=dry_run, progress=tell)
