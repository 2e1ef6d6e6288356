"""Random customers and staff against a bakery on paper: after each step both must come to the same.

`MODEL_EXAMPLES=500 bin/test tests/property` looks longer, and elsewhere each time.
"""

import os
from collections import Counter
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from orders.models import OrderEvent, OrderQuerySet
from orders.services import lines, rules
from products.models import CapacityGroup, CapacityOverride
from tests.property.model import EDITABLE, STEPS, Line, Order, euros, pieces_of, shop_day
from tests.property.shop import DAYS, ShopOnPaper

EXAMPLES = os.environ.get("MODEL_EXAMPLES")

numbers = st.integers(0, 10**6)
quantities = st.integers(1, 6)
baskets = st.lists(st.tuples(numbers, quantities), min_size=1, max_size=4)
days_ahead = st.integers(0, DAYS - 1)
hours = st.integers(0, 23).map(lambda hour: 23 - hour)  # what is simple is late in the day
capacities = st.integers(0, 20)
places = st.sampled_from(["takeaway", "eat_in"])
seldom = st.sampled_from([False, False, False, True])


class Orders(ShopOnPaper):
    """Each rule asks the API and the paper; where both agree on the answer, the paper is brought up to date."""

    def refusals(self, lines, due_at, *, order=None, override=False):
        """Return the codes with which such an order, or such an edit of `order`, is refused."""
        moved = order is None or order.due_at != due_at
        if moved and due_at < self.now:
            return {"too_late"}
        before, wanted, grown = order.pieces if order else Counter(), pieces_of(lines), self.grown(lines, due_at, order)
        products = self.bakery.products
        retired = {pk for pk in grown if not products[pk].is_active}
        codes = {"product_unavailable" for pk in retired}
        earlier = order is None or due_at < order.due_at
        ahead = due_at - self.now
        for pk in wanted.keys() - retired if not override else ():
            if ahead < products[pk].lead and (earlier or not before[pk]):
                codes.add("too_late")
            most = products[pk].most
            if most is not None and products[pk].is_active and wanted[pk] > max(most, before[pk]):
                codes.add("maximum_exceeded")
        if not codes and not override and self.is_too_much(lines, due_at, order):
            codes.add("capacity_exceeded")
        return codes

    def grown(self, lines, due_at, order=None):
        """Return the products of which more is asked for on the day than the order holds of it."""
        held = order.pieces if order and order.day == shop_day(due_at) else Counter()
        return {pk for pk, pieces in pieces_of(lines).items() if pieces > held[pk]}

    def is_too_much(self, lines, due_at, order=None):
        fits = self.bakery.fits(lines, shop_day(due_at), order)
        return not fits and bool(self.grown(lines, due_at, order))

    @rule(
        role=st.sampled_from(["guest", "customer", "cashier", "manager"]), wanted=baskets, days=days_ahead, hour=hours,
        place=places, override=seldom, again=seldom,
    )  # fmt: skip
    def place(self, role, wanted, days, hour, place, override, again):
        lines, due_at = self.basket(wanted), self.due(days, hour)
        body = {
            "customer_name": "Ada", "customer_phone": "+33 1", "due_at": due_at.isoformat(), "consumption": place,
            "items": [{"product": line.product, "quantity": line.quantity} for line in lines],
            **({"override": "For the mayor"} if override else {}),
        }  # fmt: skip
        key = {"Idempotency-Key": f"key {next(self.keys)}"}

        answer, data = self.ask(role, "post", "orders", body, **key)

        if override and role != "manager":
            assert answer == (403, "permission_denied")
        elif refusals := self.refusals(lines, due_at, override=override):
            assert answer == (409, *sorted(refusals))
        else:
            assert answer == (201,)
            for line in lines:
                line.price = self.bakery.products[line.product].price
            order = Order(due_at, place, lines, self.bakery.deadline(due_at, lines))
            order.is_own, order.history = role == "customer", [("", "pending")]
            order.is_excused = self.is_too_much(lines, due_at)
            self.bakery.orders[data["id"]] = order
        if again and answer == (201,):
            assert self.ask(role, "post", "orders", body, **key) == (answer, data)

    @precondition(lambda self: self.bakery.orders)
    @rule(
        role=st.sampled_from(["customer", "cashier", "manager"]), number=numbers, wanted=st.none() | baskets,
        moved=st.none() | st.tuples(days_ahead, hours), place=st.none() | places, override=seldom,
    )  # fmt: skip
    def edit(self, role, number, wanted, moved, place, override):
        pk = self.order(number, own=role == "customer")
        if pk is None:
            return
        order = self.bakery.orders[pk]
        lines = self.basket(wanted) if wanted else [Line(**vars(line)) for line in order.lines]
        due_at = self.due(*moved) if moved else order.due_at
        body = {
            **({"items": [{"product": line.product, "quantity": line.quantity} for line in lines]} if wanted else {}),
            **({"due_at": due_at.isoformat()} if moved else {}),
            **({"consumption": place} if place else {}),
            **({"override": "For the mayor"} if override else {}),
        }

        answer, _ = self.ask(role, "patch", f"orders/{pk}", body)

        if order.status not in EDITABLE:
            assert answer == (409, "illegal_transition")
        elif role == "customer" and self.now > order.deadline:
            assert answer == (409, "too_late")
        elif override and role != "manager":
            assert answer == (403, "permission_denied")
        elif refusals := self.refusals(lines, due_at, order=order, override=override):
            assert answer == (409, *sorted(refusals))
        else:
            old = {line.product: line.price for line in order.lines}
            for line in lines:
                line.price = old.get(line.product, self.bakery.products[line.product].price)
            total = sum(line.price * line.quantity for line in lines)
            had, has = (Counter(line.product for line in found) for found in (order.lines, lines))
            if answer == (409, "in_use"):
                # A line of which a refund tells stays.
                assert any(has[pk] < had[pk] for pk in order.refunded)
                return
            if answer == (409, "exceeds_balance"):
                # How a payment was divided among the rates is the cash book's to know.
                assert order.paid
                return
            assert answer == (200,)
            assert total >= order.paid
            assert order.refunded <= has.keys()
            self.keep(pk, lines, due_at, place or order.consumption)

    def keep(self, pk, lines, due_at, place):
        """Write down what an edit made of the order; it is a step only if it changed something."""
        order = self.bakery.orders[pk]

        def shown(order):
            return Counter((line.product, line.quantity) for line in order.lines), order.due_at, order.consumption

        before, too_much = shown(order), self.is_too_much(lines, due_at, order)
        order.lines, order.due_at, order.consumption = lines, due_at, place
        order.deadline = self.bakery.deadline(order.due_at, lines)
        events = OrderEvent.objects.filter(order=pk).count()
        assert shown(order) == before or events == len(order.history) + 1
        if events > len(order.history):
            order.history.append((order.status, order.status))
            order.is_excused |= too_much

    @precondition(lambda self: self.bakery.orders)
    @rule(
        role=st.sampled_from(["customer", "cashier", "baker", "manager", "manager"]), number=numbers,
        to=st.sampled_from([*STEPS, "out_for_delivery", *["next"] * 12]), note=st.sampled_from(["", "The oven broke"]),
    )  # fmt: skip
    def change_status(self, role, number, to, note):
        pk = self.order(number, own=role == "customer")
        if pk is None:
            return
        order = self.bakery.orders[pk]
        if to == "next":
            to = ([*STEPS[order.status]] or ["pending"])[number % max(1, len(STEPS[order.status]))]

        answer, _ = self.ask(role, "put", f"orders/{pk}/status", {"status": to, "note": note})

        may = STEPS[order.status].get(to)
        if to == order.status:
            assert answer == (200,)
        elif may is None:
            assert answer == (409, "illegal_transition")
        elif role not in may | {"manager"}:
            assert answer == (403, "permission_denied")
        elif to == "cancelled" and order.status not in EDITABLE and not note:
            assert answer == (400, "required")
        elif role == "customer" and self.now > order.deadline:
            assert answer == (409, "too_late")
        else:
            assert answer == (200,)
            order.history.append((order.status, to))
            order.status = to

    @precondition(lambda self: self.bakery.orders)
    @rule(
        number=numbers, kind=st.sampled_from(["payment", "payment", "refund"]), share=st.integers(1, 105),
        method=st.sampled_from(["cash", "card"]),
    )  # fmt: skip
    def pay(self, number, kind, share, method):
        pk = self.order(number)
        order = self.bakery.orders[pk]
        most = order.paid if kind == "refund" else order.total - order.paid
        amount = max(1, most * share // 100)

        answer, _ = self.ask(
            "cashier", "post", f"orders/{pk}/payments", {"amount": euros(amount), "kind": kind, "method": method}
        )

        if amount > most or (kind == "payment" and order.status in ("cancelled", "no_show")):
            assert answer == (409, "exceeds_balance")
        else:
            assert answer == (201,)
            order.payments.append(-amount if kind == "refund" else amount)

    @precondition(lambda self: self.bakery.orders)
    @rule(number=numbers, quantity=st.integers(1, 3))
    def refund_a_line(self, number, quantity):
        pk = self.order(number)
        order = self.bakery.orders[pk]
        _, shown = self.ask("cashier", "get", f"orders/{pk}", None)
        line = shown["items"][number % len(shown["items"])]
        amount = int(Decimal(line["unit_price"]) * 100) * quantity

        answer, _ = self.ask(
            "cashier", "post", f"orders/{pk}/payments",
            {"kind": "refund", "method": "cash", "items": [{"id": line["id"], "quantity": quantity}]},
        )  # fmt: skip

        if answer == (201,):
            assert quantity <= line["quantity"]
            assert amount <= order.paid
            order.payments.append(-amount)
            order.refunded.add(line["product"])
        elif answer == (400, "min_value"):
            assert amount == 0  # what was given away
        else:
            assert answer == (409, "exceeds_balance")

    @rule(wanted=baskets, place=places)
    def sell_at_the_till(self, wanted, place):
        lines = self.basket(wanted)
        items = [{"product": line.product, "quantity": line.quantity} for line in lines]

        answer, data = self.ask("cashier", "post", "sales", {"items": items, "method": "cash", "consumption": place})

        if not all(self.bakery.products[line.product].is_active for line in lines):
            assert answer == (409, "product_unavailable")
            return
        assert answer == (201,)
        for line in lines:
            line.price = self.bakery.products[line.product].price
        order = Order(self.now, place, lines, deadline=self.now, is_sale=True, status="completed")
        order.history, order.payments = [("", "completed")], [order.total]
        self.bakery.orders[data["id"]] = order

    @rule(number=numbers, capacity=st.none() | capacities)
    def change_capacity(self, number, capacity):
        pk = self.product(number)
        assert self.ask("manager", "patch", f"products/{pk}", {"daily_capacity": capacity})[0] == (200,)
        self.bakery.products[pk].capacity = capacity

    @rule(number=numbers, of_group=st.booleans(), days=days_ahead, capacity=capacities)
    def set_another_capacity_for_a_date(self, number, of_group, days, capacity):
        kind, pk = ("group", *self.bakery.groups) if of_group else ("product", self.product(number))
        day = self.day(days)
        CapacityOverride.objects.update_or_create(**{f"{kind}_id": pk}, day=day, defaults={"capacity": capacity})
        self.bakery.other[day, kind, pk] = capacity

    @rule(capacity=st.integers(0, 30))
    def change_the_oven(self, capacity):
        (pk,) = self.bakery.groups
        CapacityGroup.objects.filter(pk=pk).update(daily_capacity=capacity)
        self.bakery.groups[pk] = capacity

    @rule(number=numbers, price=st.integers(0, 5000), is_retired=seldom, most=st.none() | st.integers(1, 12))
    def change_product(self, number, price, is_retired, most):
        pk = self.product(number)
        body = {"price": euros(price), "is_active": not is_retired, "max_per_order": most}
        assert self.ask("manager", "patch", f"products/{pk}", body)[0] == (200,)
        product = self.bakery.products[pk]
        product.price, product.is_active, product.most = price, not is_retired, most

    @rule(minutes=st.sampled_from([1, 30, 60, 300, 720, 1440, 2000, -5]))
    def jump(self, minutes):
        self.now += timedelta(minutes=minutes)
        self.clock.move_to(self.now)


def compare(**profile):
    run_state_machine_as_test(Orders, settings=settings(report_multiple_bugs=False, database=None, **profile))


@pytest.mark.django_db
def test_whatever_is_ordered_changed_cancelled_and_paid_the_shop_and_the_paper_agree():
    if EXAMPLES:
        compare(max_examples=int(EXAMPLES), stateful_step_count=60, derandomize=False)
    else:
        compare(max_examples=8, stateful_step_count=25, phases=[Phase.generate])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        (rules, "_over_capacity", lambda *asked: []),
        (
            lines,
            "contained_vat",
            lambda gross, rate: (gross * rate / (100 + rate)).quantize(Decimal("0.01"), ROUND_FLOOR),
        ),
        (OrderQuerySet, "holding_capacity", lambda orders: orders.exclude(channel="counter")),
    ],
)
def test_a_shop_with_a_mistake_does_not_agree_with_the_paper(monkeypatch, place, name, wrong):
    """The counterproof."""
    monkeypatch.setattr(place, name, wrong)

    with pytest.raises(AssertionError):
        compare(max_examples=60, stateful_step_count=60, phases=[Phase.generate])
