"""VAT on what bakeries sell, by country: what a shop can load in place of typing it. Not tax advice."""

from datetime import date
from typing import NamedTuple

from products.models import STANDARD, Place

TAKEAWAY, EAT_IN = Place.TAKEAWAY, Place.EAT_IN


class LegalRate(NamedTuple):
    """Per cent for a VAT class at a place from a day on, and the law that says so."""

    slug: str
    place: Place
    rate: str
    valid_from: date
    law: str


NAMES = {
    STANDARD: "Standard",
    "bread": "Bread and pastry",
    "snacks": "Sandwiches, quiche, pizza",
    "drinks": "Drinks",
    "milk-drinks": "Milk drinks",
    "confectionery": "Confectionery",
}

# Germany: after the lowered rates of 2020. Restaurant meals had 7 per cent until 2023, and have it again from 2026 on.
_DE_FULL = "UStG § 12 (1)"
_DE_FOOD = "UStG § 12 (2) no. 1 and Anlage 2"
_DE_MEAL = "UStG § 12 (2) no. 15"
_DE_2021, _DE_2024, _DE_2026 = date(2021, 1, 1), date(2024, 1, 1), date(2026, 1, 1)

# France: since the rates of loi n° 2012-1510 art. 68 hold.
_FR_FULL = "CGI art. 278"
_FR_FOOD = "CGI art. 278-0 bis A 1°"
_FR_EAT_IN = "CGI art. 279 m"
_FR_AT_ONCE = "CGI art. 279 n"
_FR_SWEETS = "CGI art. 278-0 bis A 1° a, which leaves confectionery to art. 278"
_FR_2014 = date(2014, 1, 1)


def _eaten_in_germany(slug: str) -> list[LegalRate]:
    return [
        LegalRate(slug, EAT_IN, "7", _DE_2021, _DE_MEAL),
        LegalRate(slug, EAT_IN, "19", _DE_2024, _DE_FULL),
        LegalRate(slug, EAT_IN, "7", _DE_2026, f"{_DE_MEAL}, Steueränderungsgesetz 2025"),
    ]


LEGAL_RATES = {
    "DE": [
        LegalRate(STANDARD, TAKEAWAY, "19", _DE_2021, _DE_FULL),
        LegalRate(STANDARD, EAT_IN, "19", _DE_2021, _DE_FULL),
        LegalRate("bread", TAKEAWAY, "7", _DE_2021, f"{_DE_FOOD} no. 31"),
        *_eaten_in_germany("bread"),
        LegalRate("snacks", TAKEAWAY, "7", _DE_2021, _DE_FOOD),
        *_eaten_in_germany("snacks"),
        LegalRate("drinks", TAKEAWAY, "19", _DE_2021, _DE_FULL),
        LegalRate("drinks", EAT_IN, "19", _DE_2021, f"{_DE_FULL}; no. 15 leaves drinks out"),
        LegalRate("milk-drinks", TAKEAWAY, "7", _DE_2021, f"{_DE_FOOD} no. 35"),
        LegalRate("milk-drinks", EAT_IN, "19", _DE_2021, f"{_DE_FULL}; no. 15 leaves drinks out"),
        LegalRate("confectionery", TAKEAWAY, "7", _DE_2021, f"{_DE_FOOD} no. 29 and 30"),
        *_eaten_in_germany("confectionery"),
    ],
    "FR": [
        LegalRate(STANDARD, TAKEAWAY, "20", _FR_2014, _FR_FULL),
        LegalRate(STANDARD, EAT_IN, "20", _FR_2014, _FR_FULL),
        LegalRate("bread", TAKEAWAY, "5.5", _FR_2014, _FR_FOOD),
        LegalRate("bread", EAT_IN, "10", _FR_2014, _FR_EAT_IN),
        LegalRate("snacks", TAKEAWAY, "10", _FR_2014, _FR_AT_ONCE),
        LegalRate("snacks", EAT_IN, "10", _FR_2014, _FR_EAT_IN),
        LegalRate("confectionery", TAKEAWAY, "20", _FR_2014, _FR_SWEETS),
        LegalRate("confectionery", EAT_IN, "20", _FR_2014, _FR_SWEETS),
    ],
}
