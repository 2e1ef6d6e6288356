"""What is stored about a customer: all of it told, or all of it taken away but amounts and VAT."""

from typing import Any, NamedTuple

from django.db import transaction

from bakery.apps import offered


class Person(NamedTuple):
    """A customer: their account's id (None for a guest), and the e-mail address that they go by ("" for none)."""

    user_id: int | None
    email: str


def export(person: Person) -> dict[str, Any]:
    """Return what each app stores about `person`, by its label."""
    return {label: told for label, tell in offered("selectors", "export") if (told := tell(person))}


@transaction.atomic
def erase(person: Person) -> None:
    """Have each app forget `person`: all of them, or none. Raises DomainError where one refuses."""
    # What refers to an account goes first: orders are locked before the people who gave them.
    for _, forget in reversed(list(offered("services", "erase"))):
        forget(person)
