from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from bakery import clock
from bakery.models import Closure, OpeningHours, is_open


def test_a_day_is_the_shops_not_utcs():
    with time_machine.travel(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), tick=False):
        assert clock.today() == date(2026, 7, 2)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_days_of_the_clock_change_are_shorter_and_longer(day, hours):
    first, last = clock.bounds(day, day)
    assert last.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("naive", "words"),
    [(datetime(2026, 3, 29, 2, 30), "does not exist"), (datetime(2026, 10, 25, 2, 30), "exists twice")],
)
def test_skipped_and_repeated_times_say_what_is_wrong(naive, words):
    with pytest.raises(ValueError, match=words):
        clock.wall_time(naive)


def at(text):
    return clock.wall_time(datetime.fromisoformat(text))


def hours(weekday, opens, closes):
    from datetime import time

    return OpeningHours(weekday=weekday, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-25T06:29", False),
        ("2026-11-25T06:30", True),
        ("2026-11-25T12:00", True),
        ("2026-11-25T18:30", True),
        ("2026-11-25T18:31", False),
        ("2026-11-26T12:00", False),  # no hours on Thursday
        ("2026-11-27T23:59", True),  # until midnight
    ],
)
def test_opening_hours_hold_by_the_wall_clock(moment, expected):
    spans = [hours(3, "06:30", "18:30"), hours(5, "20:00", "00:00")]
    assert is_open(at(moment), spans, []) is expected


def test_without_hours_the_shop_is_always_open_but_for_closures():
    closed = Closure(first_day=date(2026, 12, 25), last_day=date(2026, 12, 26))
    assert is_open(at("2026-11-25T03:00"), [], [closed])
    assert not is_open(at("2026-12-26T23:59"), [], [closed])
    assert is_open(at("2026-12-27T00:00"), [], [closed])
