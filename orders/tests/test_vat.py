"""VAT is rounded once per rate and order, and everything adds up to the cent."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.tests.factories import make_user
from orders import services
from orders.models import Order, OrderItem
from orders.services.lines import set_totals
from orders.tests.factories import make_order, on
from products.models import VatRate
from products.tests.factories import make_product, make_vat_class, make_vat_rate

CENT = Decimal("0.01")

lines = st.lists(
    st.tuples(
        st.decimals(min_value=0, max_value=999, places=2),
        st.integers(min_value=-30, max_value=30).filter(bool),
        st.sampled_from([Decimal(rate) for rate in ("0.00", "2.10", "5.50", "7.00", "10.00", "19.00", "20.00")]),
    ),
    min_size=1,
    max_size=30,
)


@given(lines)
def test_lines_and_rates_add_up_to_the_order(drawn):
    items = [
        OrderItem(pk=number, unit_price=price, quantity=quantity, vat_rate=rate)
        for number, (price, quantity, rate) in enumerate(drawn)
    ]
    order = Order()

    set_totals(order, items)

    assert order.total == sum(price * quantity for price, quantity, _ in drawn)
    assert order.vat_total == sum(item.vat_amount for item in items)
    for rate in {rate for _, _, rate in drawn}:
        same = [item for item in items if item.vat_rate == rate]
        gross = sum(item.line_total for item in same)
        assert sum(item.vat_amount for item in same) == (gross * rate / (100 + rate)).quantize(CENT, ROUND_HALF_UP)
        for item in same:
            assert abs(item.vat_amount - item.line_total * rate / (100 + rate)) < CENT


@pytest.mark.django_db
def test_three_lines_of_55_cents_at_seven_per_cent_hold_eleven_cents_not_twelve(api_as):
    bread = make_vat_class(takeaway="7.00")
    items = [{"product": make_product(price="0.55", vat_class=bread).pk, "quantity": 1} for _ in range(3)]

    order = make_order(items=items)

    data = api_as("cashier").get(f"/api/orders/{order.pk}").json()["data"]
    assert data["vat"] == [{"rate": "7.00", "net": "1.54", "vat": "0.11", "gross": "1.65"}]
    assert data["vat_total"] == "0.11"
    assert sorted(str(item.vat_amount) for item in order.items.all()) == ["0.03", "0.04", "0.04"]


@pytest.mark.django_db
def test_each_rate_has_its_bucket_the_lowest_first(api_as):
    sandwich, coffee = make_vat_class(takeaway="7.00"), make_vat_class(takeaway="19.00")
    items = [
        {"product": make_product(price="3.00", vat_class=coffee).pk, "quantity": 1},
        {"product": make_product(price="5.35", vat_class=sandwich).pk, "quantity": 2},
        {"product": make_product(price="0.57", vat_class=coffee).pk, "quantity": 1},
    ]

    data = api_as("cashier").get(f"/api/orders/{make_order(items=items).pk}").json()["data"]

    assert data["vat"] == [
        {"rate": "7.00", "net": "10.00", "vat": "0.70", "gross": "10.70"},
        {"rate": "19.00", "net": "3.00", "vat": "0.57", "gross": "3.57"},
    ]
    assert (data["total"], data["vat_total"]) == ("14.27", "1.27")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "place", "rate"),
    [
        ("2025-12-31", "takeaway", "7.00"),
        ("2025-12-31", "eat_in", "19.00"),
        ("2026-01-01", "takeaway", "7.00"),
        ("2026-01-01", "eat_in", "7.00"),
    ],
)
def test_the_rate_is_that_of_the_shops_day_on_which_it_is_ordered(day, place, rate):
    """Bread eaten in, in Germany: 19 % until the end of 2025, 7 % from then on."""
    bread = make_vat_class(takeaway="7.00", eat_in="19.00")
    make_vat_rate(vat_class=bread, place="eat_in", rate="7.00", valid_from=date(2026, 1, 1))
    # Half past midnight of the shop: in UTC it is still the day before.
    moment = on(0, 0, 30).replace(year=int(day[:4]), month=int(day[5:7]), day=int(day[8:]))

    order = services.place_order(
        actor=make_user(role="cashier"), items=[{"product": make_product(vat_class=bread).pk, "quantity": 1}],
        due_at=on(9), consumption=place, now=moment,
    )  # fmt: skip

    assert str(order.items.get().vat_rate) == rate


@pytest.mark.django_db
def test_a_line_keeps_its_rate_for_ever(api_as):
    order = make_order(items=[{"product": make_product(vat_class=make_vat_class(takeaway="7.00")).pk, "quantity": 1}])

    VatRate.objects.update(rate=20)

    assert api_as("cashier").get(f"/api/orders/{order.pk}").json()["data"]["vat"][0]["rate"] == "7.00"
