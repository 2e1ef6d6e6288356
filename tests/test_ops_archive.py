"""The file that a backup is: whole or refused, and nothing of it ever lands outside of where it should."""

import gzip
import hashlib
import io
import json
import random
import tarfile
import zipfile
from dataclasses import replace

import pytest

from bakery.backup import archive
from bakery.backup.archive import Manifest, Member, Refused

CONTENT = b"rows of the bakery " * 3000


@pytest.fixture
def made(tmp_path):
    """A small sound archive."""
    media = tmp_path / "pictures"
    (media / "products").mkdir(parents=True)
    (media / "products" / "baguette.jpg").write_bytes(b"a picture" * 100)
    (media / "products" / ("é" * 100 + ".jpg")).write_bytes(b"")
    (media / "link.jpg").symlink_to("/etc/passwd")
    dump = tmp_path / "dump"
    dump.write_bytes(CONTENT)
    packed = tmp_path / "database.gz"
    archive.compress(dump, packed)
    manifest = Manifest("1.0", "2026-11-23T05:00:00+00:00", "sqlite", ["bakery.0001_initial"], {"till": 2},
                        {"till.amount": "3.50"}, archive.digest_of(dump))  # fmt: skip
    path = tmp_path / "made.tar"
    archive.write(path, manifest, packed, media)
    return path


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_was_packed_comes_out_again(made, place):
    manifest = archive.unpack(made, place, with_media=True)

    assert (place / "database").read_bytes() == CONTENT
    assert files_below(place) == ["database", "media/products/baguette.jpg", f"media/products/{'é' * 100}.jpg"]
    assert (manifest.engine, manifest.tables, manifest.sums) == ("sqlite", {"till": 2}, {"till.amount": "3.50"})


def test_archives_of_every_length_can_be_read(tmp_path, place):
    for blocks in range(24):
        crafted(tmp_path / "a.tar", [("media/x.jpg", bytes(512 * blocks))])
        archive.unpack(tmp_path / "a.tar", place, with_media=False)
        (place / "database").unlink()


def test_media_may_be_checked_without_being_written(made, place):
    archive.unpack(made, place, with_media=False)

    assert files_below(place) == ["database"]


def test_only_its_owner_may_read_it(made):
    assert made.stat().st_mode & 0o777 == 0o600


def test_other_programs_can_read_it_too(made):
    with tarfile.open(made) as tar:
        assert {"database.gz", "manifest.json", "SHA256", "media/products/baguette.jpg"} < set(tar.getnames())


