"""What a restore says when something fails once the backup is in its place."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from bakery.backup import work


@pytest.fixture
def swapped(monkeypatch, tmp_path):
    """A restore whose parts all work, without a shop; the databases that were put live."""
    done = []
    engine = SimpleNamespace(
        workplace=lambda: tmp_path, close_down=lambda: None, put_live=lambda name, keep: done.append(name) or ""
    )
    monkeypatch.setattr(work, "is_empty", lambda: True)
    monkeypatch.setattr(work, "_engine", lambda: engine)
    monkeypatch.setattr(work.archive, "unpack", lambda *_, **__: None)
    monkeypatch.setattr(work, "_proven", lambda *_: nullcontext("new"))
    for name in ("_prepare", "_bring_media", "_drop_other_media"):
        monkeypatch.setattr(work, name, lambda *_: None)
    return done


def fail(*_):
    raise OSError(28, "No space left on device")


def test_what_fails_after_the_swap_is_not_told_as_if_nothing_had_changed(swapped, monkeypatch):
    monkeypatch.setattr(work, "_drop_other_media", fail)

    with pytest.raises(CommandError, match=r"The shop is restored from a\.tar, .*No space left on device"):
        call_command("restore", "a.tar")
    assert swapped == ["new"]


def test_what_fails_before_the_swap_has_changed_nothing(swapped, monkeypatch):
    monkeypatch.setattr(work, "_bring_media", fail)

    with pytest.raises(CommandError, match=r"Nothing was changed\. .*No space left on device"):
        call_command("restore", "a.tar")
    assert swapped == []


def test_a_cache_that_is_away_does_not_spoil_a_restore(swapped, monkeypatch, capsys):
    monkeypatch.setattr(work, "cache", SimpleNamespace(clear=fail))

    call_command("restore", "a.tar")

    assert capsys.readouterr().out == "Restored from a.tar.\n"
