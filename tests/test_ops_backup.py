"""Backup and restore of a real shop, on the kind of database that the tests run on."""

import hashlib
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.db import connection

from bakery.backup import archive
from tests.server import ROOT, a_shop
from tests.waiting import wait_until

pytestmark = pytest.mark.servers


def fill(shop, name="full"):
    """A shop with people, products, orders, money, and a picture."""
    shop.manage("loaddata", "demo", "-v0")
    shop.manage("seed_demo")
    picture = shop.folder / "media" / "products" / f"{name}.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(name.encode())


def backup(shop):
    return Path(shop.manage("backup").stdout.strip())


def about(path, tmp_path):
    """What an archive says that its shop holds; a restore changes neither."""
    place = Path(mkdtemp(dir=tmp_path))
    manifest = archive.unpack(path, place, with_media=False)
    tables = {name: rows for name, rows in manifest.tables.items() if name != "bakery_routine"}
    return tables, manifest.sums, manifest.migrations, sorted(manifest.members)


def ask(shop, expression):
    return shop.manage("shell", "-v0", "-c", f"from accounts.models import *; print({expression})").stdout.strip()


def query(shop, statement):
    """Ask the shop's database itself, which is quicker than to start a command."""
    url = shop.environment["DATABASE_URL"]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as database:
            return database.execute(statement).fetchall()
    import psycopg

    with psycopg.connect(url, autocommit=True) as database:
        cursor = database.execute(statement)
        return cursor.fetchall() if cursor.description else []


def add_user(shop, name):
    ask(shop, f"User.objects.create(username={name!r})")


def people(shop):
    return sorted(name for (name,) in query(shop, "SELECT username FROM accounts_user"))


def fails(shop, *command, saying):
    done = shop.manage(*command, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert saying in line


def state_of(shop):
    """Every byte that a refused restore must leave as it is."""
    files = [path for path in shop.folder.rglob("*") if path.is_file() and "backups" not in path.parts]
    found = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    if connection.vendor == "postgresql":
        found["people"] = people(shop)
    return found


@pytest.fixture(scope="module")
def full(tmp_path_factory, django_db_setup):
    with a_shop(tmp_path_factory.mktemp("full")) as shop:
        fill(shop)
        yield shop


@pytest.fixture(scope="module")
def made(full):
    return backup(full)


@pytest.fixture
def fresh(tmp_path):
    with a_shop(tmp_path / "fresh") as shop:
        yield shop


@pytest.fixture(autouse=True)
def _folders(tmp_path):
    (tmp_path / "fresh").mkdir()


def test_a_backup_prints_its_path_and_nothing_else(full, tmp_path):
    done = full.manage("backup", "--to", str(tmp_path / "elsewhere"))

    path = Path(done.stdout.removesuffix("\n"))
    assert re.fullmatch(r"bakery-\d{8}T\d{6}Z\.tar", path.name)
    assert path.parent == tmp_path / "elsewhere"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_backup_can_be_verified(full, made):
    done = full.manage("verify_backup", str(made))

    assert done.stdout.startswith("Good: made 2")
    assert "1 media files" in done.stdout


def test_a_backup_restored_into_a_fresh_shop_is_the_shop(full, made, fresh, tmp_path):
    done = fresh.manage("restore", str(made))

    assert done.stdout == f"Restored from {made}.\n"
    assert about(backup(fresh), tmp_path) == about(made, tmp_path)
    assert (fresh.folder / "media" / "products" / "full.jpg").read_bytes() == b"full"
    assert "bakery: ok" in fresh.manage("doctor").stdout
    # And it works: a new row gets a number that is not taken.
    assert ask(fresh, "User.objects.create(username='new').pk > 6") == "True"


def test_a_filled_shop_is_replaced_only_when_asked_and_what_was_there_is_kept(full, made, fresh, tmp_path):
    add_user(fresh, "before")
    other = fresh.folder / "media" / "before.jpg"
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"before")
    untouched = state_of(fresh)

    fails(fresh, "restore", str(made), saying="not empty")
    assert state_of(fresh) == untouched

    done = fresh.manage("restore", "--replace", str(made))
    assert "What was there before is kept as" in done.stdout
    assert about(backup(fresh), tmp_path) == about(made, tmp_path)
    assert not other.exists()


