"""The file that a backup is: a plain tar, of which no bit can change unnoticed.

Its members are `database.gz`, `media/…`, `manifest.json` (what is in it, with the SHA-256 and size of each member),
and at the end `SHA256`: the digest of every byte before it. Nothing of an archive is believed before that agrees.
"""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

FORMAT = "bakery-backup"
VERSION = 1
DATABASE, MANIFEST, DIGEST, MEDIA = "database.gz", "manifest.json", "SHA256", "media/"

_BLOCK, _RECORD = tarfile.BLOCKSIZE, tarfile.RECORDSIZE
_CHUNK = 1024 * 1024
_LARGEST_MANIFEST = 64 * 1024 * 1024
# A name is a relative path of plain parts; what a shell or another system could read differently is not needed.
_SOUND_NAME = re.compile(r"media(/[^/\\\x00-\x1f\x7f:]{1,255}){1,20}")


class Refused(Exception):
    """Why a backup is not made, or an archive not accepted: one line for people."""


class Unfinished(Exception):
    """The backup is in its place, but what comes after that did not all work: one line for people."""


@dataclass(frozen=True)
class Member:
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself. `database` is the dump before it was compressed."""

    app_version: str
    created_at: str
    engine: str
    migrations: list[str]
    tables: dict[str, int]
    sums: dict[str, str]
    database: Member
    members: dict[str, Member] = field(default_factory=dict)

    def as_json(self) -> bytes:
        about = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(about, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read a manifest. Raises Refused for one of another program or of a newer release."""
        about = _parsed(text)
        if about.pop("format", None) != FORMAT:
            raise Refused("This is not a backup of a bakery.")
        if about.pop("version", None) != VERSION:
            raise Refused("This backup was made by a newer release; upgrade this one first.")
        try:
            about["database"] = _member(about["database"])
            about["members"] = {str(name): _member(value) for name, value in about["members"].items()}
            manifest = cls(**about)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise Refused("The archive's manifest is not complete.") from error
        if not all(isinstance(part, dict) for part in (manifest.tables, manifest.sums)):
            raise Refused("The archive's manifest is not complete.")
        return manifest


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("The archive's manifest cannot be read.") from error
    if not isinstance(about, dict):
        raise Refused("The archive's manifest cannot be read.")
    return about


def _member(value: dict[str, Any]) -> Member:
    size, digest = value["size"], value["sha256"]
    if type(size) is not int or size < 0 or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(value)
    return Member(size, digest)


# Writing


class _Tally:
    """A file to read or write that keeps count of what went through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.size, self.hash = file, 0, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        return self._count(self.file.read(size))

    def write(self, data: bytes) -> int:
        self._count(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.size

    def member(self) -> Member:
        return Member(self.size, self.hash.hexdigest())

    def _count(self, data: bytes) -> bytes:
        self.size += len(data)
        self.hash.update(data)
        return data


def digest_of(path: Path) -> Member:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        tally = _Tally(file)
        while tally.read(_CHUNK):
            pass
    return tally.member()


def compress(source: Path, target: Path) -> None:
    with source.open("rb") as plain, target.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        shutil.copyfileobj(plain, packed, _CHUNK)


def write(target: Path, manifest: Manifest, database: Path, media: Path) -> None:
    """Write the archive to the new file `target`, readable by its owner alone, and see it safely on the disk."""
    members = dict(manifest.members)
    target.touch(mode=0o600, exist_ok=False)
    with target.open("wb") as file:
        tally = _Tally(file)
        with tarfile.open(fileobj=tally, mode="w") as tar:  # type: ignore[call-overload]
            members[DATABASE] = _add(tar, DATABASE, database)
            for path in regular_files(media):
                name = MEDIA + path.relative_to(media).as_posix()
                members[name] = _add(tar, name, path)
            _add_bytes(tar, MANIFEST, Manifest(**{**vars(manifest), "members": members}).as_json())
            _add_bytes(tar, DIGEST, f"{tally.hash.hexdigest()}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def regular_files(folder: Path) -> Iterator[Path]:
    """Yield the plain files below `folder`, in order of their names; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def _add(tar: tarfile.TarFile, name: str, path: Path) -> Member:
    with path.open("rb") as file:
        tally = _Tally(file)
        tar.addfile(_info(name, os.fstat(file.fileno()).st_size), tally)
    return tally.member()


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    tar.addfile(_info(name, len(data)), io.BytesIO(data))


# Reading


