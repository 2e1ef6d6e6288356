"""Give the demo shop a life: orders of the days around today, cash, chat – all through the services."""

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from bakery import clock
from bakery.models import Closure, OpeningHours, is_open
from cashbook import services as cashbook
from chat import services as chat
from orders import services as orders
from orders.models import Order, Status
from production import services as production
from products.models import Product

NAMES = [
    "Emma Laurent", "Noah Fischer", "Louise Bernard", "Paul Schneider", "Jade Moreau", "Felix Wagner", "Alice Petit",
    "Hugo Becker", "Lina Roux", "Jonas Hoffmann", "Manon Girard", "Leon Schulz", "Café Central", "Hotel Lindenhof",
]  # fmt: skip
FAVOURITES = [
    "BAG-TRAD", "ROLL", "CROISSANT", "SOUR-500", "PAIN-CHOC", "PRETZEL", "RYE-750", "QUICHE", "ECLAIR", "BAG-SEED",
    "CINNAMON", "SOUR-1000",
]  # fmt: skip
DONE = (Status.CONFIRMED, Status.BAKING, Status.READY, Status.COMPLETED)
# What is brought each day: to whom, where, at what time, what, and whether it was paid for ahead.
ROUND = [
    ("Hotel Lindenhof", "8 Linden Avenue", (7, 30), {"ROLL": 40, "CROISSANT": 20}, True),
    ("Café Central", "3 Market Square", (8, 0), {"CROISSANT": 25, "PAIN-CHOC": 15}, False),
    ("Alice Petit", "27 Mill Lane, second floor", (12, 0), {"QUICHE": 2, "BAG-TRAD": 2}, False),
]
BROUGHT = (Status.CONFIRMED, Status.BAKING, Status.READY, Status.OUT_FOR_DELIVERY, Status.COMPLETED)
# Today's round at work: the first stop is on its way, the second waits for the driver, the third is to be baked.
UNDER_WAY = (4, 3, 1)
TALK = [
    ("baker", "Sourdough for tomorrow is set. Oven 2 runs 10 degrees hot, watch the rolls."),
    ("cashier", "Hotel Lindenhof asks for 20 more rolls on Saturday."),
    ("manager", "Fine, I put them in. Please tell David."),
    ("driver", "Got it. Leaving at half past six."),
]


class Command(BaseCommand):
    help = "Add orders, cash and chat around today to the demo shop (after `loaddata demo`), once."

    def handle(self, *args: Any, **options: Any) -> None:
        people = {user.username: user for user in User.objects.filter(is_active=True)}
        if Order.objects.exists() or not {"manager", "baker", "cashier", "driver"} <= people.keys():
            raise CommandError("seed_demo wants the demo shop (loaddata demo), without any order yet.")
        # One transaction, so that a seeding that is stopped half-way can simply be started again.
        with transaction.atomic():
            now = clock.now()
            seed_orders(people, now)
            seed_deliveries(people, now)
            seed_cash(people, now)
            for username, words in TALK:
                chat.post_message(channel="general", text=words, actor=people[username])
            production.plan_day(day=clock.shop_day(now), actor=people["manager"])
        self.stdout.write(f"Seeded {Order.objects.count()} orders.")


def seed_orders(people: dict[str, User], now: datetime) -> None:
    """Place orders for three days back to four days ahead; those of the past are paid and gone."""
    draw = random.Random(2026)  # noqa: S311  # the same demo every time
    products = {product.sku: product for product in Product.objects.filter(sku__in=FAVOURITES)}
    today = clock.shop_day(now)
    for offset in range(-3, 5):
        day = today + timedelta(days=offset)
        for _ in range(draw.randint(5, 9)):
            due = at(day, draw.choice((8, 9, 10, 11)), draw.choice((0, 30)))
            if not open_at(due):
                continue
            skus = draw.sample(FAVOURITES, draw.randint(1, 4))
            order = orders.place_order(
                actor=people["cashier"],
                items=[{"product": products[sku].pk, "quantity": draw.randint(1, 8), "note": ""} for sku in skus],
                due_at=due,
                customer_name=draw.choice(NAMES),
                customer_phone=f"+33 6 12 34 {draw.randint(10, 99)} {draw.randint(10, 99)}",
                now=min(now, due - timedelta(days=1)),
            )
            follow(order, people, draw, offset)
    orders.place_order(
        actor=people["customer"],
        items=[{"product": products["CROISSANT"].pk, "quantity": 12, "note": "for the office"}],
        due_at=next_open(today + timedelta(days=2)),
        now=now,
    )


def follow(order: Order, people: dict[str, User], draw: random.Random, offset: int) -> None:
    """Move an order as far as its day suggests: past ones are paid and handed over, some ahead are confirmed."""
    if offset < 0:
        orders.pay(order_id=order.pk, amount=order.total, method=draw.choice(("cash", "card")), actor=people["cashier"])
        for status in DONE:
            orders.change_status(order_id=order.pk, to=status, actor=people["manager"])
    elif offset == 0 or draw.random() < 0.6:
        orders.change_status(order_id=order.pk, to=Status.CONFIRMED, actor=people["cashier"])


def seed_deliveries(people: dict[str, User], now: datetime) -> None:
    """Bring the same round from yesterday to the day after tomorrow; today the driver is on it."""
    products = {product.sku: product for product in Product.objects.filter(sku__in=FAVOURITES)}
    today = clock.shop_day(now)
    for offset in range(-1, 3):
        far = UNDER_WAY if offset == 0 else (len(BROUGHT) if offset < 0 else 1,) * len(ROUND)
        for (name, address, time_of_day, pieces, is_paid), steps in zip(ROUND, far, strict=True):
            due = at(today + timedelta(days=offset), *time_of_day)
            if not open_at(due):
                continue
            order = orders.place_order(
                actor=people["cashier"],
                items=[{"product": products[sku].pk, "quantity": count, "note": ""} for sku, count in pieces.items()],
                due_at=due,
                customer_name=name,
                customer_phone="+33 6 12 34 56 78",
                fulfilment="delivery",
                address=address,
                now=min(now, due - timedelta(days=1)),
            )
            if is_paid or offset < 0:
                orders.pay(order_id=order.pk, amount=order.total, method="transfer", actor=people["cashier"])
            for status in BROUGHT[:steps]:
                orders.change_status(order_id=order.pk, to=status, actor=people["manager"])


def seed_cash(people: dict[str, User], now: datetime) -> None:
    """Open the drawer, sell at the till, take some money out."""
    cashbook.open_session(register="main", float_amount=Decimal("150.00"), actor=people["cashier"])
    coffee, croissant = Product.objects.get(sku="COFFEE"), Product.objects.get(sku="CROISSANT")
    for cups in (1, 2, 1, 3):
        orders.sell(
            actor=people["cashier"],
            items=[{"product": coffee.pk, "quantity": cups}, {"product": croissant.pk, "quantity": cups}],
            method="cash",
            consumption="eat_in",
            now=now,
        )
    cashbook.book(
        type="paid_out",
        amount=Decimal("18.40"),
        method="cash",
        actor=people["cashier"],
        notes="Flowers for the counter",
    )


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return clock.wall_time(datetime.combine(day, time(hour, minute)))


def open_at(due: datetime) -> bool:
    return is_open(due, list(OpeningHours.objects.all()), list(Closure.objects.all()))


def next_open(day: date) -> datetime:
    """Return ten o'clock of the first day from `day` on at which the shop is open then."""
    while not open_at(at(day, 10)):
        day += timedelta(days=1)
    return at(day, 10)