def test_what_is_damaged_or_foreign_is_refused_and_nothing_is_touched(full, made, fresh, tmp_path):
    add_user(fresh, "before")
    untouched = state_of(fresh)
    harmed = tmp_path / "harmed.tar"
    sound = made.read_bytes()
    flipped = bytearray(sound)
    flipped[len(sound) // 2] ^= 4

    harmed.write_bytes(sound[: len(sound) // 2])
    fails(fresh, "verify_backup", str(harmed), saying="CommandError")
    for content in (sound[:-200], bytes(flipped)):
        harmed.write_bytes(content)
        fails(fresh, "restore", "--replace", str(harmed), saying="Nothing was changed.")
    assert state_of(fresh) == untouched


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"migrations": ["bakery.0001_initial", "bakery.0099_of_tomorrow"]}, "newer release"),
        ({"migrations": []}, "not a backup of a bakery"),
        ({"engine": "oracle"}, "backup of oracle"),
        ({"tables": {"accounts_user": 7}}, "rows of"),
        ({"sums": {"cashbook_cashentry.amount": "1.00"}}, "sum of cashbook_cashentry.amount"),
        ({"sums": {"x; DROP TABLE accounts_user.y": "1.00"}}, "sum of x"),
    ],
)
def test_an_archive_whose_manifest_does_not_fit_its_database_is_refused(full, made, tmp_path, changes, saying):
    place = tmp_path / "place"
    place.mkdir()
    manifest = archive.unpack(made, place, with_media=False)
    archive.compress(place / "database", place / "database.gz")
    crafted = tmp_path / "crafted.tar"
    archive.write(
        crafted, archive.Manifest(**{**vars(manifest), "members": {}, **changes}), place / "database.gz", place / "none"
    )
    untouched = state_of(full)

    fails(full, "restore", "--replace", str(crafted), saying=saying)
    assert state_of(full) == untouched


def test_a_backup_of_an_older_schema_is_brought_up_to_date(fresh, tmp_path):
    add_user(fresh, "before")
    fresh.manage("migrate", "token_blacklist", "0012", "-v0")
    old = backup(fresh)

    fresh.manage("restore", "--replace", str(old))

    assert "[ ]" not in fresh.manage("showmigrations", "token_blacklist").stdout
    assert people(fresh) == ["before"]


def test_a_running_shop_is_not_replaced(full, made, fresh):
    fresh.work()
    wait_until(lambda: query(fresh, "SELECT 1 FROM bakery_routine"), fresh.log)  # it has come to the database by then
    fails(fresh, "restore", str(made), saying="still running")
    assert people(fresh) == []


def written_beyond(acknowledged, more):
    """Wait until so many more transactions are acknowledged; return the number of the last one."""
    least = acknowledged[-1] + more
    wait_until(lambda: acknowledged[-1] >= least)
    return acknowledged[-1]


