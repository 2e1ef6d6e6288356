"""Public holidays, of the countries and their parts that the package `holidays` knows."""

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holidays import HolidayBase


class Holiday(NamedTuple):
    """A public holiday, by its name in the country's language and, where that is another, in English."""

    day: date
    name: str


def find_fault(country: str, subdivision: str) -> tuple[str, str] | None:
    """Return which of the two is not known, `country` or `subdivision`, and what is; None where both are."""
    try:
        whole = _calendar(country, "", (date.min.year, date.min.year))
    except NotImplementedError:
        return "country", "No public holidays are known of it; use the ISO 3166 code, such as FR or DE."
    known = whole.subdivisions
    if not subdivision or subdivision in known:
        return None
    return "subdivision", f"Known of {country} are {', '.join(known)}." if known else f"{country} has none."


def between(first: date, last: date, *, country: str, subdivision: str) -> list[Holiday]:
    """Return the public holidays from `first` to `last`, in order; country and subdivision are known ones."""
    years = (first.year, last.year)
    local = _calendar(country, subdivision, years)
    own, others = local.default_language, local.supported_languages
    if own:
        local = _calendar(country, subdivision, years, language=own)
    english = _calendar(country, subdivision, years, language="en_US") if "en_US" in others else local
    return [
        Holiday(day, name if english[day] == name else f"{name} ({english[day]})")
        for day, name in sorted(local.items())
        if first <= day <= last
    ]


def _calendar(country: str, subdivision: str, years: tuple[int, int], *, language: str | None = None) -> "HolidayBase":
    """Raises NotImplementedError where it is not known."""
    # Here alone: it takes 24 MB, and most processes never ask.
    from holidays import country_holidays

    span = range(years[0], years[1] + 1)
    return country_holidays(country, subdiv=subdivision or None, years=span, language=language)
