from datetime import date, datetime, time, timedelta
from typing import Any

from accounts.tests.factories import make_user
from bakery import clock
from orders.models import Order
from orders.tests.factories import make_order
from production import services
from production.models import BakingPlan
from products.models import Product, ProductTarget

DAY = date(2026, 11, 25)  # a Wednesday


def make_demand(quantities: dict[Product, int], *, day: date = DAY, status: str = "pending", **fields: Any) -> Order:
    """Place an order for `quantities`, due at 8 on `day`, five days ahead; `fields` are then written over it."""
    due_at = clock.wall_time(datetime.combine(day, time(8)))
    order = make_order(
        items=[{"product": product.pk, "quantity": quantity} for product, quantity in quantities.items()],
        due_at=due_at,
        now=due_at - timedelta(days=5),
        status=status,
        fulfilment="delivery" if status == "out_for_delivery" else "pickup",
    )
    if fields:
        Order.objects.filter(pk=order.pk).update(**fields)
    return order


def make_target(product: Product, quantity: int, *, day: date = DAY) -> ProductTarget:
    return ProductTarget.objects.create(product=product, weekday=day.isoweekday(), quantity=quantity)


def make_plan(day: date = DAY, **fields: Any) -> BakingPlan:
    return services.plan_day(**{"day": day, "actor": make_user(role="manager"), **fields})
