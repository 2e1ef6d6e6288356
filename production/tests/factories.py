from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from accounts.tests.factories import make_user
from bakery import clock
from orders.models import Channel, Order, OrderItem
from production import services
from production.models import BakingPlan
from products.models import Product, ProductTarget

_numbers: Iterator[int] = count(1)
DAY = date(2026, 11, 25)  # a Wednesday


def make_demand(quantities: dict[Product, int], *, day: date = DAY, **fields: Any) -> Order:
    """Make an order due at 8 on `day`, whatever a shop's rules say about it."""
    number = next(_numbers)
    due_at = datetime.combine(day, time(8), tzinfo=clock.shop_zone())
    values = {
        "code": f"P{number}", "tracking_token": f"production-{number}", "channel": Channel.WEB, "due_at": due_at,
        "due_on": day, "deadline_at": due_at - timedelta(hours=12), "total": 0, "vat_total": 0,
    }  # fmt: skip
    order = Order.objects.create(**{**values, **fields})
    OrderItem.objects.bulk_create(
        OrderItem(order=order, product=product, product_name=product.name, unit_price=0, vat_rate=0,
                  quantity=quantity, line_total=0, vat_amount=0)
        for product, quantity in quantities.items()
    )  # fmt: skip
    return order


def make_target(product: Product, quantity: int, *, day: date = DAY) -> ProductTarget:
    return ProductTarget.objects.create(product=product, weekday=day.isoweekday(), quantity=quantity)


def make_plan(day: date = DAY, **fields: Any) -> BakingPlan:
    return services.plan_day(**{"day": day, "actor": make_user(role="manager"), **fields})
