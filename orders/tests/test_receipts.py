"""What the cash book's export in the shape of DSFinV-K says of orders: articles, where they are known."""

import csv
import io
from zipfile import ZipFile

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from cashbook import services as cashbook
from cashbook.models import CashSession
from cashbook.tests.factories import open_session
from orders import services
from orders.models import OrderItem
from orders.tests.factories import make_order
from products.tests.factories import make_product, make_vat_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def till():
    open_session()
    return make_user(role="manager")


@pytest.fixture
def goods():
    bread, cake = make_vat_class(takeaway="7.00"), make_vat_class(takeaway="19.00")
    return [
        make_product(name="=Roll", price="0.60", vat_class=bread),
        make_product(name="Rye", price="3.90", vat_class=bread),
        make_product(name="Cake", price="2.50", vat_class=cake),
    ]


@pytest.fixture
def order(goods):
    return make_order(
        items=[{"product": product.pk, "quantity": count} for product, count in zip(goods, (5, 1, 2), strict=True)]
    )


def exported(api_as, file, *columns):
    session = CashSession.objects.get()
    cashbook.close_session(session_id=session.pk, counted=session.float_amount, note="", actor=session.opened_by)
    day = clock.today()
    answer = api_as("manager").get(f"/api/cash/export?from={day}&to={day}&as=dsfinvk")
    text = ZipFile(io.BytesIO(b"".join(answer.streaming_content))).read(f"{file}.csv").decode()
    return [tuple(row[column] for column in columns) for row in csv.DictReader(io.StringIO(text), delimiter=";")]


LINE = ("lines", "BON_ID", "POS_ZEILE", "ARTIKELTEXT", "MENGE", "STK_BR")
VAT = ("lines_vat", "POS_ZEILE", "UST_SCHLUESSEL", "POS_BRUTTO", "POS_NETTO", "POS_UST")


def test_a_payment_of_all_has_the_lines_of_the_order(api_as, till, order):
    services.pay(order_id=order.pk, method="card", amount=order.total, actor=till)

    assert exported(api_as, *LINE) == [
        ("1", "1", "'=Roll", "5", "0,60"), ("1", "2", "Rye", "1", "3,90"), ("1", "3", "Cake", "2", "2,50"),
    ]  # fmt: skip


def test_the_lines_add_up_to_what_was_booked(api_as, till, order):
    services.pay(order_id=order.pk, method="card", amount=order.total, actor=till)

    assert exported(api_as, *VAT) == [
        ("1", "2", "3,00", "2,80", "0,20"), ("2", "2", "3,90", "3,65", "0,25"), ("3", "1", "5,00", "4,20", "0,80"),
    ]  # fmt: skip


def test_a_refund_of_lines_has_them_negative(api_as, till, order):
    services.pay(order_id=order.pk, method="card", amount=order.total, actor=till)
    services.pay(
        order_id=order.pk, method="cash", actor=till, kind="refund",
        items=[{"id": order.items.get(product_name="Cake").pk, "quantity": 1}],
    )  # fmt: skip

    assert exported(api_as, *LINE)[3:] == [("2", "1", "Cake", "-1", "2,50")]


def test_a_part_and_money_given_back_for_nothing_named_go_by_rate(api_as, till, order):
    services.pay(order_id=order.pk, method="cash", amount=order.total / 2, actor=till)
    services.pay(order_id=order.pk, method="cash", amount=order.total / 2, kind="refund", actor=till)

    found = exported(api_as, *LINE)
    assert [(number, text, count) for number, _, text, count, _ in found] == [
        (number, f"order:{order.pk}", "1") for number in ("1", "1", "2", "2")
    ]


def test_an_order_that_was_changed_since_goes_by_rate(api_as, till, order):
    services.pay(order_id=order.pk, method="cash", amount=order.total, actor=till)
    OrderItem.objects.filter(product_name="Cake").update(vat_rate="7.00")

    assert [text for _, _, text, _, _ in exported(api_as, *LINE)] == [f"order:{order.pk}"] * 2


def test_many_receipts_cost_no_more_queries(api_as, till, goods, django_assert_max_num_queries):
    for _ in range(5):
        order = make_order(items=[{"product": goods[0].pk, "quantity": 1}])
        services.pay(order_id=order.pk, method="card", amount=order.total, actor=till)

    with django_assert_max_num_queries(90):
        assert len(exported(api_as, *LINE)) == 5
