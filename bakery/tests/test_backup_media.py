"""A backup holds every picture that its database names."""

import tarfile

import pytest
from django.core.management import call_command
from django.db import connection

from bakery import backup, clock
from bakery.backup import sqlite, work


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the moment between dump and copy is the same on both")
def test_a_picture_that_is_changed_between_dump_and_copy_is_there_before_and_after(tmp_path, settings, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    old, new = settings.MEDIA_ROOT / "old.jpg", settings.MEDIA_ROOT / "new.jpg"
    old.write_bytes(b"old")
    dump = sqlite.dump

    def dump_and_change(place):
        dumped = dump(place)
        old.unlink()
        new.write_bytes(b"new")
        return dumped

    monkeypatch.setattr(sqlite, "dump", dump_and_change)
    archive = work.make(tmp_path / "backups", now=clock.now())

    with tarfile.open(archive) as tar:
        assert {"media/old.jpg", "media/new.jpg"} <= set(tar.getnames())


def test_a_backup_says_that_pictures_in_a_bucket_are_not_in_it(settings, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(backup, "make", lambda folder, *, now: folder / "bakery.tar")

    call_command("backup", to=tmp_path)
    assert capsys.readouterr().err == ""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "bakery.s3.BucketStorage"}}
    call_command("backup", to=tmp_path)

    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'bakery.tar'}\n"
    assert "does not hold them" in told.err
