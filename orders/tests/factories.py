from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from accounts.models import Role, User
from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.models import Order, StandingOrder, Status
from products.models import Product
from products.tests.factories import make_product

# The shortest way from pending to each status.
WAY = {
    Status.PENDING: [],
    Status.CONFIRMED: ["confirmed"],
    Status.BAKING: ["confirmed", "baking"],
    Status.READY: ["confirmed", "baking", "ready"],
    Status.OUT_FOR_DELIVERY: ["confirmed", "baking", "ready", "out_for_delivery"],
    Status.COMPLETED: ["confirmed", "baking", "ready", "completed"],
    Status.CANCELLED: ["cancelled"],
    Status.NO_SHOW: ["confirmed", "baking", "ready", "no_show"],
}


def on(day_from_today: int, hour: int = 10, minute: int = 0) -> datetime:
    """Return an hour of the shop's clock, so many days from today."""
    day = clock.today() + timedelta(days=day_from_today)
    return clock.wall_time(datetime(day.year, day.month, day.day, hour, minute))


def make_order(
    *,
    actor: User | None = None,
    items: list[dict[str, Any]] | None = None,
    due_at: datetime | None = None,
    status: str = Status.PENDING,
    now: datetime | None = None,
    **details: Any,
) -> Order:
    """Place an order, of a guest and for tomorrow at ten unless said otherwise, and move it along to `status`."""
    if actor is None:
        details = {"customer_name": "Ada", "customer_phone": "+33 1", **details}
    if details.get("fulfilment") == "delivery":
        details.setdefault("address", "1 Mill Lane")
    order = services.place_order(
        actor=actor,
        items=items or [{"product": make_product().pk, "quantity": 2}],
        due_at=due_at or on(1),
        now=now,
        **details,
    )
    move(order, status, now=now)
    return order


def move(order: Order, status: str, *, now: datetime | None = None) -> None:
    """Take the order from pending to `status`, as a manager would, and refresh it."""
    way = list(WAY[Status(status)])
    if status == Status.COMPLETED and order.fulfilment == "delivery":
        way.insert(3, "out_for_delivery")
    if way:
        manager = make_user(role=Role.MANAGER)
        for to in way:
            services.change_status(order_id=order.pk, to=to, actor=manager, now=now)
        order.refresh_from_db()


def make_standing_order(
    *,
    customer: User | None = None,
    product: Product | None = None,
    quantity: int = 1,
    days: Iterable[int] = range(1, 8),
    due_time: time = time(10),
    **details: Any,
) -> StandingOrder:
    """Make a standing order for every weekday at ten unless said otherwise."""
    pk = (product or make_product()).pk
    return services.create_standing_order(
        customer=(customer or make_user()).pk,
        items=[{"product": pk, "weekday": weekday, "quantity": quantity} for weekday in days],
        due_time=due_time,
        **details,
    )
