from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from products.errors import CannotUndo
from products.importing import undo_import
from products.models import ProductImport


class Command(BaseCommand):
    help = "Put the catalogue back to what it was before the last import. Without a number, say which that is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, nargs="?", metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["number"] is None:
            return self._name_the_last()
        try:
            record = undo_import(import_id=options["number"], user=None)
        except CannotUndo as refusal:
            for problem in refusal.problems:
                self.stderr.write(problem.message)
            raise CommandError("Nothing was undone.") from refusal
        self.stdout.write(f"undone: {record.created} products removed, {record.updated} changed back")
        return None

    def _name_the_last(self) -> None:
        last = ProductImport.objects.undoable().first()
        if last is None:
            raise CommandError("There is no import that could be undone.")
        self.stdout.write(
            f"{last.pk}: {last.file_name} of {last.imported_at:%Y-%m-%d %H:%M} UTC,"
            f" created {last.created}, updated {last.updated}"
        )
