"""The report of who went over the rules of ordering."""

from datetime import datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.tests.factories import make_order, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

URL = "/api/reports/overrides"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def manager():
    return make_user(role="manager")


def go_over(manager, reason="Regular", now=None, **product):
    cake = make_product(daily_capacity=0, **product)
    items = [{"product": cake.pk, "quantity": 2}]
    return make_order(actor=manager, items=items, due_at=on(90), override=reason, now=now)


def test_the_report_is_exactly_this(api_as, manager):
    order = go_over(manager, "=For the mayor", max_per_order=1)
    services.edit_order(order_id=order.pk, actor=manager, changes={"due_at": on(91), "override": "Later"})
    today = str(clock.today())

    data = api_as("manager").get(f"{URL}?from={today}&to={today}").json()["data"]

    placed, edited = order.history.all()
    about = {
        "user": manager.username, "order": order.pk, "code": order.code, "due_at": clock.local(on(91)).isoformat(),
    }  # fmt: skip
    assert data == {
        "from": today,
        "to": today,
        "rows": [
            {
                "at": clock.local(placed.at).isoformat(), **about, "action": "placed",
                "rules": ["capacity_exceeded", "maximum_exceeded"], "reason": "=For the mayor",
            },
            {
                "at": clock.local(edited.at).isoformat(), **about, "action": "edited", "rules": ["capacity_exceeded"],
                "reason": "Later",
            },
        ],
        "total": {
            "overrides": 2,
            "by_rule": {"too_late": 0, "shop_closed": 0, "maximum_exceeded": 1, "capacity_exceeded": 2},
        },
    }  # fmt: skip


def test_as_a_file_no_reason_is_a_formula(api_as, manager):
    order = go_over(manager, "=1+1")

    response = api_as("manager").get(f"{URL}?as=csv")

    today = clock.today()
    name = f"overrides-{today - timedelta(days=29)}-{today}.csv"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    head, row = response.content.decode().splitlines()
    assert head == "at,user,code,due_at,action,rules,reason"
    at, due_at = (clock.local(instant).isoformat() for instant in (order.history.get().at, order.due_at))
    assert row == f"{at},{manager.username},{order.code},{due_at},placed,capacity_exceeded,'=1+1"


def test_the_days_are_the_shops(api_as, manager):
    evening = datetime(2026, 11, 24, 23, 30, tzinfo=PARIS)
    go_over(manager, "Late", now=evening)
    go_over(manager, "Early", now=evening + timedelta(hours=1))

    def reasons(first, last):
        rows = api_as("manager").get(f"{URL}?from=2026-11-{first}&to=2026-11-{last}").json()["data"]["rows"]
        return [row["reason"] for row in rows]

    assert reasons(24, 24) == ["Late"]
    assert reasons(25, 25) == ["Early"]
    assert reasons(24, 25) == ["Late", "Early"]
    assert reasons(26, 26) == []


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("from=2026-11-26&to=2026-11-25", "invalid", "from"),
        ("from=2020-01-01&to=2026-01-01", "invalid", "from"),
        ("as=ods", "invalid_choice", "as"),
        ("group_by=day", "unknown_parameter", "group_by"),
    ],
)
def test_what_cannot_be_reported_is_refused_by_name(api_as, query, code, field):
    response = api_as("manager").get(f"{URL}?{query}")

    assert response.status_code == 400
    assert [(error["code"], error["field"]) for error in response.json()["errors"]] == [(code, field)]


def test_more_than_a_report_holds_is_refused(api_as, manager, monkeypatch):
    monkeypatch.setattr(import_module("reports.selectors.overrides"), "MOST_ROWS", 1)
    go_over(manager)
    assert api_as("manager").get(URL).status_code == 200
    go_over(manager)

    refusal = api_as("manager").get(URL)

    assert refusal.status_code == 400
    assert refusal.json()["errors"] == [
        {"code": "invalid", "field": "from", "message": "That is more than 1 rows; ask for fewer days."}
    ]


def test_the_report_costs_the_same_few_queries_however_many_there_are(api_as, manager, queries_do_not_grow):
    assert queries_do_not_grow(api_as("manager"), URL, lambda: go_over(manager)) <= 4
