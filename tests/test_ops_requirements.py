"""What is installed is what was locked: every name in an .in file is pinned, and every pin has its hashes."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "requirements"
SETS = ("base", "production", "s3", "dev")


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(name):
    for line in (FOLDER / f"{name}.in").read_text().splitlines():
        if line.startswith("-r "):
            yield from asked_for(line.removeprefix("-r ").removesuffix(".in"))
        elif match := re.match(r"[A-Za-z0-9._-]+", line):
            yield normal(match[0])


def locked(name):
    """{name: [its lines]}; a package has several where its version depends on Python's."""
    pins = {}
    for block in re.split(r"\n(?=[a-z])", (FOLDER / f"{name}.txt").read_text()):
        if match := re.match(r"([a-z0-9._-]+)(?:\[.*?\])?==", block):
            pins.setdefault(normal(match[1]), []).append(block.strip())
    return pins


@pytest.mark.parametrize("name", SETS)
def test_every_requirement_is_locked(name):
    wanted = set(asked_for(name))

    assert len(wanted) > 10
    assert wanted - locked(name).keys() == set()


@pytest.mark.parametrize("name", SETS)
def test_every_pin_has_hashes(name):
    bare = [pin for pins in locked(name).values() for pin in pins if "--hash=sha256:" not in pin]

    assert len(locked(name)) > 40
    assert bare == []


@pytest.mark.parametrize(("small", "large"), [("base", "production"), ("production", "s3"), ("s3", "dev")])
def test_the_larger_set_holds_the_smaller_one_unchanged(small, large):
    assert {name: pins for name, pins in locked(large).items() if name in locked(small)} == locked(small)
