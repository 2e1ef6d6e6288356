"""What this process keeps of the JSON that it has shown."""

from bakery.api import caching
from bakery.api.caching import LARGEST_KEPT, SECONDS, Renderings


def test_what_was_shown_is_found_again():
    renderings = Renderings(most=3)
    renderings.keep({"a": b"A", "b": b"B"})

    assert renderings.find(["a", "c"]) == {"a": b"A"}


def test_there_are_never_more_than_so_many():
    renderings = Renderings(most=3)
    for name in "abcdefgh":
        renderings.keep({name: name.encode()})
        assert renderings.find([name]) == {name: name.encode()}

    assert 1 <= len(renderings.find("abcdefgh")) <= 3


def test_a_large_one_is_not_kept():
    renderings = Renderings(most=3)
    renderings.keep({"large": b"x" * (LARGEST_KEPT + 1), "small": b"x" * LARGEST_KEPT})

    assert list(renderings.find(["large", "small"])) == ["small"]


def test_after_an_hour_nothing_is_found(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(caching, "monotonic", lambda: now)
    renderings = Renderings(most=3)
    renderings.keep({"a": b"A"})
    now += SECONDS
    assert renderings.find(["a"]) == {"a": b"A"}
    now += 1

    assert renderings.find(["a"]) == {}
