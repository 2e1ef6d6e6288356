from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from products import services
from products.rates import LEGAL_RATES


class Command(BaseCommand):
    help = "Enter the VAT classes and rates of a country for what bakeries sell; what the shop entered stands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("country", choices=sorted(LEGAL_RATES))

    def handle(self, *args: Any, country: str, **options: Any) -> None:
        for line in services.load_vat(country):
            self.stdout.write(line)
