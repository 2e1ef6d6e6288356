"""A search of the catalogue, and how it is put to the database.

`products_search` holds of each product its name, SKU and description, folded, and `products_spelling` the words of
names with what is left of them when a letter is missing. Triggers keep both (`products.indexing`). An index of
trigrams, FTS5 on SQLite and pg_trgm on PostgreSQL, finds whatever has three letters; less is sought row by row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length

from products.models.words import nearest, searchable, spellings, words_of, words_to_spell

# What goes on after so many words narrows no further.
MOST_WORDS = 20
_MOST_ALTERNATIVES = 10
_TRIGRAM = 3


class Piece(NamedTuple):
    """A text that stands in a column, or in any of them where none is named."""

    text: str
    column: str = ""


# What satisfies one word of a search: any of these, each of them pieces that all stand there.
Choice = Sequence[Sequence[Piece]]
Condition = tuple[str, list[str | int]]
Rows = TypeVar("Rows", bound=QuerySet[Any])


class Question(NamedTuple):
    """Which rows of `products_search` are meant, and the number that they are ordered by before their names."""

    condition: Condition
    rank: Condition

    def keys(self, products: QuerySet[Any]) -> list[int]:
        """Return the ids of those of `products` that are meant, in their order: all of them, which one query reads."""
        sql, params = self.condition
        joined = products.extra(  # noqa: S610  # our own words
            tables=["products_search"], where=[f"products_search.{_key()} = products_product.id", sql], params=params
        )
        rank = RawSQL(*self.rank)  # noqa: S611  # our own words
        return list(joined.order_by(rank, *_THEN).values_list("pk", flat=True))

    def among(self, products: Rows) -> Rows:
        """Narrow `products` down to those that are meant, in their order."""
        (sql, params), (rank, rank_params) = self
        table, key = "products_search", _key()
        found = f"SELECT {key} FROM {table} WHERE {sql}"  # noqa: S608  # our own words, as below
        if connection.vendor == "postgresql":
            # By itself: asked for the first ones alone it would read row after row in hope of an early one.
            found = f"WITH found AS MATERIALIZED ({found}) SELECT {key} FROM found"  # noqa: S608
        order = f'SELECT {rank} FROM {table} WHERE {table}.{key} = "products_product"."id"'  # noqa: S608
        return products.filter(pk__in=RawSQL(found, params)).order_by(RawSQL(order, rank_params), *_THEN)  # noqa: S611


# Of two names with the same words in the same places, the shorter one says less else.
_THEN = (Length("name"), "name", "pk")


def _key() -> str:
    return "rowid" if connection.vendor == "sqlite" else "product_id"


class Search:
    """What somebody looks for."""

    def __init__(self, text: str) -> None:
        self._text = searchable(text.replace("\0", " ")).strip()
        self._words = self._text.split()[:MOST_WORDS]
        self._parts = [part for word in self._words for part in words_of(word)][:MOST_WORDS]

    def __bool__(self) -> bool:
        return bool(self._words)

    def hits(self) -> Question:
        """Products in which each word stands: `s/sel` as it is, or its parts at the start of words.

        The name itself comes first, then names that begin so, words of names, SKU, description.
        """
        whole = f" {' '.join(self._parts)} "
        tiers: list[Condition] = []
        if self._parts:
            tiers = [_is(whole), _begins(whole), _begins(whole[:-1]), _all(_starts(self._parts))]
        tiers += [
            _all([Piece(word, "name") for word in self._words]),
            ("products_search.sku = %s", [self._text]),
            _each([[Piece(word, "name")], [Piece(word, "sku")]] for word in self._words),
        ]
        return Question(
            _found([[Piece(word)], *_compound(word)] for word in self._words),
            _first_true(tiers),
        )

    def meant_words(self) -> dict[str, list[str]]:
        """Return, for each part that may be mistyped, the words of names that it may stand for, the nearest first."""
        parts = {part for part in self._parts if part in words_to_spell(part)}
        forms = sorted(set().union(*map(spellings, parts)))
        if not forms:
            return {}
        marks = ", ".join(["%s"] * len(forms))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT word FROM products_spelling WHERE form IN ({marks})", forms)  # noqa: S608
            words = {word for (word,) in cursor.fetchall()}
        near = {part: nearest(part, words)[:_MOST_ALTERNATIVES] for part in parts}
        return {part: found for part, found in near.items() if found}

    def near_misses(self, meant: Mapping[str, Sequence[str]]) -> Question:
        """Products in which each part stands, or in whose name a word stands that it may mean; the nearest first."""
        return Question(
            _found([[Piece(part)], *_instead(meant.get(part, ()))] for part in self._parts),
            _first_true([_each([[Piece(part, "name")], *_instead(meant.get(part, ())[:1])] for part in self._parts)]),
        )


def _compound(word: str) -> list[list[Piece]]:
    parts = words_of(word)
    return [_starts(parts)] if 1 < len(parts) <= MOST_WORDS else []


def _starts(parts: Iterable[str]) -> list[Piece]:
    return [Piece(f" {part}", "name") for part in parts]


def _instead(words: Iterable[str]) -> list[list[Piece]]:
    return [[Piece(f" {word} ", "name")] for word in words]


def _found(choices: Iterable[Choice]) -> Condition:
    """The rows that satisfy every choice."""
    on_sqlite = connection.vendor == "sqlite"
    conditions: list[Condition] = []
    phrases: list[str] = []
    for choice in choices:
        # An index can narrow a choice only where it knows something of each of its alternatives.
        indexed = on_sqlite and all(any(map(_is_indexed, pieces)) for pieces in choice)
        if indexed:
            phrases.append(f"({' OR '.join(map(_match, choice))})")
        if not indexed or not all(_is_indexed(piece) for pieces in choice for piece in pieces):
            conditions.append(_any(choice))
    if phrases:
        conditions.insert(0, ("products_search MATCH %s", [" AND ".join(phrases)]))
    return _joined(" AND ", conditions)


def _is_indexed(piece: Piece) -> bool:
    return len(piece.text) >= _TRIGRAM


def _match(pieces: Iterable[Piece]) -> str:
    """An expression of FTS5 for those of the pieces that are indexed: between quotes nothing is syntax."""
    return "({})".format(
        " AND ".join(
            (f"{piece.column} : " if piece.column else "") + '"{}"'.format(piece.text.replace('"', '""'))
            for piece in pieces
            if _is_indexed(piece)
        )
    )


def _stands(piece: Piece) -> Condition:
    columns = [piece.column] if piece.column else ["name", "sku", "description"]
    if connection.vendor == "sqlite":
        return _joined(" OR ", [(f"instr(products_search.{column}, %s) > 0", [piece.text]) for column in columns])
    text = piece.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _joined(" OR ", [(f"products_search.{column} LIKE %s", [f"%{text}%"]) for column in columns])


def _all(pieces: Iterable[Piece]) -> Condition:
    return _joined(" AND ", map(_stands, pieces))


def _any(choice: Choice) -> Condition:
    return _joined(" OR ", map(_all, choice))


def _each(choices: Iterable[Choice]) -> Condition:
    return _joined(" AND ", map(_any, choices))


def _joined(word: str, conditions: Iterable[Condition]) -> Condition:
    listed = list(conditions)
    return f"({word.join(sql for sql, _ in listed)})", [param for _, params in listed for param in params]


def _is(words: str) -> Condition:
    """Whether these are all words of the name; its own letters may follow on a line of their own."""
    return (
        "(products_search.name = %s OR substr(products_search.name, 1, %s) = %s)",
        [words, len(words) + 1, f"{words}\n"],
    )


def _begins(text: str) -> Condition:
    return "substr(products_search.name, 1, %s) = %s", [len(text), text]


def _first_true(tiers: Sequence[Condition]) -> Condition:
    """The number of the first condition that a row satisfies."""
    cases = " ".join(f"WHEN {sql} THEN {number}" for number, (sql, _) in enumerate(tiers))
    return f"CASE {cases} ELSE {len(tiers)} END", [param for _, params in tiers for param in params]
