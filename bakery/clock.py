"""The shop's clock: instants are aware, and a day is the shop's day, not UTC's."""

from datetime import date, datetime, time, timedelta, tzinfo

from django.utils import timezone


def now() -> datetime:
    """Return this instant. Read it once per operation and pass it on."""
    return timezone.now()


def shop_zone() -> tzinfo:
    """Return the shop's time zone (setting TIME_ZONE)."""
    return timezone.get_default_timezone()


def local(instant: datetime) -> datetime:
    """Return `instant` as the clock on the shop's wall shows it."""
    return instant.astimezone(shop_zone())


def today() -> date:
    """Return the shop's date at this instant."""
    return local(now()).date()


def shop_day(instant: datetime) -> date:
    """Return the shop's date at `instant`."""
    return local(instant).date()


def start_of(day: date) -> datetime:
    """Return the first instant of the shop's `day`."""
    return datetime.combine(day, time.min, tzinfo=shop_zone())


def bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the half-open range of instants that the days from `first` to `last`, both included, cover."""
    return start_of(first), start_of(last + timedelta(days=1))


def wall_time(naive: datetime) -> datetime:
    """Return the instant at which the shop's wall clock shows `naive`.

    Raises ValueError for a time that the change to or from summer time skips or repeats.
    """
    zone = shop_zone()
    early, late = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        # The offsets differ for skipped and for repeated times alike; only the text for people tells them apart.
        skipped = early.astimezone(timezone.get_fixed_timezone(0)).astimezone(zone).replace(tzinfo=None) != naive
        raise ValueError(
            f"{naive:%Y-%m-%d %H:%M} {'does not exist' if skipped else 'exists twice'} "
            "in the shop's time zone; send it with its offset."
        )
    return early
