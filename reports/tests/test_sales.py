"""The sales report, against figures that were worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from bakery import clock
from orders.models import Order
from orders.tests.factories import make_order, on
from products.tests.factories import make_category, make_product, make_vat_class
from reports.selectors import GROUPINGS
from reports.tests.factories import import_tickets

URL = "/api/reports/sales"


@pytest.fixture
def shop(db, tmp_path):
    """Bread at 5.5 % and cake at 10 %, sold on Wed 25 (twice), Fri 27 and Mon 30 November, and in December."""
    food = make_vat_class(takeaway="5.50")
    sweet = make_vat_class(takeaway="10.00")
    bread = make_product(name="Bread", category=make_category(name="Loaves", slug="loaves"), vat_class=food)
    cake = make_product(name="Cake", category=make_category(name="Cakes", slug="cakes"), vat_class=sweet)
    import_tickets(
        tmp_path,
        "2026-11-25 08:15 1 Bread 2 1.30",  # 2.60, VAT 0.1355…
        "2026-11-25 08:15 1 Cake 1 2.20",  # 2.20, VAT 0.20
        "2026-11-25 23:59 2 Bread 10 1.30",  # 13.00, VAT 0.6777…
        "2026-11-27 08:59 1 Cake 2 2.20",  # 4.40, VAT 0.40
        "2026-11-30 00:00 1 Bread -1 1.30",  # taken back: -1.30, VAT -0.0677…
        "2026-12-31 12:00 1 Bread 1 1.30",  # 1.30, VAT 0.0677…
    )
    return bread, cake


def report(client, query=""):
    response = client.get(f"{URL}?from=2026-11-24&to=2026-12-31{query}")
    assert response.status_code == 200, response.json()
    return response.json()["data"]


def shown(data):
    return [tuple(row.values()) for row in data["rows"]]


def row(key, label, orders, quantity, gross, vat, net):
    return (key, label, orders, quantity, gross, vat, net)


def test_the_report_by_category_is_exactly_this(api_as, shop):
    response = api_as("manager").get(f"{URL}?from=2026-11-25&to=2026-11-30&group_by=category")

    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "message": "",
        "data": {
            "from": "2026-11-25",
            "to": "2026-11-30",
            "group_by": "category",
            "rows": [
                {"key": "cakes", "label": "Cakes", "orders": 2, "quantity": 3, "gross": "6.60", "vat": "0.60",
                 "net": "6.00"},
                {"key": "loaves", "label": "Loaves", "orders": 3, "quantity": 11, "gross": "14.30", "vat": "0.75",
                 "net": "13.55"},
            ],
            "total": {"orders": 4, "quantity": 14, "gross": "20.90", "vat": "1.35", "net": "19.55"},
        },
        "errors": [],
        "meta": {},
    }  # fmt: skip


EMPTY = (0, 0, "0.00", "0.00", "0.00")


def test_days_come_in_order_with_those_that_sold_nothing(api_as, shop):
    rows = shown(report(api_as("manager"), "&group_by=day"))

    assert [row[0] for row in rows] == [str(date(2026, 11, 24) + timedelta(days=n)) for n in range(38)]
    assert all(row[0] == row[1] for row in rows)
    sold = {row[0]: row[2:] for row in rows if row[2:] != EMPTY}
    assert sold == {
        "2026-11-25": (2, 13, "17.80", "1.02", "16.78"),
        "2026-11-27": (1, 2, "4.40", "0.40", "4.00"),
        "2026-11-30": (1, -1, "-1.30", "-0.07", "-1.23"),
        "2026-12-31": (1, 1, "1.30", "0.07", "1.23"),
    }


@pytest.mark.parametrize(
    ("group_by", "rows"),
    [
        (
            "week",
            [
                ("2026-W48", "Week 48, 2026", 3, 15, "22.20", "1.42", "20.78"),
                ("2026-W49", "Week 49, 2026", 1, -1, "-1.30", "-0.07", "-1.23"),
                ("2026-W50", "Week 50, 2026", *EMPTY),
                ("2026-W51", "Week 51, 2026", *EMPTY),
                ("2026-W52", "Week 52, 2026", *EMPTY),
                ("2026-W53", "Week 53, 2026", 1, 1, "1.30", "0.07", "1.23"),
            ],
        ),
        (
            "month",
            [
                ("2026-11", "November 2026", 4, 14, "20.90", "1.35", "19.55"),
                ("2026-12", "December 2026", 1, 1, "1.30", "0.07", "1.23"),
            ],
        ),
        (
            "weekday",
            [
                ("1", "Monday", 1, -1, "-1.30", "-0.07", "-1.23"),
                ("3", "Wednesday", 2, 13, "17.80", "1.02", "16.78"),
                ("4", "Thursday", 1, 1, "1.30", "0.07", "1.23"),
                ("5", "Friday", 1, 2, "4.40", "0.40", "4.00"),
            ],
        ),
        (
            "hour",
            [
                ("00", "00:00–00:59", 1, -1, "-1.30", "-0.07", "-1.23"),
                ("08", "08:00–08:59", 2, 5, "9.20", "0.74", "8.46"),
                ("12", "12:00–12:59", 1, 1, "1.30", "0.07", "1.23"),
                ("23", "23:00–23:59", 1, 10, "13.00", "0.68", "12.32"),
            ],
        ),
        (
            "category",
            [
                ("cakes", "Cakes", 2, 3, "6.60", "0.60", "6.00"),
                ("loaves", "Loaves", 4, 12, "15.60", "0.82", "14.78"),
            ],
        ),
    ],
)
def test_each_grouping_gives_what_was_worked_out_by_hand(api_as, shop, group_by, rows):
    data = report(api_as("manager"), f"&group_by={group_by}")

    assert shown(data) == rows
    assert data["group_by"] == group_by
    assert tuple(data["total"].values()) == (5, 15, "22.20", "1.42", "20.78")


def test_products_come_by_id_and_an_order_counts_once_in_each(api_as, shop, tmp_path):
    bread, cake = shop
    import_tickets(tmp_path, "2026-12-01 10:00 9 Bread 1 1.30", "2026-12-01 10:00 9 Bread 2 1.30")

    data = report(api_as("manager"), "&group_by=product")

    assert shown(data) == [
        (bread.pk, "Bread", 5, 15, "19.50", "1.02", "18.48"),
        (cake.pk, "Cake", 2, 3, "6.60", "0.60", "6.00"),
    ]
    assert data["total"]["orders"] == 6


def test_a_week_belongs_to_the_year_of_its_thursday(api_as, db):
    data = api_as("manager").get(f"{URL}?from=2026-12-31&to=2027-01-04&group_by=week").json()["data"]

    assert [row["key"] for row in data["rows"]] == ["2026-W53", "2027-W01"]


@pytest.mark.parametrize("group_by", GROUPINGS)
def test_rows_and_totals_agree_to_the_cent_in_every_grouping(api_as, db, tmp_path, group_by):
    category = make_category(slug="c")
    for number, rate in enumerate(["5.50", "10.00", "20.00", "2.10"]):
        make_product(name=f"P{number}", category=category, vat_class=make_vat_class(takeaway=rate))
    import_tickets(
        tmp_path,
        *(
            f"2026-11-{1 + n % 28:02} {n % 24:02}:07 {n} P{(n * m) % 4} {(n * m) % 9 - 2 or 1} 0.{n % 90 + 10}"
            for n in range(120)
            for m in (1, 3, 4)
        ),
    )

    data = api_as("admin").get(f"{URL}?from=2026-11-01&to=2026-11-30&group_by={group_by}").json()["data"]

    stored = Order.objects.aggregate(gross=Sum("total"), vat=Sum("vat_total"))
    assert Decimal(data["total"]["gross"]) == stored["gross"]
    assert Decimal(data["total"]["vat"]) == stored["vat"]
    for name in ("gross", "vat", "net"):
        assert sum(Decimal(row[name]) for row in data["rows"]) == Decimal(data["total"][name])
    assert sum(row["quantity"] for row in data["rows"]) == data["total"]["quantity"]
    assert data["total"]["orders"] == 120
    keys = [row["key"] for row in data["rows"]]
    assert keys == sorted(keys)
    assert all(Decimal(row["net"]) + Decimal(row["vat"]) == Decimal(row["gross"]) for row in data["rows"])


def test_only_completed_orders_count_and_on_the_day_they_were_due(api_as, db):
    product = make_product(price="2.00")
    for status in ("pending", "confirmed", "ready", "cancelled", "no_show", "completed"):
        make_order(items=[{"product": product.pk, "quantity": 3}], due_at=on(2, hour=9), status=status)
    order = make_order(items=[{"product": product.pk, "quantity": 1}], due_at=on(3, hour=9), status="ready")
    due = clock.shop_day(on(2))
    client = api_as("manager")

    def total():
        return client.get(f"{URL}?from={due}&to={due + timedelta(days=1)}").json()["data"]["total"]

    assert (total()["orders"], total()["gross"]) == (1, "6.00")
    move_to_the_end(order)
    assert (total()["orders"], total()["gross"]) == (2, "8.00")
    assert client.get(URL).json()["data"]["total"]["orders"] == 0  # due after today


def move_to_the_end(order):
    Order.objects.filter(pk=order.pk).update(status="completed")


@pytest.mark.parametrize(
    ("day", "instants", "hours"),
    [
        # The night to winter time: 02:30 comes twice. 25 hours.
        ("2026-10-25", ["2026-10-24T22:00", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T22:59"],
         {"00": 1, "02": 2, "23": 1}),
        # The night to summer time: no hour 02. 23 hours.
        ("2026-03-29", ["2026-03-28T23:00", "2026-03-29T00:59", "2026-03-29T01:00", "2026-03-29T21:59"],
         {"00": 1, "01": 1, "03": 1, "23": 1}),
    ],
)  # fmt: skip
def test_a_day_of_23_or_25_hours_has_all_its_sales_in_the_hours_of_the_wall_clock(api_as, db, day, instants, hours):
    product = make_product()
    for instant in instants:
        due_at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
        order = make_order(
            items=[{"product": product.pk, "quantity": 1}], due_at=due_at, now=due_at - timedelta(days=3)
        )
        move_to_the_end(order)
    client = api_as("manager")

    by_day = client.get(f"{URL}?from={day}&to={day}").json()["data"]
    by_hour = client.get(f"{URL}?from={day}&to={day}&group_by=hour").json()["data"]

    assert [(row["key"], row["orders"]) for row in by_day["rows"]] == [(day, 4)]
    assert {row["key"]: row["orders"] for row in by_hour["rows"]} == hours


# What may be asked


def test_without_dates_it_covers_the_last_30_days(api_as, db):
    data = api_as("manager").get(URL).json()["data"]

    today = clock.today()
    assert (data["from"], data["to"]) == (str(today - timedelta(days=29)), str(today))
    assert (data["group_by"], len(data["rows"])) == ("day", 30)
    assert data["total"] == {"orders": 0, "quantity": 0, "gross": "0.00", "vat": "0.00", "net": "0.00"}


def test_with_the_last_day_alone_it_covers_the_30_days_up_to_it(api_as, db):
    data = api_as("manager").get(f"{URL}?to=2026-01-31").json()["data"]

    assert (data["from"], data["to"], len(data["rows"])) == ("2026-01-02", "2026-01-31", 30)


def test_it_covers_1830_days_and_no_more(api_as, db):
    client = api_as("manager")
    first = date(2022, 1, 1)

    most = client.get(f"{URL}?from={first}&to={first + timedelta(days=1829)}")
    more = client.get(f"{URL}?from={first}&to={first + timedelta(days=1830)}")

    assert len(most.json()["data"]["rows"]) == 1830
    assert more.status_code == 400
    assert [(e["code"], e["field"]) for e in more.json()["errors"]] == [("invalid", "from")]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("from=2026-1-5", "invalid", "from"),
        ("from=", "invalid", "from"),
        ("to=20260105", "invalid", "to"),
        ("to=2026-02-30", "invalid", "to"),
        ("to=9999-12-31", "invalid", "to"),
        ("from=2026-11-26&to=2026-11-25", "invalid", "from"),
        ("group_by=year", "invalid_choice", "group_by"),
        ("group_by=Day", "invalid_choice", "group_by"),
        ("as=pdf", "invalid_choice", "as"),
        ("page=1", "unknown_parameter", "page"),
        ("form=csv", "unknown_parameter", "form"),
    ],
)
def test_what_cannot_be_reported_is_refused_by_name(api_as, query, code, field):
    response = api_as("manager").get(f"{URL}?{query}")

    assert response.status_code == 400
    assert [(e["code"], e["field"]) for e in response.json()["errors"]] == [(code, field)]


@pytest.mark.parametrize("name", ["from", "to", "group_by", "as"])
def test_a_parameter_without_a_value_is_refused_by_name(api_as, name):
    response = api_as("manager").get(f"{URL}?{name}=")

    assert response.status_code == 400
    assert [e["field"] for e in response.json()["errors"]] == [name]


@pytest.mark.parametrize("group_by", GROUPINGS)
def test_a_report_costs_the_same_few_queries_however_much_was_sold(api_as, queries_do_not_grow, db, tmp_path, group_by):
    numbers = iter(range(1000))

    def add_rows():
        for _ in range(3):
            number = next(numbers)
            make_product(name=f"P{number}")
            import_tickets(tmp_path, f"2026-11-{number % 28 + 1:02} 08:00 {number} P{number} 1 1.00")

    url = f"{URL}?from=2026-11-01&to=2026-11-30&group_by={group_by}"
    assert queries_do_not_grow(api_as("manager"), url, add_rows) <= 4


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (None, 401), ("customer", 403), ("cashier", 403), ("baker", 403), ("driver", 403), ("manager", 200),
        ("admin", 200),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["sales", "cash", "overrides", "sales?as=csv", "cash?as=xlsx", "overrides?as=csv"])
def test_managers_and_admins_may_see_it(api_as, db, role, status, path):
    assert api_as(role).get(f"/api/reports/{path}").status_code == status


def test_it_can_only_be_read(api_as, db):
    for method in ("post", "put", "patch", "delete"):
        assert getattr(api_as("manager"), method)(URL).status_code == 405
