"""Public holidays, offered as closures: never entered by themselves, and never twice."""

import re
from datetime import date, timedelta

import pytest

from accounts.tests.factories import make_user
from bakery import clock, holidays, services
from bakery.errors import DomainError
from bakery.models import Closure, Shop

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 23)
PAGE = "/admin/bakery/closure/holidays/"
SHOP = {"name": "Mill Lane Bakery", "currency": "EUR", "standing_days_ahead": 7}


@pytest.fixture
def office(client, monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    client.force_login(make_user(role="manager"))
    return client


def in_bavaria():
    return Shop.objects.create(pk=1, country="DE", subdivision="BY")


def ticked(page):
    return re.findall(r'name="days" value="([0-9-]+)"', page.content.decode())


def test_a_holiday_is_named_in_the_countrys_language_and_in_english():
    found = holidays.between(date(2026, 12, 24), date(2027, 1, 6), country="DE", subdivision="BY")

    assert found == [
        (date(2026, 12, 25), "Erster Weihnachtstag (Christmas Day)"),
        (date(2026, 12, 26), "Zweiter Weihnachtstag (Second Day of Christmas)"),
        (date(2027, 1, 1), "Neujahr (New Year's Day)"),
        (date(2027, 1, 6), "Heilige Drei Könige (Epiphany)"),
    ]
    assert len(holidays.between(date(2027, 1, 1), date(2027, 1, 6), country="DE", subdivision="")) == 1
    assert holidays.between(date(2026, 7, 4), date(2026, 7, 4), country="US", subdivision="") == [
        (date(2026, 7, 4), "Independence Day")
    ]


def test_the_holidays_of_18_months_are_offered_and_nothing_is_closed_by_itself(office):
    in_bavaria()

    page = office.get(PAGE, follow=True)

    days = ticked(page)
    assert (days[0], days[-1], len(days)) == ("2026-12-25", "2028-05-01", 19)
    assert "Friday 25 December 2026: Erster Weihnachtstag (Christmas Day)" in page.content.decode()
    # Or else browsers tick, on the way back, boxes by their place, which are other days by then.
    assert '<form method="post" autocomplete="off">' in page.content.decode()
    assert not Closure.objects.exists()


def test_what_was_ticked_is_closed_by_its_name(office, api_as):
    in_bavaria()

    office.post(PAGE, {"days": ["2026-12-25", "2027-01-06"]})

    assert api_as(None).get("/api/shop").json()["data"]["closures"] == [
        {"first_day": "2026-12-25", "last_day": "2026-12-25", "reason": "Erster Weihnachtstag (Christmas Day)"},
        {"first_day": "2027-01-06", "last_day": "2027-01-06", "reason": "Heilige Drei Könige (Epiphany)"},
    ]
    assert Closure.history.count() == 2


def test_what_is_entered_is_offered_no_more_and_entered_once(office):
    in_bavaria()
    Closure.objects.create(first_day=date(2026, 12, 20), last_day=date(2026, 12, 27), reason="Winter break")
    assert ticked(office.get(PAGE, follow=True))[0] == "2027-01-01"

    for _ in range(2):
        office.post(PAGE, {"days": ["2026-12-25", "2027-01-01"]})

    assert list(Closure.objects.values_list("first_day", flat=True)) == [date(2026, 12, 20), date(2027, 1, 1)]


@pytest.mark.parametrize("days", [[], ["2026-12-24"], ["2026-01-01"], ["Christmas"]])
def test_what_is_no_holiday_ahead_is_not_closed_from_this_page(office, days):
    in_bavaria()

    page = office.post(PAGE, {"days": days})

    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert not Closure.objects.exists()


def test_the_service_closes_on_holidays_alone():
    in_bavaria()

    with pytest.raises(DomainError, match="2026-12-24 is no public holiday here"):
        services.close_on_holidays(days=[date(2026, 12, 25), date(2026, 12, 24)], today=TODAY)

    assert not Closure.objects.exists()


@pytest.mark.parametrize("shop", [{}, {"country": ""}, {"country": "ZZ"}])
def test_without_a_known_country_nothing_is_offered(office, shop):
    Shop.objects.create(pk=1, **shop)

    page = office.get(PAGE, follow=True)

    assert page.status_code == 200
    assert ticked(page) == []


def test_only_who_may_enter_closures_is_offered_them(client):
    in_bavaria()
    client.force_login(make_user(role="cashier"))

    assert client.post(PAGE, {"days": [str(clock.today() + timedelta(days=1))]}).status_code == 403


@pytest.mark.parametrize(
    ("country", "subdivision", "kept"),
    [("de", "BY", ("DE", "BY")), ("DE", "DE-BY", ("DE", "BY")), ("FR", "", ("FR", "")), ("", "", ("", ""))],
)
def test_the_shop_says_where_it_is(office, country, subdivision, kept):
    assert office.post("/admin/bakery/shop/add/", {**SHOP, "country": country, "subdivision": subdivision})

    shop = Shop.objects.get()
    assert (shop.country, shop.subdivision) == kept


@pytest.mark.parametrize(
    ("country", "subdivision", "told"),
    [
        ("ZZ", "", "No public holidays are known of it"),
        ("DE", "XX", "Known of DE are BB, BE, BW, BY"),
        ("", "BY", "Name the country, too."),
    ],
)
def test_a_place_of_which_nothing_is_known_is_refused(office, country, subdivision, told):
    page = office.post("/admin/bakery/shop/add/", {**SHOP, "country": country, "subdivision": subdivision})

    assert told in page.content.decode()
    assert not Shop.objects.exists()
