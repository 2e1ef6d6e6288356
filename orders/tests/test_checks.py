"""What `manage.py doctor` asks of orders: sound ones pass, each drift has its line."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from cashbook.models import CashEntry
from orders import services
from orders.models import Order, OrderItem, Override, Payment
from orders.selectors import checks, demand_on
from orders.tests.factories import make_order, on
from products.models import CapacityGroup, CapacityOverride, contained_vat
from products.tests.factories import make_product, make_vat_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    cashier = make_user(role="cashier")
    cake = make_product(price="3.30", vat_class=make_vat_class(takeaway="5.50"), daily_capacity=3)
    made = make_order(items=[{"product": cake.pk, "quantity": 3}], status="confirmed")
    services.pay(order_id=made.pk, amount=Decimal("9.90"), method="cash", actor=cashier)
    services.pay(order_id=made.pk, amount=Decimal("0.10"), method="cash", actor=cashier, kind="refund")
    services.sell(actor=cashier, items=[{"product": cake.pk, "quantity": 7}], method="card")
    made.refresh_from_db()
    return made


def test_sound_orders_pass(order):
    assert checks() == []


def test_a_total_that_its_lines_do_not_make_shows(order):
    Order.objects.filter(pk=order.pk).update(total=Decimal("9.91"))

    assert checks() == [f"Order {order.code}: 9.91 with 0.52 of VAT, but its lines come to 9.90 with 0.52."]


def test_vat_that_does_not_add_up_shows(order):
    OrderItem.objects.filter(order=order).update(vat_amount=Decimal("0.51"))

    assert checks() == [
        f"Order {order.code}: 9.90 with 0.52 of VAT, but its lines come to 9.90 with 0.51.",
        f"Order {order.code}: the lines at 5.50 % hold 0.51 of VAT instead of 0.52.",
    ]


def test_an_amount_paid_that_its_payments_do_not_make_shows(order):
    Order.objects.filter(pk=order.pk).update(paid=Decimal("9.90"))

    assert checks() == [f"Order {order.code}: 9.90 paid, 0.10 given back, but payments of 9.90 and refunds of 0.10."]


def test_a_payment_that_the_cash_book_tells_otherwise_shows(order):
    Payment.objects.filter(order=order, kind="payment").update(method="card")

    booked = f"entry 1 sale 9.90 by cash for order:{order.pk}"
    assert checks() == [f"Order {order.code}: the payment 9.90 by card is {booked} in the cash book."]


def test_a_payment_whose_entry_was_reversed_shows(order):
    reversal = CashEntry.objects.get(number=1)
    reversal.pk, reversal.number, reversal.reversal_of_id = None, 9, reversal.pk
    reversal.signed_amount = -reversal.signed_amount
    reversal.save(force_insert=True)

    told = "is entry 1 sale 9.90, which entry 9 sale -9.90 reverses"
    assert checks() == [f"Order {order.code}: the payment 9.90 {told}."]


def test_a_paid_order_that_the_cash_book_has_at_another_rate_shows():
    order = make_order(items=[{"product": make_product(vat_class=make_vat_class(takeaway="7.00")).pk, "quantity": 1}])
    services.pay(order_id=order.pk, amount=order.total, method="cash", actor=make_user(role="cashier"))
    vat = contained_vat(order.total, Decimal(19))
    OrderItem.objects.update(vat_rate=19, vat_amount=vat)
    Order.objects.update(vat_total=vat)

    told = f"it holds {order.total} at 19.00 %, but {order.total} at 7.00 % are booked"
    assert checks() == [f"Order {order.code}: {told}."]


def test_a_status_that_the_history_does_not_know_shows(order):
    Order.objects.filter(pk=order.pk).update(status="baking")

    assert checks() == [f"Order {order.code} is baking, but its history ends with confirmed."]


def test_an_order_without_history_shows(order):
    order.history.all().delete()

    assert checks() == [f"Order {order.code} is confirmed, but its history ends with nothing."]


def test_a_day_beyond_its_capacity_shows(order):
    item = order.items.get()
    product, day = item.product_id, order.due_on
    CapacityOverride.objects.create(product=item.product, day=day, capacity=2)

    assert checks() == [f"{day}: 3 of product {product} are ordered, and 2 can be made."]


def test_a_group_beyond_its_capacity_shows():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=10)
    roll = make_product(capacity_group=oven, capacity_units=2)
    order = make_order(items=[{"product": roll.pk, "quantity": 5}])
    CapacityGroup.objects.update(daily_capacity=9)

    assert checks() == [f"{order.due_on}: 10 units of capacity group {oven.pk} are taken, and there are 9."]


def test_going_over_capacity_on_purpose_is_no_drift():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=1)
    cake = make_product(daily_capacity=1, capacity_group=oven)
    manager = make_user(role="manager")
    make_order(actor=manager, items=[{"product": cake.pk, "quantity": 5}], override="For the mayor")

    assert checks() == []


def test_going_over_another_rule_excuses_no_oversold_day():
    cake = make_product(lead_time_hours=1000)
    order = make_order(actor=make_user(role="manager"), items=[{"product": cake.pk, "quantity": 5}], override="Mayor")
    CapacityOverride.objects.create(product=cake, day=order.due_on, capacity=4)

    assert checks() == [f"{order.due_on}: 5 of product {cake.pk} are ordered, and 4 can be made."]


def test_demand_counts_the_pieces_of_orders_due(django_assert_num_queries):
    baked, bought = make_product(), make_product(is_baked=False)
    first, second = clock.shop_day(on(1)), clock.shop_day(on(2))

    def lines(*pairs):
        return [{"product": product.pk, "quantity": quantity} for product, quantity in pairs]

    make_order(items=lines((baked, 2), (baked, 3), (bought, 1)))
    make_order(items=lines((baked, 4)), status="no_show")
    make_order(items=lines((baked, 9)), status="cancelled")
    make_order(items=lines((baked, 1)), due_at=on(2), status="completed")
    services.sell(actor=make_user(role="cashier"), items=lines((baked, 7)), method="cash", now=on(1))

    with django_assert_num_queries(1):
        assert demand_on(first) == {baked.pk: 9, bought.pk: 1}
    assert demand_on(second) == {baked.pk: 1}
    assert demand_on(second + timedelta(days=1)) == {}


def test_a_day_that_was_oversold_with_a_reason_before_the_rules_were_kept_passes():
    cake = make_product(daily_capacity=3)
    make_order(actor=make_user(role="manager"), items=[{"product": cake.pk, "quantity": 5}], override="For the mayor")
    Override.objects.all().delete()

    assert checks() == []
