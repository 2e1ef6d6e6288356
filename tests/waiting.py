"""Waiting for what other threads and processes do: for a state, and for far longer than it should take to come."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120  # seconds; a busy machine may stand still for some


def wait_until(look: Callable[[], T], told: Callable[[], object] = lambda: "It did not come to that.") -> T:
    """Return what `look` finds once it finds something; fail with what is `told` where that never happens."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until, told()
        time.sleep(0.02)
    return found
