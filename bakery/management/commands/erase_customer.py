from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.selectors import person_named
from bakery import privacy
from bakery.errors import DomainError


class Command(BaseCommand):
    help = "Forget a customer: names, addresses, notes and history go, amounts and VAT stay. There is no way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="USER|EMAIL", help="A username, or the e-mail address of a user or guest.")

    def handle(self, *args: Any, **options: Any) -> None:
        person = person_named(options["name"])
        if not privacy.export(person):
            raise CommandError("Nothing is stored about such a person.")
        try:
            privacy.erase(person)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write("Erased.")
