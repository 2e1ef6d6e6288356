"""Racing changes of an order, racing money, and the same request again and again, through real server processes."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from bakery import clock
from tests.client import Client, at_once, by_clients

pytestmark = pytest.mark.servers

ENDS = ("completed", "no_show", "cancelled")


WAY = ("confirmed", "baking", "ready")
DUE = (clock.local(clock.now()) + timedelta(days=2)).replace(microsecond=0).isoformat()


@pytest.fixture(scope="package")
def loaf(shop):
    """Return the id of a product that costs 10.00."""
    manager = Client(shop.url).log_in("manager", "bread-and-butter-7")
    assert manager.post("categories", {"name": "Bread"}).status == 201
    return manager.post("products", {"name": "Loaf", "category": "bread", "price": "10.00"}).data["id"]


@pytest.fixture
def make_orders(manager, loaf):
    def make(count, status="pending"):
        """Place orders of 10.00 each and take them to `status`; return their ids."""
        body = {"due_at": DUE, "items": [{"product": loaf, "quantity": 1}]}
        placed = by_clients(8, [partial(manager.post, "orders", body)] * count)
        orders = [answer.data["id"] for answer in placed]
        for to in WAY[: WAY.index(status) + 1] if status in WAY else ():
            moved = by_clients(8, [partial(manager.put, f"orders/{order}/status", {"status": to}) for order in orders])
            assert {answer.status for answer in moved} == {200}
        return orders

    return make


def test_of_eight_who_change_an_order_at_once_one_wins_and_the_history_tells_it_a_hundred_times(manager, make_orders):
    orders = make_orders(100, "ready")
    acts = [
        partial(manager.put, f"orders/{order}/status", {"status": ENDS[number % 3], "note": ENDS[number % 3]})
        for order in orders
        for number in range(8)
    ]

    answers = by_clients(8, acts)

    statuses = {order["id"]: order["status"] for order in manager.get("orders?page_size=200")}
    for at, order in enumerate(orders):
        asked = [(ENDS[number % 3], answers[at * 8 + number]) for number in range(8)]
        winner = statuses[order]
        for to, answer in asked:
            # Whoever asks for the status that it has is told that it has it.
            assert (answer.status, answer.codes) == ((200, []) if to == winner else (409, ["illegal_transition"]))
        steps = [(step["from"], step["to"], step["note"]) for step in manager.get(f"orders/{order}/history")]
        assert [to for _, to, _ in steps] == ["pending", "confirmed", "baking", "ready", winner]
        assert steps[-1] == ("ready", winner, winner)


def test_of_sixteen_who_act_on_the_same_version_one_does(manager, make_orders):
    for order in make_orders(5, "confirmed"):
        change = [
            partial(manager.put, f"orders/{order}/status", {"status": to}, **{"If-Match": '"2"'})
            for to in ("baking", "cancelled")
        ]

        assert Counter(answer.status for answer in at_once(change * 8)) == {200: 1, 412: 15}
        assert len(manager.get(f"orders/{order}/history")) == 3


def test_payments_that_race_are_never_more_than_is_owed_and_each_has_its_cash_entry(cashier, make_orders):
    (order,) = make_orders(1)

    def pay(kind, amount):
        body = {"amount": amount, "method": "cash", "kind": kind}
        return partial(cashier.post, f"orders/{order}/payments", body)

    paid = at_once([pay("payment", "3.00")] * 16)
    assert Counter((answer.status, *answer.codes) for answer in paid) == {(201,): 3, (409, "exceeds_balance"): 13}
    given_back = at_once([pay("refund", "4.00")] * 16)
    assert Counter((answer.status, *answer.codes) for answer in given_back) == {(201,): 2, (409, "exceeds_balance"): 14}
    both = at_once([pay("payment", "2.50"), pay("refund", "2.00")] * 8)
    assert {(answer.status, *answer.codes) for answer in both} <= {(201,), (409, "exceeds_balance")}

    payments = [answer.data for answer in (*paid, *given_back, *both) if answer.status == 201]
    entries = {
        entry["id"]: entry["signed_amount"] for entry in cashier.get(f"cash?reference=order:{order}&page_size=200")
    }
    signed = {
        payment["cash_entry"]: ("-" if payment["kind"] == "refund" else "") + payment["amount"] for payment in payments
    }
    assert entries == signed
    shown = cashier.get(f"orders/{order}")
    assert 0 <= Decimal(shown["paid"]) == sum(Decimal(amount) for amount in entries.values()) <= Decimal("10.00")


def test_an_order_that_is_edited_while_it_is_paid_is_never_paid_beyond_its_total(cashier, make_orders, loaf):
    orders = make_orders(10)
    lines, more = ([{"product": loaf, "quantity": quantity}] for quantity in (1, 2))

    for order in orders:
        assert cashier.patch(f"orders/{order}", {"items": more}).status == 200
        pay = {"amount": "7.00", "method": "card"}
        answers = at_once(
            [partial(cashier.patch, f"orders/{order}", {"items": lines})] * 2
            + [partial(cashier.post, f"orders/{order}/payments", pay)] * 4
        )
        assert {(answer.status, *answer.codes) for answer in answers} <= {(200,), (201,), (409, "exceeds_balance")}
        shown = cashier.get(f"orders/{order}")
        assert Decimal(shown["paid"]) == 7 * sum(answer.status == 201 for answer in answers) <= Decimal(shown["total"])


def test_the_same_key_sixteen_times_at_once_is_one_order_one_payment_one_sale_and_one_entry(cashier, make_orders, loaf):
    (order,) = make_orders(1)
    lines = [{"product": loaf, "quantity": 1}]
    bodies = {
        "orders": {"due_at": DUE, "items": lines, "customer_name": "Sixteen"},
        "sales": {"items": lines, "method": "cash"},
        "cash": {"type": "paid_in", "amount": "5.00", "method": "cash"},
        f"orders/{order}/payments": {"amount": "0.50", "method": "cash"},
    }

    for path, body in bodies.items():
        for turn in range(3):
            answers = at_once([partial(cashier.post, path, body, f"{path}-{turn}")] * 16)
            assert {answer.status for answer in answers} == {201}
            assert len({answer.raw for answer in answers}) == 1
            assert Counter(answer.replayed for answer in answers) == {False: 1, True: 15}
        other = cashier.post(path, {**body, "items": lines * 2}, f"{path}-0")
        assert other.codes == ["idempotency_mismatch"]
    stored = ("orders?search=Sixteen", "orders?channel=counter", "cash?type=paid_in", f"cash?reference=order:{order}")
    assert [len(cashier.get(path)) for path in stored] == [3, 3, 3, 3]
