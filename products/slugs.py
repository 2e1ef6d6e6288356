"""Names that may stand in an address: made of a product's or category's name, and never given twice."""

import unicodedata
from collections.abc import Collection

from django.utils.text import slugify

from products.models import Category, Product

# Letters that Unicode does not take apart.
_LETTERS = str.maketrans({
    "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l",
    "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "þ": "th", "Þ": "th",
})  # fmt: skip
_ROOM_FOR_NUMBER = 10


class SlugBook:
    """Hands out slugs of one model; `taken` are those that are in use."""

    def __init__(self, model: type[Category | Product], taken: Collection[str]) -> None:
        self._longest = (model._meta.get_field("slug").max_length or 0) - _ROOM_FOR_NUMBER
        self._nameless = str(model._meta.verbose_name)
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return a slug for `name`: its letters, with a number where they are taken or there are none."""
        base = slug_of(name)[: self._longest].rstrip("-")
        if base and base not in self._taken:
            self._taken.add(base)
            return base
        number = self._last.get(base, 1 if base else 0) + 1
        while f"{base or self._nameless}-{number}" in self._taken:
            number += 1
        self._last[base] = number
        slug = f"{base or self._nameless}-{number}"
        self._taken.add(slug)
        return slug


def slug_of(name: str) -> str:
    """Return `name` in small ASCII letters, digits and hyphens; empty where it has none of them."""
    if not name.isascii():
        plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
        name = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return slugify(name).strip("-_")


def free_slug(model: type[Category | Product], name: str) -> str:
    """Return a slug for `name` that no row of `model` has. The caller holds the catalogue, so it stays free."""
    start = slug_of(name)[:20] or str(model._meta.verbose_name)
    near = model._default_manager.filter(slug__startswith=start).values_list("slug", flat=True)
    return SlugBook(model, near).take(name)
