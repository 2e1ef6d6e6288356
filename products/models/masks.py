"""Small sets are kept as bits, in the order of their choices: both databases can filter by them, without a join."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def to_mask(chosen: Iterable[Any], among: Sequence[Any]) -> int:
    """Return the set `chosen` as bits; the first of `among` is bit 0. Raises ValueError for one that is not there."""
    return sum(1 << among.index(one) for one in set(chosen))


def from_mask(mask: int, among: Sequence[T]) -> list[T]:
    """Return the members of `among` whose bits are set, in its order."""
    return [one for bit, one in enumerate(among) if mask >> bit & 1]
