"""The rates of a country's law, loaded in one step: examples of the law, and what the shop entered."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from products.models import VatClass, VatRate
from products.selectors import rates_on
from products.tests.factories import make_vat_class, make_vat_rate

pytestmark = pytest.mark.django_db


def load(country: str) -> list[str]:
    out = StringIO()
    call_command("load_vat", country, stdout=out)
    return out.getvalue().splitlines()


def rate_of(slug: str, place: str, day: date) -> Decimal:
    return rates_on(day, place)[VatClass.objects.get(slug=slug).pk]


@pytest.mark.parametrize(
    ("country", "slug", "day", "takeaway", "eat_in"),
    [
        ("DE", "bread", date(2025, 12, 31), "7", "19"),
        ("DE", "bread", date(2026, 1, 1), "7", "7"),
        ("DE", "snacks", date(2025, 12, 31), "7", "19"),
        ("DE", "snacks", date(2026, 1, 1), "7", "7"),
        ("DE", "drinks", date(2026, 1, 1), "19", "19"),
        ("DE", "milk-drinks", date(2025, 12, 31), "7", "19"),
        ("DE", "milk-drinks", date(2026, 1, 1), "7", "19"),
        ("DE", "confectionery", date(2026, 1, 1), "7", "7"),
        ("FR", "bread", date(2026, 1, 1), "5.5", "10"),
        ("FR", "snacks", date(2026, 1, 1), "10", "10"),
        ("FR", "confectionery", date(2026, 1, 1), "20", "20"),
    ],
)
def test_the_rates_are_those_of_the_law(country, slug, day, takeaway, eat_in):
    load(country)

    assert (rate_of(slug, "takeaway", day), rate_of(slug, "eat_in", day)) == (Decimal(takeaway), Decimal(eat_in))


def test_it_says_what_it_did_and_does_nothing_the_second_time():
    first, rates = load("FR"), VatRate.objects.count()
    second = load("FR")

    assert "entered: bread, takeaway, 5.5 % from 2014-01-01 (CGI art. 278-0 bis A 1°)" in first
    assert {line.partition(":")[0] for line in first} == {"entered"}
    assert {line.partition(":")[0] for line in second} == {"there already"}
    assert VatRate.objects.count() == rates == len(first)


def test_what_the_shop_entered_stands():
    bread = make_vat_class(slug="bread", name="Our bread")
    make_vat_rate(vat_class=bread, place="takeaway", rate="6.00", valid_from=date(2020, 1, 1))

    told = load("FR")

    assert rate_of("bread", "takeaway", date(2026, 1, 1)) == Decimal(6)
    assert rate_of("bread", "eat_in", date(2026, 1, 1)) == Decimal(10)
    assert VatClass.objects.get(slug="bread").name == "Our bread"
    (alone,) = (line for line in told if line.startswith("left alone"))
    assert alone.startswith("left alone, since the shop has rates of its own: bread, takeaway, 5.5 %")


def test_the_rates_of_two_countries_do_not_mix():
    load("DE")
    before = set(VatRate.objects.values_list("pk", "rate"))

    told = load("FR")

    assert set(VatRate.objects.values_list("pk", "rate")) == before
    assert {line.partition(",")[0] for line in told} == {"left alone"}


def test_a_country_that_is_not_known_is_refused():
    with pytest.raises(CommandError, match="invalid choice"):
        load("XX")
    assert not VatRate.objects.exists()


def test_an_empty_shop_has_no_rate():
    assert list(VatClass.objects.values_list("slug", flat=True)) == ["standard"]
    assert not VatRate.objects.exists()