def unpack(path: Path, into: Path, *, with_media: bool) -> Manifest:
    """Check every byte of the archive and write the database to `into`/database, the media below `into`/media.

    Without `with_media` they are checked all the same. Raises Refused, and then leaves nothing that may be used.
    """
    try:
        with path.open("rb") as file:
            _check_digest(file)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                infos = _checked(tar)
                manifest = _manifest(tar, infos)
                _require_room(into, manifest, with_media=with_media)
                for name, member in manifest.members.items():
                    target = _target(into, name, with_media=with_media)
                    _copy(tar, infos[name], member, target)
        _inflate(into / DATABASE, manifest.database, into / "database")
    except (tarfile.TarError, EOFError, UnicodeError, ValueError, gzip.BadGzipFile) as error:
        raise Refused("The archive is damaged.") from error
    except FileNotFoundError as error:
        raise Refused(f"There is no archive {path}.") from error
    except OSError as error:
        raise Refused(f"The archive could not be read or unpacked: {error.strerror}.") from error
    return manifest


def _check_digest(file: IO[bytes]) -> None:
    """Compare the digest at the end with every byte before it; the rest of the file must be exactly what follows."""
    size = file.seek(0, os.SEEK_END)
    # Head and text of the digest, two empty blocks, and zeros up to a full record.
    window = min(size, _RECORD + 4 * _BLOCK)
    file.seek(size - window)
    head = file.read().rfind(_info(DIGEST, 65).tobuf()[:100])
    start = size - window + head
    if size == 0 or head < 0 or start % _BLOCK:
        raise Refused("This is not a backup of a bakery, or its end is missing.")
    file.seek(0)
    seen = hashlib.sha256()
    left = start
    while left and (data := file.read(min(left, _CHUNK))):
        seen.update(data)
        left -= len(data)
    end = _info(DIGEST, 65).tobuf() + f"{seen.hexdigest()}\n".encode()
    end += bytes(-(start + len(end) + 2 * _BLOCK) % _BLOCK + 2 * _BLOCK)
    end += bytes(-(start + len(end)) % _RECORD)
    if left or file.read() != end:
        raise Refused("The archive is damaged: its SHA-256 does not agree.")
    file.seek(0)


def _checked(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """The members by name: plain files only, each once, none with a name that leads elsewhere."""
    infos: dict[str, tarfile.TarInfo] = {}
    for info in tar:
        known = info.name in (DATABASE, MANIFEST, DIGEST)
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise Refused(f"The archive holds something that is not a file: {info.name!r}.")
        if not known and (not _SOUND_NAME.fullmatch(info.name) or {"..", "."} & set(info.name.split("/"))):
            raise Refused(f"The archive holds a file with a name that is not allowed: {info.name!r}.")
        if info.name in infos:
            raise Refused(f"The archive holds {info.name!r} twice.")
        infos[info.name] = info
    return infos


def _manifest(tar: tarfile.TarFile, infos: dict[str, tarfile.TarInfo]) -> Manifest:
    if MANIFEST not in infos:
        raise Refused("The archive has no manifest.")
    if infos[MANIFEST].size > _LARGEST_MANIFEST:
        raise Refused("The archive's manifest is too large.")
    file = tar.extractfile(infos[MANIFEST])
    manifest = Manifest.from_json(file.read() if file else b"")
    if {*manifest.members, MANIFEST, DIGEST} != set(infos) or DATABASE not in manifest.members:
        raise Refused("The archive does not hold what its manifest says.")
    for name, member in manifest.members.items():
        if infos[name].size != member.size:
            raise Refused(f"The archive does not hold what its manifest says: {name!r} has another size.")
    return manifest


def _require_room(into: Path, manifest: Manifest, *, with_media: bool) -> None:
    packed = sum(member.size for name, member in manifest.members.items() if with_media or name == DATABASE)
    if packed + manifest.database.size > shutil.disk_usage(into).free:
        raise Refused("The disk has no room to unpack the archive.")


def _target(into: Path, name: str, *, with_media: bool) -> Path:
    if name == DATABASE:
        return into / DATABASE
    return into / name if with_media else Path(os.devnull)


def _copy(tar: tarfile.TarFile, info: tarfile.TarInfo, member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(info)
    if source is None:
        raise Refused("The archive is damaged.")
    tally = _Tally(source)
    with target.open("wb") as file:
        while data := tally.read(_CHUNK):
            file.write(data)
    if tally.member() != member:
        raise Refused(f"The archive is damaged: the SHA-256 of {info.name!r} does not agree.")


def _inflate(source: Path, wanted: Member, target: Path) -> None:
    """Decompress, and stop as soon as it is more than was announced."""
    with gzip.open(source) as packed, target.open("xb") as file:
        tally = _Tally(packed)  # type: ignore[arg-type]
        while data := tally.read(_CHUNK):
            if tally.size > wanted.size:
                raise Refused("The archive is damaged: its database is larger than its manifest says.")
            file.write(data)
    source.unlink()
    if tally.member() != wanted:
        raise Refused("The archive is damaged: the SHA-256 of its database does not agree.")
