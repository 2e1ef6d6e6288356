"""A shop and the same shop on paper, and what must be true of both after each step."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count

import time_machine
from django.core.cache import cache
from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant
from rest_framework.test import APIClient

import cashbook.selectors
import orders.selectors
from accounts.tests.factories import make_user
from bakery.models import IdempotencyKey
from cashbook.models import CashEntry
from orders.models import OrderEvent, Payment
from products.models import CapacityGroup
from products.tests.factories import make_category, make_product, make_vat_class
from tests.property.model import ZONE, Bakery, Line, Product, euros, shop_day

START = datetime(2026, 10, 23, 7, tzinfo=UTC)  # the night in which the clocks go back is two days ahead
DAYS = 4


class ShopOnPaper(RuleBasedStateMachine):
    """The API in one hand and the paper in the other; what is done to both is for subclasses to say."""

    def __init__(self):
        super().__init__()
        cache.clear()
        self.undone = ExitStack()
        self.undone.enter_context(transaction.atomic())
        self.clock = self.undone.enter_context(time_machine.travel(START, tick=False))
        self.now, self.keys = START, count()
        self.clients = {}
        for role in ("manager", "cashier", "baker", "customer"):
            self.clients[role] = APIClient(raise_request_exception=False)
            self.clients[role].force_authenticate(make_user(role=role))
        self.clients["guest"] = APIClient(raise_request_exception=False)
        self.bakery = self.open()

    def open(self):
        """Make a product without a limit, one with its own, two that share an oven, and one that takes its time."""
        oven = CapacityGroup.objects.create(name="Oven", daily_capacity=12)
        category = make_category()
        low, high = (
            {"takeaway": Decimal("5.50"), "eat_in": Decimal("10.00")},
            {"takeaway": Decimal(20), "eat_in": Decimal(20)},
        )
        products = [
            Product("Baguette", 130, low),
            Product("Cake", 1999, high, capacity=8),
            Product("Loaf", 333, low, group=oven.pk, units=3),
            Product("Roll", 47, high, group=oven.pk, capacity=9),
            Product("Tart", 1250, low, capacity=5, lead=timedelta(hours=24)),
        ]
        classes = [
            (rates, make_vat_class(**{place: str(rate) for place, rate in rates.items()})) for rates in (low, high)
        ]
        made = {}
        for product in products:
            row = make_product(
                name=product.name, category=category, price=euros(product.price), daily_capacity=product.capacity,
                vat_class=next(vat_class for rates, vat_class in classes if rates is product.rates),
                lead_time_hours=product.lead // timedelta(hours=1), capacity_units=product.units,
                capacity_group=oven if product.group else None,
            )  # fmt: skip
            made[row.pk] = product
        return Bakery(made, {oven.pk: 12})

    def teardown(self):
        transaction.set_rollback(True)
        self.undone.close()

    # What is asked for

    def product(self, number):
        return list(self.bakery.products)[number % len(self.bakery.products)]

    def order(self, number, *, own=False):
        known = [pk for pk, order in self.bakery.orders.items() if not own or order.is_own]
        return known[number % len(known)] if known else None

    def day(self, ahead):
        return shop_day(self.now) + timedelta(days=ahead)

    def due(self, days, hour):
        """Return an hour of the shop's clock in UTC, in which each hour exists once."""
        return datetime.combine(self.day(days), time(hour), ZONE).astimezone(UTC)

    def basket(self, wanted):
        return [Line(self.product(number), quantity, 0) for number, quantity in wanted]

    def ask(self, role, method, path, body, **headers):
        """Return the answer's status and codes, and its data."""
        answer = getattr(self.clients[role], method)(f"/api/{path}", body, headers=headers)
        told = answer.json()
        return (answer.status_code, *sorted({problem["code"] for problem in told["errors"]})), told["data"]

    # What must be true after each step

    @invariant()
    def every_order_is_as_it_stands_on_paper(self):
        _, shown = self.ask("manager", "get", "orders?page_size=200", None)

        assert {order["id"] for order in shown} == set(self.bakery.orders)
        for found in shown:
            order = self.bakery.orders[found["id"]]
            lines = Counter((item["product"], item["quantity"], item["unit_price"]) for item in found["items"])
            assert lines == Counter((line.product, line.quantity, euros(line.price)) for line in order.lines)
            vat = {bucket["rate"]: (bucket["net"], bucket["vat"], bucket["gross"]) for bucket in found["vat"]}
            assert vat == self.bakery.vat(order)
            assert Decimal(found["vat_total"]) == sum(Decimal(bucket["vat"]) for bucket in found["vat"])
            assert {name: found[name] for name in ("status", "total", "paid", "balance", "payment_status")} == {
                "status": order.status, "total": euros(order.total), "paid": euros(order.paid),
                "balance": euros(order.total - order.paid), "payment_status": order.payment_status,
            }  # fmt: skip
            assert datetime.fromisoformat(found["due_at"]) == order.due_at
            assert datetime.fromisoformat(found["deadline_at"]) == order.deadline
            assert 0 <= order.paid <= order.total

    @invariant()
    def what_is_left_is_what_nobody_holds(self):
        first, last = self.day(0), self.day(DAYS - 1)
        _, rows = self.ask("manager", "get", f"availability?from={first}&to={last}" + self.all_products(), None)

        assert len(rows) == DAYS * len(self.bakery.products)
        for row in rows:
            day, product = datetime.fromisoformat(row["date"]).date(), self.bakery.products[row["product"]]
            left = self.bakery.left(row["product"], day)
            evening = datetime.combine(day, time(23, 59), ZONE).astimezone(UTC)
            reason = "sold_out" if left == 0 else ""
            if evening - self.now < product.lead:
                reason = "too_late"
            if not product.is_active:
                reason = "not_baked"
            assert (row["available"], row["reason"]) == (0 if reason else left, reason)

    def all_products(self):
        return "".join(f"&product={pk}" for pk in self.bakery.products)

    @invariant()
    def each_step_stands_in_the_history(self):
        told = {pk: [] for pk in self.bakery.orders}
        for pk, before, after, changes in OrderEvent.objects.order_by("pk").values_list(
            "order", "from_status", "to_status", "changes"
        ):
            told[pk].append((before, after))
            assert bool(changes) == (before == after)
        assert told == {pk: order.history for pk, order in self.bakery.orders.items()}

    @invariant()
    def each_payment_stands_in_the_cash_book(self):
        booked = {f"order:{pk}": [] for pk in self.bakery.orders}
        for reference, amount in CashEntry.objects.order_by("pk").values_list("reference", "signed_amount"):
            booked[reference].append(int(amount * 100))
        expected = {f"order:{pk}": [p for p in order.payments if p] for pk, order in self.bakery.orders.items()}
        assert booked == expected
        assert Payment.objects.count() == sum(map(len, booked.values()))

    @invariant()
    def the_auditors_find_what_a_lower_limit_left_oversold_and_nothing_else(self):
        assert set(orders.selectors.checks()) == self.bakery.drift(self.day(0))
        assert list(cashbook.selectors.checks()) == []

    @invariant()
    def a_refusal_uses_no_key_up(self):
        sold = sum(order.is_sale for order in self.bakery.orders.values())
        assert IdempotencyKey.objects.count() == len(self.bakery.orders) - sold
