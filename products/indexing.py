"""What keeps the index of the search: triggers, so that no writer can forget it, and a look at whether it is true.

On SQLite the triggers call the functions of `products.models.words` themselves, which our connections are taught: a
program that does not know them cannot write a product, rather than write one that is not found. PostgreSQL has them in
SQL, made of the same tables of letters.
"""

import json
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from products.models.words import (
    BETWEEN_WORDS,
    LETTERS,
    LIGATURES,
    LONGEST,
    MARKS,
    SHORTEST,
    searchable,
    searchable_name,
    spellings,
    words_to_spell,
)

_SPELL_ON_SQLITE = """
INSERT OR IGNORE INTO products_spelling (form, word)
SELECT form.value, word.value FROM json_each(words_to_spell({name})) AS word, json_each(spellings(word.value)) AS form
WHERE NOT EXISTS (SELECT 1 FROM products_spelling AS known WHERE known.form = word.value AND known.word = word.value);
"""
_WRITE_ON_SQLITE = """
INSERT OR REPLACE INTO products_search (rowid, name, sku, description)
VALUES (NEW.id, searchable_name(NEW.name), searchable(NEW.sku), searchable(NEW.description));
""" + _SPELL_ON_SQLITE.format(name="NEW.name")

_SQLITE_TRIGGERS = {
    "products_search_insert": f"AFTER INSERT ON products_product BEGIN {_WRITE_ON_SQLITE} END",
    "products_search_update": "AFTER UPDATE ON products_product"
    " WHEN (OLD.name, OLD.sku, OLD.description) IS NOT (NEW.name, NEW.sku, NEW.description)"
    f" BEGIN {_WRITE_ON_SQLITE} END",
    "products_search_delete": "AFTER DELETE ON products_product BEGIN"
    " DELETE FROM products_search WHERE rowid = OLD.id; END",
}

_CALL = "EXECUTE FUNCTION index_products()"
_POSTGRES_TRIGGERS = {
    "products_search_insert": "AFTER INSERT ON products_product REFERENCING NEW TABLE AS fresh"
    f" FOR EACH STATEMENT {_CALL}",
    "products_search_update": "AFTER UPDATE ON products_product REFERENCING OLD TABLE AS former NEW TABLE AS fresh"
    f" FOR EACH STATEMENT {_CALL}",
    "products_search_delete": "AFTER DELETE ON products_product REFERENCING OLD TABLE AS former"
    f" FOR EACH STATEMENT {_CALL}",
    "products_search_truncate": f"AFTER TRUNCATE ON products_product FOR EACH STATEMENT {_CALL}",
}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _replaced(expression: str) -> str:
    """The table of letters as SQL around an expression."""
    old, new = ("".join(map(chr, letters)) for letters in (LETTERS.keys(), LETTERS.values()))
    expression = f"translate({expression}, {_quoted(old)}, {_quoted(new)})"
    for letter, letters in LIGATURES.items():
        expression = f"replace({expression}, {_quoted(letter)}, {_quoted(letters)})"
    return expression


# The words of a name, of which a slip may have made others; `name` is a folded one.
_WORDS = "string_to_array(btrim(split_part(name, E'\\n', 1), ' '), ' ')"
_IS_SPELT = f"length(word) BETWEEN {SHORTEST} AND {LONGEST} AND word !~ '[0-9]'"

# Names share most of their words, so each is looked at once and not in every name.
_CHANGED = """
WITH changed AS MATERIALIZED (
    SELECT id, searchable_name(name) AS name, searchable(sku) AS sku, searchable(description) AS description
    FROM ({products}) AS products
), written AS (
    INSERT INTO products_search (product_id, name, sku, description)
    SELECT id, name, sku, description FROM changed ORDER BY id
    ON CONFLICT (product_id) DO UPDATE
    SET name = EXCLUDED.name, sku = EXCLUDED.sku, description = EXCLUDED.description
)
INSERT INTO products_spelling (form, word)
SELECT DISTINCT form, word
FROM (SELECT DISTINCT unnest(@words) AS word FROM changed) AS said, unnest(spellings(word)) AS form
WHERE @is_spelt
    AND NOT EXISTS (SELECT 1 FROM products_spelling AS known WHERE known.form = said.word AND known.word = said.word)
ON CONFLICT DO NOTHING
""".replace("@words", _WORDS).replace("@is_spelt", _IS_SPELT)
# Rows whose words alone have changed: most updates are of something else.
_RENAMED = """
SELECT fresh.* FROM fresh JOIN former ON former.id = fresh.id
WHERE (fresh.name, fresh.sku, fresh.description) IS DISTINCT FROM (former.name, former.sku, former.description)
"""


