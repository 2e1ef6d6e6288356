"""The three things that are done with backups."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import structlog
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import F

import bakery
from bakery import clock
from bakery.backup import archive, postgres, sqlite
from bakery.backup.archive import Manifest, Refused, Unfinished
from bakery.backup.facts import Facts, known, measure, pointed_at
from bakery.models import Revision, Routine

log = structlog.get_logger("bakery.backup")


def make(folder: Path, *, now: datetime) -> Path:
    """Back up database and media into a new archive in `folder`; return its path.

    The archive is restored into a scratch database and compared with the live one before it gets its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _place(folder, "backup") as place:
        # Before and after: a picture that is changed meanwhile is named by the one state or by the other.
        _gather(Path(settings.MEDIA_ROOT), place / "media")
        dump, facts = _engine().dump(place)
        _gather(Path(settings.MEDIA_ROOT), place / "media")
        manifest = Manifest(
            app_version=bakery.VERSION,
            created_at=now.isoformat(),
            engine=connection.vendor,
            **facts._asdict(),
            database=archive.digest_of(dump),
        )
        archive.compress(dump, place / archive.DATABASE)
        dump.unlink()
        draft = place / "draft.tar"
        archive.write(draft, manifest, place / archive.DATABASE, place / "media")
        (place / archive.DATABASE).unlink()
        verify(draft, place)
        named = _free_name(folder, now)
        draft.rename(named)
        sqlite.sync(folder)
    Routine.objects.update_or_create(name="backup", defaults={"done_at": now})
    return named


def _gather(media: Path, into: Path) -> None:
    """Bring into the folder `into` what it lacks of `media`; linked where that can be, since no file changes."""
    for path in archive.regular_files(media):
        target = into / path.relative_to(media)
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(path)
        except FileNotFoundError:
            continue  # deleted since it was listed
        except OSError:  # another file system
            shutil.copyfile(path, target)


def _free_name(folder: Path, now: datetime) -> Path:
    stem = f"bakery-{now:%Y%m%dT%H%M%SZ}"
    names = (f"{stem}{f'-{number}' if number else ''}.tar" for number in range(1000))
    return next(folder / name for name in names if not (folder / name).exists())


def verify(path: Path, scratch: Path | None = None) -> Manifest:
    """Check every byte of an archive and restore it into a scratch database; the shop is not touched.

    Raises Refused for one that is damaged, of another program, of another kind of database or of a newer release.
    """
    with _place(scratch or _engine().workplace(), "verify") as place:
        manifest = archive.unpack(path, place, with_media=False)
        with _proven(place / "database", manifest):
            return manifest


def restore(path: Path, *, replace: bool) -> str:
    """Put the shop back to what the archive holds; return where what it replaces was kept ("" for an empty shop).

    Raises Refused, with nothing touched, as `verify` does; for a shop that is not empty, unless `replace`; and while
    the shop is running. Raises Unfinished where the backup is in its place, and something after that went wrong.
    """
    swapped = False
    filled = not is_empty()
    if filled and not replace:
        raise Refused("This shop is not empty. --replace puts the backup in its place.")
    engine = _engine()
    try:
        with _place(engine.workplace(), "restore") as place:
            manifest = archive.unpack(path, place, with_media=True)
            with _proven(place / "database", manifest) as name:
                _prepare(name)
                engine.close_down()
                # Files first: the old database does not mind those that it does not know.
                _bring_media(place / "media")
                kept: str = engine.put_live(name, keep=filled)
                swapped = True
            _drop_other_media(manifest)
    except (OSError, DatabaseError) as error:
        if swapped:
            raise Unfinished(f"What it replaces is not all cleared away: {error}") from error
        raise
    _forget_cached()
    return kept


def _prepare(name: str) -> None:
    """Bring a restored database up to this release."""
    with pointed_at(name):
        call_command("migrate", verbosity=0)
        # What clients and caches remember of the time after the backup must never look current again.
        Revision.objects.update(number=F("number") + int(clock.now().timestamp()))


def _forget_cached() -> None:
    try:
        cache.clear()
    except Exception as error:  # noqa: BLE001  # each cache has errors of its own, and the shop stands without it
        log.warning("the cache could not be cleared", error=str(error))


def is_empty() -> bool:
    """Whether nobody has begun to use this shop: no users, no products. Raises Refused where that cannot be seen."""
    if connection.vendor == "sqlite" and not sqlite.live().exists():
        return True
    try:
        tables = set(connection.introspection.table_names())
        models = [apps.get_model("accounts", "User"), apps.get_model("products", "Product")]
        return not any(model._meta.db_table in tables and model._default_manager.exists() for model in models)
    except DatabaseError:
        return False


@contextmanager
def _place(folder: Path, purpose: str) -> Iterator[Path]:
    """A folder to work in, out of sight; what a run left that was killed a day ago is cleared away."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f".{purpose}-*"):
        if left.stat().st_mtime < time.time() - 24 * 3600:
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=f".{purpose}-", dir=folder) as place:
        yield Path(place)


def _engine() -> ModuleType:
    return postgres if connection.vendor == "postgresql" else sqlite


@contextmanager
def _proven(dump: Path, manifest: Manifest) -> Iterator[str]:
    """Restore into a scratch database, compare it with the manifest, and give its name."""
    if manifest.engine != connection.vendor:
        raise Refused(f"This is a backup of {manifest.engine}, and this shop is on {connection.vendor}.")
    if "bakery.0001_initial" not in manifest.migrations:
        raise Refused("This is not a backup of a bakery.")
    if newer := sorted(set(manifest.migrations) - known()):
        raise Refused(f"This backup was made by a newer release (it knows {newer[0]}); upgrade this one first.")
    with _engine().candidate(dump) as name:
        with pointed_at(name):
            _engine().check()
            try:
                found = measure(manifest.sums)
            except DatabaseError as error:
                raise Refused("The database in the archive is damaged.") from error
        _compare(found, manifest)
        yield name


def _compare(found: Facts, manifest: Manifest) -> None:
    for what, there, said in (
        ("rows of", found.tables, manifest.tables),
        ("sum of", found.sums, manifest.sums),
        ("migrations", {"": found.migrations}, {"": sorted(manifest.migrations)}),
    ):
        for name in sorted(there.keys() | said.keys()):
            if there.get(name) != said.get(name):
                raise Refused(f"The archive does not hold what its manifest says: {what} {name}".rstrip() + ".")


def _bring_media(source: Path) -> None:
    for path in archive.regular_files(source):
        target = Path(settings.MEDIA_ROOT) / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, also where media are on another disk.
        draft = target.with_name(".restoring")
        shutil.copyfile(path, draft)
        draft.replace(target)


def _drop_other_media(manifest: Manifest) -> None:
    root = Path(settings.MEDIA_ROOT)
    for path in list(archive.regular_files(root)):
        if archive.MEDIA + path.relative_to(root).as_posix() not in manifest.members:
            path.unlink()
