from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from bakery.backup.work import is_empty


class Command(BaseCommand):
    help = (
        "Make the database ready for this release. With --demo fill an empty shop, and print the logins of a demo shop."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="Fill the shop with the demo bakery if it is empty.")

    def handle(self, *, demo: bool, **options: Any) -> None:
        # Also where no migration is due: it puts roles, triggers and the rows that every shop needs in place.
        call_command("migrate", verbosity=0)
        if demo and is_empty():
            self.stderr.write("Filling the shop with the demo bakery …")
            call_command("loaddata", "demo", verbosity=0)
            call_command("seed_demo", stdout=self.stderr)
        demo_users = get_user_model().objects.filter(email__endswith="@millers-bakery.example", is_active=True)
        if demo and demo_users.exists():
            self.stdout.write("owner, manager, cashier, baker, driver, customer; password: NAME-demo-1")
