"""Orders at the rates of the law, as `load_vat` enters them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from orders.models import OrderItem
from orders.tests.factories import make_order
from products.models import Product, VatClass, contained_vat
from products.services import load_vat
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db


def bread(price: str) -> Product:
    return make_product(price=price, vat_class=VatClass.objects.get(slug="bread"))


def test_vat_is_rounded_on_the_sum_of_a_rate_and_not_on_each_line():
    load_vat("DE")
    seven = Decimal(7)

    order = make_order(items=[{"product": bread("0.55").pk, "quantity": 1} for _ in range(3)])

    assert contained_vat(Decimal("0.55"), seven) * 3 == Decimal("0.12")
    assert (order.total, order.vat_total) == (Decimal("1.65"), Decimal("0.11"))


def test_a_line_keeps_the_rate_of_the_day_it_was_placed(time_machine):
    load_vat("DE")
    roll = bread("1.19")
    time_machine.move_to(datetime(2025, 12, 31, 11, tzinfo=UTC), tick=False)
    before = make_order(items=[{"product": roll.pk, "quantity": 1}], consumption="eat_in")
    time_machine.move_to(datetime(2025, 12, 31, 23, tzinfo=UTC), tick=False)  # midnight in the shop
    after = make_order(items=[{"product": roll.pk, "quantity": 1}], consumption="eat_in")

    rates = dict(OrderItem.objects.values_list("order", "vat_rate"))
    assert rates == {before.pk: Decimal(19), after.pk: Decimal(7)}
    before.refresh_from_db()
    assert before.vat_total == Decimal("0.19")
