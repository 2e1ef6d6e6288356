"""VAT classes and their dated rates."""

from datetime import date
from decimal import Decimal

import pytest

from products.models import VatClass, contained_vat
from products.selectors import rates_on
from products.tests.factories import make_vat_class, make_vat_rate

URL = "/api/vat-classes"


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def errors_of(answer) -> list[tuple[str, str | None]]:
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def test_an_empty_shop_has_one_class_without_a_rate(manager):
    assert manager.get(URL).json()["data"] == [{"slug": "standard", "name": "Standard", "rates": []}]


def test_a_class_is_listed_with_its_rates(manager):
    answer = manager.post(URL, {"slug": "bread", "name": "Bread"})
    rate = manager.post(f"{URL}/bread/rates", {"place": "eat_in", "rate": "10", "valid_from": "2026-01-01"})

    assert (answer.status_code, rate.status_code) == (201, 201)
    assert answer.json()["data"] == {"slug": "bread", "name": "Bread", "rates": []}
    assert rate.json()["data"] == {"place": "eat_in", "rate": "10.00", "valid_from": "2026-01-01"}
    assert manager.get(URL).json()["data"][0] == {
        "slug": "bread",
        "name": "Bread",
        "rates": [{"place": "eat_in", "rate": "10.00", "valid_from": "2026-01-01"}],
    }


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"name": "Bread"}, 400, ("required", "slug")),
        ({"slug": "bread"}, 400, ("required", "name")),
        ({"slug": "a b", "name": "Bread"}, 400, ("invalid", "slug")),
        ({"slug": "x" * 51, "name": "Bread"}, 400, ("max_length", "slug")),
        ({"slug": "standard", "name": "Bread"}, 409, ("already_exists", "slug")),
    ],
)
def test_a_bad_class_is_refused_by_name(manager, sent, status, error):
    answer = manager.post(URL, sent)

    assert (answer.status_code, errors_of(answer)) == (status, [error])


RATE = {"place": "takeaway", "rate": "5.50", "valid_from": "2026-01-01"}


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"place": "home"}, 400, ("invalid_choice", "place")),
        ({"rate": "-1"}, 400, ("min_value", "rate")),
        ({"rate": "100.01"}, 400, ("max_value", "rate")),
        ({"rate": "5.555"}, 400, ("max_decimal_places", "rate")),
        ({"valid_from": "2026-1-1"}, 400, ("invalid", "valid_from")),
        ({"valid_from": "2020-01-01"}, 409, ("already_exists", "valid_from")),
    ],
)
def test_a_bad_rate_is_refused_by_name(manager, sent, status, error):
    make_vat_rate(vat_class=VatClass.objects.get(), rate="1.00", valid_from=date(2020, 1, 1))

    answer = manager.post(f"{URL}/standard/rates", RATE | sent)

    assert (answer.status_code, errors_of(answer)) == (status, [error])
    assert VatClass.objects.get().rates.count() == 1


def test_a_rate_of_no_class_is_404(manager):
    assert manager.post(f"{URL}/nowhere/rates", RATE).status_code == 404


def test_the_rate_in_force_is_the_newest_of_its_place_up_to_the_day(db):
    bread = make_vat_class(takeaway="5.00", eat_in="10.00")
    make_vat_rate(vat_class=bread, rate="5.50", valid_from=date(2026, 1, 1))
    bare = make_vat_class()
    standard = VatClass.objects.get(slug="standard")

    def rates(day: date, place: str) -> dict[int, Decimal]:
        return {pk: rate for pk, rate in rates_on(day, place).items() if pk != standard.pk}

    assert rates(date(2019, 12, 31), "takeaway") == {bread.pk: Decimal(0), bare.pk: Decimal(0)}
    assert rates(date(2025, 12, 31), "takeaway") == {bread.pk: Decimal("5.00"), bare.pk: Decimal(0)}
    assert rates(date(2026, 1, 1), "takeaway") == {bread.pk: Decimal("5.50"), bare.pk: Decimal(0)}
    assert rates(date(2026, 1, 1), "eat_in") == {bread.pk: Decimal("10.00"), bare.pk: Decimal(0)}


@pytest.mark.parametrize(
    ("gross", "rate", "vat"),
    [("3.90", "5.50", "0.20"), ("1.65", "7.00", "0.11"), ("1.00", "0.00", "0.00"), ("-3.90", "5.50", "-0.20")],
)
def test_vat_is_contained_in_the_price_and_rounded_half_up(gross, rate, vat):
    assert contained_vat(Decimal(gross), Decimal(rate)) == Decimal(vat)


def test_the_list_costs_as_many_queries_for_many_as_for_few(manager, queries_do_not_grow):
    queries_do_not_grow(manager, URL, lambda: make_vat_class(takeaway="5.50"))


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", ""), ("post", "/standard/rates")])
def test_vat_is_for_managers(api_as, method, path):
    roles = (None, "customer", "cashier", "baker", "driver", "manager", "admin")
    good = 200 if method == "get" else 400

    answers = [getattr(api_as(role), method)(URL + path, {}).status_code for role in roles]

    assert answers == [401, 403, 403, 403, 403, good, good]
