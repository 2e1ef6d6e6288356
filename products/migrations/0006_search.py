from django.core.management import CommandError
from django.db import DatabaseError, migrations

SQLITE = [
    # Texts come folded, in small letters: one case less for the tokenizer to think of.
    "CREATE VIRTUAL TABLE products_search USING fts5(name, sku, description, tokenize = 'trigram case_sensitive 1')",
    "CREATE TABLE products_spelling (form text NOT NULL, word text NOT NULL, PRIMARY KEY (form, word)) WITHOUT ROWID",
]
POSTGRES = [
    # No foreign key: a TRUNCATE of the products must not have to name this table.
    "CREATE TABLE products_search (product_id bigint PRIMARY KEY, name text NOT NULL, sku text NOT NULL,"
    " description text NOT NULL)",
    "CREATE INDEX products_search_trigrams ON products_search"
    " USING gin (name gin_trgm_ops, sku gin_trgm_ops, description gin_trgm_ops)",
    "CREATE TABLE products_spelling (form text NOT NULL, word text NOT NULL, PRIMARY KEY (form, word))",
]


def make(apps, schema_editor):
    """Make the tables that `products.indexing` keeps."""
    if schema_editor.connection.vendor == "postgresql":
        make_extension(schema_editor)
    for statement in POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def make_extension(schema_editor):
    try:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        raise CommandError(
            "PostgreSQL's extension pg_trgm is needed for the search, and could not be made: "
            f"{str(error).splitlines()[0]}. The database's owner may make it where the package postgresql-contrib is "
            "installed; else have an administrator say CREATE EXTENSION pg_trgm in this database."
        ) from error


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS index_products() CASCADE")
    else:
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS products_search_{event}")
    schema_editor.execute("DROP TABLE products_search")
    schema_editor.execute("DROP TABLE products_spelling")


class Migration(migrations.Migration):
    dependencies = [("products", "0005_imports")]

    operations = [migrations.RunPython(make, drop)]
