"""Loading the rates of a country's law."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from products.models import VatClass, VatRate
from products.rates import LEGAL_RATES, NAMES, LegalRate
from products.services.catalogue import add_vat_rate, create_vat_class
from products.services.revision import touch_catalogue

Rates = dict[tuple[str, str], dict[date, Decimal]]


@transaction.atomic
def load_vat(country: str) -> list[str]:
    """Enter the VAT classes and rates of `country`, a key of LEGAL_RATES; return a line for each rate.

    What the shop entered stands: where a class has a rate of its own for a place, that place is left alone. So a
    second time changes nothing.
    """
    touch_catalogue()
    legal = LEGAL_RATES[country]
    lawful: Rates = {}
    for rate in legal:
        lawful.setdefault((rate.slug, rate.place), {})[rate.valid_from] = Decimal(rate.rate)
    stored: Rates = {}
    for slug, place, day, per_cent in VatRate.objects.values_list("vat_class__slug", "place", "valid_from", "rate"):
        stored.setdefault((slug, place), {})[day] = per_cent
    own = {key for key, rates in stored.items() if not rates.items() <= lawful.get(key, {}).items()}
    return [f"{_enter(rate, own, stored)}: {_told(rate)}" for rate in legal]


def _enter(rate: LegalRate, own: set[tuple[str, str]], stored: Rates) -> str:
    """Enter one rate unless it is there, or the shop has its own; say which."""
    key = (rate.slug, rate.place)
    if key in own:
        return "left alone, since the shop has rates of its own"
    if rate.valid_from in stored.get(key, {}):
        return "there already"
    vat_class = VatClass.objects.filter(slug=rate.slug).first()
    vat_class = vat_class or create_vat_class(slug=rate.slug, name=NAMES[rate.slug])
    add_vat_rate(vat_class=vat_class, place=rate.place, rate=Decimal(rate.rate), valid_from=rate.valid_from)
    return "entered"


def _told(rate: LegalRate) -> str:
    return f"{rate.slug}, {rate.place.label.lower()}, {rate.rate} % from {rate.valid_from} ({rate.law})"
