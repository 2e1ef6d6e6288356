from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bakery.api.fields import read_day
from cashbook import selectors


class Command(BaseCommand):
    help = "Compute the cash book's numbers, hashes and sums anew. A line for each problem; exit 1 if there is any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=read_day, help="the first day to look at, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=read_day, help="the last day to look at, YYYY-MM-DD")

    def handle(self, **options: Any) -> None:
        found = 0
        for problem in selectors.problems(options["first"], options["last"]):
            self.stdout.write(problem)
            found += 1
        if found:
            raise CommandError(f"The cash book has {found} problem{'s' if found > 1 else ''}.")
        self.stdout.write("The cash book is as it was written.")
