import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from accounts.selectors import person_named
from bakery import privacy


class Command(BaseCommand):
    help = "Print all that is stored about a customer, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="USER|EMAIL", help="A username, or the e-mail address of a user or guest.")

    def handle(self, *args: Any, **options: Any) -> None:
        told = privacy.export(person_named(options["name"]))
        if not told:
            raise CommandError("Nothing is stored about such a person.")
        self.stdout.write(json.dumps(told, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