def refused(path, place, *, saying=""):
    with pytest.raises(Refused) as caught:
        archive.unpack(path, place, with_media=True)
    assert saying in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_flipped_bit_is_noticed(made, place):
    sound = made.read_bytes()
    draw = random.Random(7)
    places = {*draw.sample(range(len(sound)), 150), *range(0, len(sound), len(sound) // 100), len(sound) - 1}
    for number in places:
        harmed = bytearray(sound)
        harmed[number] ^= 1 << draw.randrange(8)
        made.write_bytes(harmed)
        refused(made, place)
    assert files_below(place) == []


@pytest.mark.parametrize("kept", [0, 1, 511, 512, 0.25, 0.5, -10240, -1024, -512, -200, -1])
def test_a_cut_archive_is_refused(made, place, kept):
    sound = made.read_bytes()
    made.write_bytes(sound[: int(len(sound) * kept) if isinstance(kept, float) else kept])

    refused(made, place)
    assert files_below(place) == []


def test_an_archive_with_something_behind_it_is_refused(made, place):
    made.write_bytes(made.read_bytes() + b"\0")
    refused(made, place)


@pytest.mark.parametrize("kind", ["zip", "gzip", "text", "zeros", "tar"])
def test_other_files_are_refused(tmp_path, place, kind):
    path = tmp_path / "other"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as other:
            other.writestr("manifest.json", "{}")
    elif kind == "tar":
        with tarfile.open(path, "w") as other:
            other.addfile(tarfile.TarInfo("manifest.json"))
    else:
        path.write_bytes({"gzip": gzip.compress(b"x" * 9000), "text": b"hello\n", "zeros": bytes(20480)}[kind])

    refused(path, place)


def test_an_archive_that_is_not_there_is_refused(tmp_path, place):
    refused(tmp_path / "nothing.tar", place, saying="no archive")
    refused(tmp_path, place)


# Archives whose digest is right: somebody made them so.


def crafted(path, members, /, **changes):
    """Write an archive of (TarInfo or name, bytes), with a manifest and a digest that agree with it."""
    packed = gzip.compress(CONTENT)
    entries = [("database.gz", packed), *members]
    about = {
        "format": "bakery-backup", "version": 1, "app_version": "1", "created_at": "", "engine": "sqlite",
        "migrations": [], "tables": {}, "sums": {}, "database": digest(CONTENT),
        "members": {getattr(entry, "name", entry): digest(data) for entry, data in entries},
    } | changes  # fmt: skip
    about = {key: value for key, value in about.items() if value is not None}
    if "manifest.json" not in [entry for entry, _ in members]:
        entries.append(("manifest.json", json.dumps(about).encode()))
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for entry, data in entries:
            add(tar, entry, data)
        add(tar, "SHA256", f"{hashlib.sha256(raw.getvalue()).hexdigest()}\n".encode())
    path.write_bytes(raw.getvalue())


def digest(data):
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def add(tar, entry, data):
    info = entry if isinstance(entry, tarfile.TarInfo) else archive._info(entry, len(data))
    tar.addfile(info, io.BytesIO(data))


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_crafted_archive_is_read_when_it_is_sound(tmp_path, place):
    crafted(tmp_path / "a.tar", [("media/x.jpg", b"x")])
    assert archive.unpack(tmp_path / "a.tar", place, with_media=True).members["media/x.jpg"] == Member(**digest(b"x"))


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/evil", "media/../../evil", "media/./x", "media/", "media//x", "evil", "media\\..\\evil",
        "media/a:b", "media/\x1b[31m", "manifest.json/x", "C:/evil", "media/" + "a/" * 30 + "x", "media/" + "n" * 300,
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, place, name):
    crafted(tmp_path / "a.tar", [(name, b"evil")])

    refused(tmp_path / "a.tar", place)
    assert files_below(tmp_path) == ["a.tar"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_what_is_not_a_plain_file_is_refused(tmp_path, place, kind):
    crafted(tmp_path / "a.tar", [(special("media/x", kind, "/etc/passwd"), b"")])

    refused(tmp_path / "a.tar", place, saying="not a file")


def test_a_member_that_comes_twice_is_refused(tmp_path, place):
    crafted(tmp_path / "a.tar", [("media/x", b"one"), ("media/x", b"two")])
    refused(tmp_path / "a.tar", place, saying="twice")


def test_members_that_the_manifest_does_not_know_or_misses_are_refused(tmp_path, place):
    known = {"database.gz": digest(gzip.compress(CONTENT))}
    for members in (known, known | {"media/x": digest(b"x"), "media/y": digest(b"y")}):
        crafted(tmp_path / "a.tar", [("media/x", b"x")], members=members)
        refused(tmp_path / "a.tar", place, saying="does not hold what its manifest says")


def test_a_member_with_another_hash_or_size_is_refused(tmp_path, place):
    packed = digest(gzip.compress(CONTENT))
    for wrong, saying in ((digest(b"y"), "SHA-256"), (digest(b"xx"), "another size")):
        crafted(tmp_path / "a.tar", [("media/x", b"x")], members={"database.gz": packed, "media/x": wrong})
        refused(tmp_path / "a.tar", place, saying=saying)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"format": "bakery-backup"}'])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, place, text):
    crafted(tmp_path / "a.tar", [("manifest.json", text)])
    refused(tmp_path / "a.tar", place)


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"format": "other-backup"}, "not a backup of a bakery"),
        ({"version": 2}, "newer release"),
        ({"engine": None}, "not complete"),
        ({"tables": []}, "not complete"),
        ({"members": None}, "not complete"),
        ({"database": {"size": -1, "sha256": "0" * 64}}, "not complete"),
        ({"database": {"size": True, "sha256": "0" * 64}}, "not complete"),
        ({"of_tomorrow": 1}, "not complete"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tmp_path, place, changes, saying):
    crafted(tmp_path / "a.tar", [], **changes)
    refused(tmp_path / "a.tar", place, saying=saying)


def test_an_archive_without_a_manifest_is_refused(tmp_path, place):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        add(tar, "database.gz", gzip.compress(CONTENT))
        add(tar, "SHA256", f"{hashlib.sha256(raw.getvalue()).hexdigest()}\n".encode())
    (tmp_path / "a.tar").write_bytes(raw.getvalue())

    refused(tmp_path / "a.tar", place, saying="no manifest")


def test_a_database_that_swells_beyond_what_was_announced_is_stopped(tmp_path, place, monkeypatch):
    bomb = gzip.compress(bytes(50_000_000))
    monkeypatch.setattr(gzip, "compress", lambda data: bomb)
    crafted(tmp_path / "a.tar", [], database=digest(b""), members={"database.gz": digest(bomb)})

    refused(tmp_path / "a.tar", place, saying="larger")
    assert (place / "database").stat().st_size <= archive._CHUNK


def test_an_archive_that_announces_more_than_the_disk_holds_is_refused(made, place):
    huge = {"size": 10**15, "sha256": "0" * 64}
    crafted(made, [], database=huge)

    refused(made, place, saying="no room")
    assert files_below(place) == []


def test_a_manifest_survives_its_json():
    manifest = Manifest("1", "", "sqlite", ["a.b"], {"t": 1}, {"t.m": "1.00"}, Member(3, "0" * 64))
    assert Manifest.from_json(manifest.as_json()) == manifest
    assert Manifest.from_json(replace(manifest, members={"é": Member(0, "f" * 64)}).as_json()).members
