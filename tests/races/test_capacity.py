"""A day's capacity is sold to the last piece and not one more, whoever comes at once, through real server processes."""

import random
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest

from bakery import clock
from tests.at_once import ON_POSTGRES
from tests.client import Client, at_once, by_clients
from tests.server import a_shop

pytestmark = pytest.mark.servers

CLIENTS = 16
DAY = clock.today() + timedelta(days=2)
DUE = clock.wall_time(datetime(DAY.year, DAY.month, DAY.day, 10)).isoformat()
# What limits the day to `pieces`; each leaves the products that are bound by it in `found`.
LIMITS = {
    "of the product": "found = [make(daily_capacity={pieces})]",
    "of a group": """
oven = group({pieces} * 3 + 2)
found = [make(capacity_group=oven, capacity_units=3), make(capacity_group=oven, capacity_units=3)]
""",
    "for the date": """
found = [make(daily_capacity=5)]
CapacityOverride.objects.create(product=found[0], day=date.fromisoformat("{day}"), capacity={pieces})
""",
    "of a group for the date": """
oven = group(5)
found = [make(capacity_group=oven), make(capacity_group=oven)]
CapacityOverride.objects.create(group=oven, day=date.fromisoformat("{day}"), capacity={pieces})
""",
}
MAKE = """
import json
from datetime import date
from uuid import uuid4
from products.models import CapacityGroup, CapacityOverride
from products.tests.factories import make_category, make_product
def make(**fields):
    return make_product(name="Cake " + uuid4().hex, category=category, **fields)
def group(units):
    return CapacityGroup.objects.create(name=uuid4().hex, daily_capacity=units)
category = make_category(name=uuid4().hex)
{limit}
print(json.dumps([[product.pk, product.name] for product in found]))
"""


def make_limited(shop, limit, pieces):
    """Make products that `pieces` can be sold of on the day; return their ids and names."""
    return shop.ask(MAKE.format(limit=LIMITS[limit].format(pieces=pieces, day=DAY)))


def order_of(*lines):
    items = [{"product": product, "quantity": quantity} for product, quantity in lines]
    return {"customer_name": "Ada", "customer_phone": "+33 1", "due_at": DUE, "items": items}


def sell_out(clients, products, orders):
    """Have all clients order single pieces as fast as they can; return the answers with the name of what was asked."""
    wanted = [products[number % len(products)] for number in range(orders)]
    acts = [
        partial(clients[number % len(clients)].post, "orders", order_of((pk, 1)))
        for number, (pk, _) in enumerate(wanted)
    ]
    return [(name, answer) for (_, name), answer in zip(wanted, by_clients(CLIENTS, acts), strict=True)]


def left_of(client, product):
    (row,) = client.get(f"availability?date={DAY}&product={product}")
    return row["available"], row["reason"]


@pytest.mark.parametrize(
    ("limit", "pieces"),
    [("of the product", 100), ("of a group", 50), ("for the date", 50), ("of a group for the date", 20)],
)
def test_of_four_times_as_many_buyers_as_pieces_one_quarter_is_served(shop, guest, cashier, limit, pieces):
    products = make_limited(shop, limit, pieces)

    answers = sell_out([guest, cashier], products, 4 * pieces)

    assert Counter(answer.status for _, answer in answers) == {201: pieces, 409: 3 * pieces}
    for name, answer in answers:
        if answer.status == 409:
            message = f"{name} is sold out on {DAY}."
            assert answer.errors == [{"code": "capacity_exceeded", "field": "items.0.quantity", "message": message}]
    assert [left_of(guest, pk) for pk, _ in products] == [(0, "sold_out")] * len(products)


@pytest.mark.parametrize("guard", ["looks_before_it_locks", pytest.param("locks_nothing", marks=ON_POSTGRES)])
def test_without_the_guard_it_is_oversold_and_the_auditor_says_so(tmp_path, guard):
    """The counterproof: the race above is one."""
    # In one process, so that the first two buyers are sure to meet: the first one waits for the second.
    with a_shop(tmp_path, CARELESS=guard, WORKERS="1") as careless:
        products = make_limited(careless, "of the product", 1)
        careless.serve("tests.careless:application")

        answers = Counter(answer.status for _, answer in sell_out([Client(careless.url)], products, 40))

        assert answers.keys() == {201, 409}
        assert answers[201] > 1
        doctor = careless.manage("doctor", check=False)
        assert doctor.returncode == 1
        assert f"{DAY}: {answers[201]} of product {products[0][0]} are ordered, and 1 can be made." in doctor.stdout


def test_orders_that_name_their_products_in_opposite_order_do_not_lock_each_other_out(shop, guest):
    ((tart, _),) = make_limited(shop, "of the product", 1000)
    (loaf, _), (roll, _) = make_limited(shop, "of a group", 1000)
    ways = [(tart, loaf, roll), (roll, loaf, tart), (loaf, tart, roll)]
    acts = [
        partial(guest.post, "orders", order_of(*[(product, 1) for product in ways[number % 3]])) for number in range(96)
    ]

    answers = by_clients(CLIENTS, acts)

    assert Counter(answer.status for answer in answers) == {201: 96}
    assert [left_of(guest, product)[0] for product in (tart, loaf, roll)] == [904, 808, 808]


def test_the_last_pieces_are_given_back_and_taken_by_many_at_once_and_the_count_stays_right(
    shop, guest, cashier, manager
):
    ((cake, _),) = make_limited(shop, "of the product", 40)
    orders = [cashier.post("orders", order_of((cake, 2))).data["id"] for _ in range(20)]
    chance = random.Random(4)

    def edit(order):
        return cashier.patch(f"orders/{order}", {"items": order_of((cake, chance.randint(1, 5)))["items"]})

    for _ in range(4):
        acts = [
            *[lambda order=order: edit(order) for order in orders],
            *[
                lambda order=order: manager.put(f"orders/{order}/status", {"status": "cancelled"})
                for order in orders[:4]
            ],
            *[lambda: guest.post("orders", order_of((cake, chance.randint(1, 3))))] * 12,
        ]
        chance.shuffle(acts)
        answers = at_once(acts)

        codes = {(answer.status, *answer.codes) for answer in answers}
        assert codes <= {(200,), (201,), (409, "capacity_exceeded"), (409, "illegal_transition")}
        placed = [answer.data["id"] for answer in answers if answer.status == 201]
        orders = orders[4:] + placed
        held = sum(item["quantity"] for order in orders for item in cashier.get(f"orders/{order}")["items"])
        assert left_of(guest, cake)[0] == 40 - held >= 0

    left = left_of(guest, cake)[0]
    assert guest.post("orders", order_of((cake, left + 1))).codes == ["capacity_exceeded"]
    assert not left or guest.post("orders", order_of((cake, left))).status == 201