def _postgres_functions(small: str) -> str:
    """`small` is the collation by which letters are made small."""
    lowered = f'(lower(normalize(text, NFKD) COLLATE {small}) COLLATE "default")'
    letters = _replaced(f"regexp_replace({lowered}, {_quoted(MARKS)}, '', 'g')")
    return f"""
CREATE OR REPLACE FUNCTION searchable(text text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN octet_length(text) = length(text) THEN lower(text COLLATE "C") COLLATE "default" ELSE {letters} END $$;

CREATE OR REPLACE FUNCTION searchable_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT words || CASE WHEN strpos(words, folded) > 0 THEN '' ELSE E'\\n' || folded END
FROM (
    SELECT folded, ' ' || btrim(regexp_replace(folded, {_quoted(BETWEEN_WORDS)}, ' ', 'g'), ' ') || ' ' AS words
    FROM (SELECT searchable(name) AS folded OFFSET 0) AS folded
    OFFSET 0
) AS words $$;

CREATE OR REPLACE FUNCTION words_to_spell(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT array_agg(word) FROM unnest({_WORDS}) AS word WHERE {_IS_SPELT} $$;

CREATE OR REPLACE FUNCTION spellings(word text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT array_agg(left(word, at) || substr(word, at + 2)) || word FROM generate_series(0, length(word) - 1) AS at $$;

CREATE OR REPLACE FUNCTION index_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE products_search, products_spelling;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM products_search USING former WHERE product_id = former.id;
    ELSIF TG_OP = 'UPDATE' THEN
        {_CHANGED.format(products=_RENAMED)};
    ELSE
        {_CHANGED.format(products="SELECT * FROM fresh")};
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608  # made of our own tables of letters


_TRIGGERS_THERE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
}
_DRIFTED_ON_SQLITE = """
FROM products_product AS product LEFT JOIN products_search AS found ON found.rowid = product.id
WHERE (found.name, found.sku, found.description)
    IS NOT (searchable_name(product.name), searchable(product.sku), searchable(product.description))
OR EXISTS (
    SELECT 1 FROM json_each(words_to_spell(product.name)) AS word WHERE NOT EXISTS (
        SELECT 1 FROM products_spelling AS known WHERE known.form = word.value AND known.word = word.value))
"""
_DRIFTED_ON_POSTGRES = """
FROM products_product AS product LEFT JOIN products_search AS found ON found.product_id = product.id
WHERE (found.name, found.sku, found.description)
    IS DISTINCT FROM (searchable_name(product.name), searchable(product.sku), searchable(product.description))
OR EXISTS (
    SELECT 1 FROM unnest(words_to_spell(searchable_name(product.name))) AS said (word) WHERE NOT EXISTS (
        SELECT 1 FROM products_spelling AS known WHERE known.form = said.word AND known.word = said.word))
"""


def teach(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Teach a new connection to SQLite the functions that the triggers call."""
    if connection.vendor != "sqlite":
        return
    functions = {
        "searchable": searchable,
        "searchable_name": searchable_name,
        "words_to_spell": lambda name: json.dumps(sorted(words_to_spell(name))),
        "spellings": lambda word: json.dumps(sorted(spellings(word))),
    }
    for name, function in functions.items():
        connection.connection.create_function(name, 1, function, deterministic=True)


@transaction.atomic
def keep_index() -> None:
    """Make the triggers, and bring up to date what was written without them; safe to run again.

    Nothing is done where the tables are not there: somebody has gone back to an earlier migration.
    """
    if "products_search" not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_postgres_functions(_small_letters()))
            for name, body in _POSTGRES_TRIGGERS.items():
                cursor.execute(f"CREATE OR REPLACE TRIGGER {name} {body}")
            cursor.execute(_CHANGED.format(products=f"SELECT product.* {_DRIFTED_ON_POSTGRES}"))
        else:
            for name, body in _SQLITE_TRIGGERS.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(f"CREATE TRIGGER {name} {body}")
            _mend_on_sqlite(cursor)
        cursor.execute(f"DELETE {_forgotten()}")


def _mend_on_sqlite(cursor: Any) -> None:
    if not _index_is_sound(cursor):
        cursor.execute("INSERT INTO products_search (products_search) VALUES ('rebuild')")
    cursor.execute(f"SELECT product.id {_DRIFTED_ON_SQLITE}")
    for (number,) in cursor.fetchall():
        cursor.execute("DELETE FROM products_search WHERE rowid = %s", [number])
        cursor.execute(
            "INSERT INTO products_search (rowid, name, sku, description)"
            " SELECT id, searchable_name(name), searchable(sku), searchable(description)"
            " FROM products_product WHERE id = %s",
            [number],
        )
        name = "(SELECT name FROM products_product WHERE id = %s)"
        cursor.execute(_SPELL_ON_SQLITE.format(name=name), [number])


def _small_letters() -> str:
    """The collation whose rule for small letters is Python's; without ICU, that of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'")
        return '"und-x-icu"' if cursor.fetchone() else '"default"'


def _index_is_sound(cursor: Any) -> bool:
    try:
        with transaction.atomic():
            cursor.execute("INSERT INTO products_search (products_search) VALUES ('integrity-check')")
    except DatabaseError:
        return False
    return True


def _triggers() -> dict[str, str]:
    return _SQLITE_TRIGGERS if connection.vendor == "sqlite" else _POSTGRES_TRIGGERS


def _drifted() -> str:
    return _DRIFTED_ON_SQLITE if connection.vendor == "sqlite" else _DRIFTED_ON_POSTGRES


def _forgotten() -> str:
    key = "rowid" if connection.vendor == "sqlite" else "product_id"
    return f"FROM products_search WHERE {key} NOT IN (SELECT id FROM products_product)"  # noqa: S608  # our own words


def drifts() -> list[str]:
    """Return a line for each way in which the index is not what the products are."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS_THERE[connection.vendor])
        missing = sorted(_triggers().keys() - {name for (name,) in cursor.fetchall()})
        lines = [f"The trigger {name} is missing: what is written now would not be found." for name in missing]
        cursor.execute(f"SELECT COUNT(*) {_drifted()}")
        (stale,) = cursor.fetchone()
        cursor.execute(f"SELECT COUNT(*) {_forgotten()}")
        (forgotten,) = cursor.fetchone()
        if stale or forgotten:
            lines.append(f"The search does not know {stale} products as they are, and knows {forgotten} that are gone.")
        if connection.vendor == "sqlite" and not _index_is_sound(cursor):
            lines.append("The index of the search is damaged.")
    return [f"{line} `manage.py migrate` mends it." for line in lines]
