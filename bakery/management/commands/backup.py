from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bakery import backup, clock, storage


class Command(BaseCommand):
    help = "Back up database and media into one archive, proven by restoring it beside, and print its path."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", type=Path, default=settings.BACKUP_DIR, metavar="DIR", help="instead of %(default)s"
        )

    def handle(self, *, to: Path, **options: Any) -> None:
        try:
            self.stdout.write(str(backup.make(to.expanduser().resolve(), now=clock.now())))
        except (backup.Refused, OSError) as error:
            raise CommandError(f"No backup was made. {error}") from error
        if settings.STORAGES["default"] != storage.IN_FILES:
            self.stderr.write("The pictures are in the bucket of MEDIA_STORAGE; this archive does not hold them.")
