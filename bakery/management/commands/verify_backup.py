from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bakery import backup


class Command(BaseCommand):
    help = "Check every byte of a backup and restore it into a scratch database. The shop is not touched."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("archive", type=Path)

    def handle(self, *, archive: Path, **options: Any) -> None:
        try:
            manifest = backup.verify(archive)
        except backup.Refused as error:
            raise CommandError(str(error)) from error
        rows = sum(manifest.tables.values())
        self.stdout.write(
            f"Good: made {manifest.created_at} by release {manifest.app_version} on {manifest.engine}, "
            f"{rows} rows in {len(manifest.tables)} tables, {len(manifest.members) - 1} media files."
        )