def test_backups_under_load_are_each_the_state_after_some_commit(fresh, tmp_path):
    """Two rows are written in each transaction, numbered on; a backup must hold whole pairs without a gap."""
    code = (
        "import itertools\n"
        "from datetime import timedelta\n"
        "from django.db import transaction\n"
        "from bakery import clock\n"
        "from bakery.models import RateCounter\n"
        "for n in itertools.count():\n"
        "    with transaction.atomic():\n"
        "        for name in 'ab':\n"
        "            RateCounter.objects.create(name=name, window=n, uses=1, ends_at=clock.now() + timedelta(days=1))\n"
        "    print(n, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code],
        cwd=ROOT, env=fresh.environment, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip
        acknowledged = [-1]
        reader = threading.Thread(target=lambda: acknowledged.extend(int(line) for line in writer.stdout))
        reader.start()
        try:
            archives = []
            for _ in range(3):
                least = written_beyond(acknowledged, 30)
                archives.append((backup(fresh), least))
            written_beyond(acknowledged, 30)
        finally:
            writer.kill()
            reader.join()

    for path, least in archives:
        fresh.manage("restore", "--replace", str(path))
        counted = "SELECT \"window\" FROM bakery_ratecounter WHERE name = '{}' ORDER BY 1"
        first, second = ([number for (number,) in query(fresh, counted.format(name))] for name in "ab")
        assert first == second == list(range(len(first)))
        assert len(first) > least


KILL = """
import os, signal
from pathlib import Path
from django.core.management import call_command
from bakery.backup import archive, sqlite, postgres, work
point, path = {point!r}, {path!r}
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
def after(function):
    return lambda *args, **kwargs: (function(*args, **kwargs), die())
for module in (sqlite, postgres):
    if point == "before the swap":
        module.put_live = die
    if point == "after the swap":
        module.put_live = after(module.put_live)
if point == "unpacked":
    archive.unpack = after(archive.unpack)
if point == "half of the media":
    Path.replace = die
if point == "migrated":
    work.call_command = after(call_command)
if point == "within the swap":
    sqlite.Path.replace = lambda self, other: die() if str(other).endswith(".sqlite3") else os.replace(self, other)
    postgres._on_server = lambda statement, *args, real=postgres._on_server: (
        die() if statement.startswith("BEGIN") else real(statement, *args)
    )
call_command("restore", "--replace", path)
"""


def test_a_restore_that_is_killed_leaves_the_old_shop_or_the_new_one(full, made, fresh, tmp_path):
    add_user(fresh, "before")
    picture = fresh.folder / "media" / "products" / "before.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"before")
    old = backup(fresh)

    for point in ("unpacked", "migrated", "half of the media", "before the swap", "within the swap", "after the swap"):
        done = fresh.manage("shell", "-v0", "-c", KILL.format(point=point, path=str(made)), check=False)
        assert done.returncode == -9, (point, done.stderr)
        swapped = point == "after the swap"
        assert ("owner" in people(fresh), "before" in people(fresh)) == (swapped, not swapped), point
        assert (fresh.folder / "media" / "products" / ("full.jpg" if swapped else "before.jpg")).exists()
        if connection.vendor == "sqlite":
            assert query(fresh, "PRAGMA integrity_check") == [("ok",)]

    fresh.manage("restore", "--replace", str(old))
    assert people(fresh) == ["before"]
    fresh.manage("restore", "--replace", str(made))
    assert about(backup(fresh), tmp_path) == about(made, tmp_path)


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_damaged_database_can_be_replaced(full, made, fresh, tmp_path):
    database = fresh.folder / "bakery.sqlite3"
    content = bytearray(database.read_bytes())
    content[: len(content) // 2] = b"x" * (len(content) // 2)
    database.write_bytes(content)
    (fresh.folder / "bakery.sqlite3-wal").write_bytes(b"stale")

    fails(fresh, "restore", str(made), saying="not empty")
    fresh.manage("restore", "--replace", str(made))

    assert about(backup(fresh), tmp_path) == about(made, tmp_path)
    assert (fresh.folder / "bakery.sqlite3.replaced").read_bytes() == content


def test_a_backup_of_a_damaged_shop_is_not_made(fresh, tmp_path):
    """An order line that belongs to no order: nobody may build on such a backup."""
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has no way to make one")
    query(
        fresh,
        "INSERT INTO django_admin_log (action_time, object_repr, action_flag, change_message, user_id)"
        " VALUES ('2026-01-01', '', 1, '', 99)",
    )

    fails(fresh, "backup", "--to", str(tmp_path / "none"), saying="a row of django_admin_log")
    assert list((tmp_path / "none").iterdir()) == []
