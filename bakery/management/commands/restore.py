from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bakery import backup


class Command(BaseCommand):
    help = "Put the shop back to what a backup holds. Stop the web server and the worker first."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("archive", type=Path)
        parser.add_argument("--replace", action="store_true", help="also where the shop is not empty")

    def handle(self, *, archive: Path, replace: bool, **options: Any) -> None:
        try:
            kept = backup.restore(archive, replace=replace)
        except (backup.Refused, OSError) as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        except backup.Unfinished as error:
            raise CommandError(f"The shop is restored from {archive}, but not all is done. {error}") from error
        self.stdout.write(f"Restored from {archive}." + (f" What was there before is kept as {kept}." if kept else ""))
