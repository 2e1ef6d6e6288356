"""Refunds of lines: what was sold goes back at its price and its VAT, and once."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.tests.factories import make_user
from cashbook import selectors as cash
from cashbook import services as cashbook
from cashbook.models import CashEntry
from orders import services
from orders.models import Order, Payment, RefundedItem
from orders.selectors import checks
from orders.tests.factories import make_order
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(api_as):
    def send(order, **body):
        return api_as("cashier").post(f"/api/orders/{order.pk}/payments", {"method": "cash", **body})

    return send


@pytest.fixture
def order(db):
    """Three rolls at 0.55 and a cake at 20.00, paid."""
    order = make_order(
        items=[
            {"product": make_product(price="0.55").pk, "quantity": 3},
            {"product": make_product(price="20.00").pk, "quantity": 1},
        ]
    )
    services.pay(order_id=order.pk, amount=order.total, method="card", actor=make_user(role="cashier"))
    order.refresh_from_db()
    return order


def lines(order):
    return list(order.items.order_by("pk"))


def refusal(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def unchanged(order):
    return Order.objects.get(pk=order.pk).paid == order.paid and Payment.objects.count() == 1


def test_a_refund_of_lines_gives_back_what_they_were_sold_for(post, order, api_as):
    rolls, cake = lines(order)
    response = post(order, kind="refund", items=[{"id": rolls.pk, "quantity": 2}, {"id": cake.pk, "quantity": 1}])

    assert response.status_code == 201
    data = response.json()["data"]
    assert (data["amount"], data["kind"]) == ("21.10", "refund")
    assert data["items"] == [
        {"id": rolls.pk, "quantity": 2, "amount": "1.10"}, {"id": cake.pk, "quantity": 1, "amount": "20.00"},
    ]  # fmt: skip
    assert api_as("cashier").get(f"/api/orders/{order.pk}/payments").json()["data"][1] == data
    entry = CashEntry.objects.get(type="refund")
    assert (entry.signed_amount, entry.method) == (Decimal("-21.10"), "cash")
    order.refresh_from_db()
    assert (order.paid, order.refunded) == (Decimal("0.55"), Decimal("21.10"))


def test_all_pieces_one_by_one_give_back_exactly_the_lines_vat(post, order):
    rolls, cake = lines(order)
    for _ in range(3):
        assert post(order, kind="refund", items=[{"id": rolls.pk, "quantity": 1}]).status_code == 201
    assert post(order, kind="refund", items=[{"id": cake.pk, "quantity": 1}]).status_code == 201

    given = {line.pk: sum(back.vat_amount for back in line.refunds.all()) for line in (rolls, cake)}
    assert given == {rolls.pk: rolls.vat_amount, cake.pk: cake.vat_amount}
    assert {(row.gross, row.vat) for row in cash.summary(*[order.created_at.date()] * 2).total.by_vat} <= {(0, 0)}
    assert list(checks()) == []


def test_no_piece_goes_back_twice(post, order):
    rolls, _ = lines(order)
    assert post(order, kind="refund", items=[{"id": rolls.pk, "quantity": 2}]).status_code == 201

    refused = post(order, kind="refund", items=[{"id": rolls.pk, "quantity": 2}])
    assert refusal(refused) == (409, "exceeds_balance", "items.0.quantity")
    assert "3 were sold and 2 refunded" in refused.json()["errors"][0]["message"]
    assert RefundedItem.objects.count() == 1
    assert post(order, kind="refund", items=[{"id": rolls.pk, "quantity": 1}]).status_code == 201


def test_no_more_goes_back_than_was_paid(post):
    order = make_order(items=[{"product": make_product(price="10.00").pk, "quantity": 1}])
    services.pay(order_id=order.pk, amount=Decimal("9.99"), method="card", actor=make_user(role="cashier"))

    refused = post(order, kind="refund", items=[{"id": lines(order)[0].pk, "quantity": 1}])
    assert refusal(refused) == (409, "exceeds_balance", "amount")
    assert not RefundedItem.objects.exists()


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"items": []}, "empty", "items"),
        ({"items": [{"id": 0, "quantity": 1}]}, "does_not_exist", "items.0.id"),
        ({"items": [{"id": "first", "quantity": 1}, {"id": "first", "quantity": 1}]}, "duplicate", "items.1.id"),
        ({"items": [{"id": "first", "quantity": 0}]}, "min_value", "items.0.quantity"),
        ({"items": [{"id": "first"}]}, "required", "items.0.quantity"),
        ({"items": [{"id": "first", "quantity": 1}], "kind": "payment"}, "invalid", "items"),
        ({"items": [{"id": "first", "quantity": 1}], "amount": "0.54"}, "invalid", "amount"),
        ({}, "required", "amount"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_goes_back(post, order, change, code, field):
    first = lines(order)[0].pk
    for wanted in change.get("items", []):
        wanted["id"] = {"first": first, 0: first + 1000}.get(wanted["id"], wanted["id"])

    assert refusal(post(order, kind=change.pop("kind", "refund"), **change)) == (400, code, field)
    assert unchanged(order)


def test_an_amount_that_is_that_of_the_items_may_be_sent(post, order):
    items = [{"id": lines(order)[0].pk, "quantity": 1}]
    assert post(order, kind="refund", items=items, amount="0.55").status_code == 201


def test_a_line_that_cost_nothing_cannot_be_given_back(post):
    order = make_order(
        items=[
            {"product": make_product(price="0.00").pk, "quantity": 1},
            {"product": make_product(price="1.00").pk, "quantity": 1},
        ]
    )
    services.pay(order_id=order.pk, amount=Decimal(1), method="cash", actor=make_user(role="cashier"))
    refused = post(order, kind="refund", items=[{"id": lines(order)[0].pk, "quantity": 1}])
    assert refusal(refused) == (400, "min_value", "items")


def test_what_was_refunded_is_never_changed(post, order):
    post(order, kind="refund", items=[{"id": lines(order)[0].pk, "quantity": 1}])
    for change in (RefundedItem.objects.all().delete, lambda: RefundedItem.objects.update(quantity=2)):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


# What the cash book learns of VAT


def vat_of_entries():
    return list(CashEntry.objects.order_by("pk").values_list("vat", flat=True))


@pytest.fixture
def two_rates(db):
    """An order of 10.00 at 7 % (0.65 of VAT) and 5.00 at 19 % (0.80)."""
    order = make_order(
        items=[
            {"product": make_product(price="10.00").pk, "quantity": 1},
            {"product": make_product(price="5.00").pk, "quantity": 1},
        ]
    )
    for item, rate, vat in zip(lines(order), ("7", "19"), ("0.65", "0.80"), strict=True):
        order.items.filter(pk=item.pk).update(vat_rate=Decimal(rate), vat_amount=Decimal(vat))
    Order.objects.update(vat_total=Decimal("1.45"))
    return order


def pay(order, amount, kind="payment"):
    services.pay(order_id=order.pk, amount=Decimal(amount), method="cash", kind=kind, actor=make_user(role="cashier"))


def test_a_payment_in_full_contains_the_vat_of_the_receipt(two_rates):
    pay(two_rates, "15.00")
    assert vat_of_entries() == ["7.00:10.00:0.65;19.00:5.00:0.80"]


def test_payments_in_parts_contain_it_exactly_in_the_end(two_rates):
    for amount in ("0.01", "4.99", "3.33", "6.67"):
        pay(two_rates, amount)

    shares = [share for vat in vat_of_entries() for share in cash_shares(vat)]
    for rate, gross, vat in ((7, "10.00", "0.65"), (19, "5.00", "0.80")):
        assert sum(share.gross for share in shares if share.rate == rate) == Decimal(gross)
        assert sum(share.vat for share in shares if share.rate == rate) == Decimal(vat)
    assert list(cash.checks()) == []


def test_a_refund_without_lines_takes_back_in_proportion(two_rates):
    pay(two_rates, "15.00")
    pay(two_rates, "7.50", "refund")
    pay(two_rates, "7.50", "refund")

    assert vat_of_entries()[1:] == ["7.00:5.00:0.33;19.00:2.50:0.40", "7.00:5.00:0.32;19.00:2.50:0.40"]


def test_split_tender_divides_the_receipt(api_as):
    product = make_product(price="3.33")
    response = api_as("cashier").post(
        "/api/sales",
        {
            "items": [{"product": product.pk, "quantity": 3}],
            "payments": [
                {"method": "cash", "amount": "5.00", "tendered": "10.00"}, {"method": "card", "amount": "4.99"},
            ],
        },
    )  # fmt: skip
    receipt = response.json()["data"]["vat"]
    shares = [share for vat in vat_of_entries() for share in cash_shares(vat)]

    assert [f"{share.gross}" for share in shares] == ["5.00", "4.99"]
    assert f"{sum(share.vat for share in shares)}" == receipt[0]["vat"]


def test_a_z_report_tells_the_vat_of_the_till(api_as):
    session = cashbook.open_session(register="main", float_amount=Decimal(50), actor=make_user(role="cashier"))
    product = make_product(price="0.55")
    sold = api_as("cashier").post(
        "/api/sales", {"items": [{"product": product.pk, "quantity": 3}], "method": "cash"}
    ).json()["data"]  # fmt: skip
    report = cash.report(session)

    assert [f"{row.rate} {row.gross} {row.vat} {row.net}" for row in report.by_vat] == [
        f"{row['rate']} {row['gross']} {row['vat']} {row['net']}" for row in sold["vat"]
    ]
    assert report.expected == Decimal("51.65")


def cash_shares(vat):
    return CashEntry(vat=vat).vat_shares


def test_a_line_of_which_pieces_were_given_back_stays_on_the_order(post, api_as):
    rolls, cake = make_product(price="0.55"), make_product(name="Nut cake", price="20.00")
    order = make_order(items=[{"product": rolls.pk, "quantity": 3}, {"product": cake.pk, "quantity": 2}])
    services.pay(order_id=order.pk, amount=order.total, method="card", actor=make_user(role="cashier"))
    line = lines(order)[1].pk
    post(order, kind="refund", items=[{"id": line, "quantity": 2}])

    refused = api_as("cashier").patch(f"/api/orders/{order.pk}", {"items": [{"product": rolls.pk, "quantity": 3}]})

    assert refusal(refused) == (409, "in_use", "items")
    assert refused.json()["errors"][0]["message"] == (
        f"Money was given back for 2 × Nut cake, so line {line} stays: keep one piece of it at least, "
        "or cancel the order and place another."
    )
    assert [item.quantity for item in lines(order)] == [3, 2]
    # What the refusal says is possible.
    kept = [{"product": rolls.pk, "quantity": 3}, {"id": line, "quantity": 1}]
    assert api_as("cashier").patch(f"/api/orders/{order.pk}", {"items": kept}).status_code == 200
    assert list(checks()) == []


def test_of_several_lines_that_must_stay_each_is_named(post, api_as, order):
    for line in lines(order):
        post(order, kind="refund", items=[{"id": line.pk, "quantity": 1}])

    bun = {"product": make_product(price="30.00").pk, "quantity": 1}
    refused = api_as("cashier").patch(f"/api/orders/{order.pk}", {"items": [bun]})

    assert [problem["field"] for problem in refused.json()["errors"]] == ["items", "items"]
    for line, problem in zip(lines(order), refused.json()["errors"], strict=True):
        assert f"1 × {line.product_name}, so line {line.pk} stays" in problem["message"]


def test_something_is_taken_off_a_paid_order_once_the_money_is_given_back(post, api_as, two_rates):
    pay(two_rates, "15.00")
    first, _ = lines(two_rates)
    keep = {"items": [{"id": first.pk, "quantity": 1}]}
    cashier = api_as("cashier")

    assert cashier.patch(f"/api/orders/{two_rates.pk}", keep).status_code == 409
    post(two_rates, kind="refund", amount="15.00")
    assert cashier.patch(f"/api/orders/{two_rates.pk}", keep).status_code == 200
    assert post(two_rates, amount="10.00").status_code == 201
    assert list(checks()) == []
    assert Order.objects.get().payment_status == "paid"
