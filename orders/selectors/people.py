"""What is stored about a customer."""

from typing import Any

from django.db.models import Q

from bakery.privacy import Person
from orders.models import Order, OrderEvent, OrderQuerySet, StandingOrder, StandingOrderQuerySet, Wish, WishQuerySet

_CONTACT = ("customer_name", "customer_email", "customer_phone")


def orders_of(person: Person) -> OrderQuerySet:
    """Return the orders of an account, and those that a guest gave with its e-mail address."""
    return Order.objects.filter(_of(person))


def standing_orders_of(person: Person) -> StandingOrderQuerySet:
    return StandingOrder.objects.filter(Q(customer=person.user_id) if person.user_id else Q(pk=None))


def wishes_of(person: Person) -> WishQuerySet:
    return Wish.objects.filter(_of(person))


def export(person: Person) -> dict[str, Any]:
    """Return the orders of `person` with all that hangs on them, their standing orders and their wishes."""
    orders = orders_of(person).order_by("pk").prefetch_related("items", "payments", "history__override")
    standing = standing_orders_of(person).order_by("pk").prefetch_related("items__product", "skips")
    wishes = wishes_of(person).select_related("product")
    found = {
        "orders": [_order(order) for order in orders],
        "standing_orders": [_standing_order(template) for template in standing],
        "waiting_list": [
            {
                **_values(wish, *_CONTACT, "date", "due_time", "quantity", "created_at"),
                "product": wish.product.name,
            }
            for wish in wishes
        ],
    }
    return {name: rows for name, rows in found.items() if rows}


def _of(person: Person) -> Q:
    wanted = Q(customer=person.user_id) if person.user_id else Q(pk=None)
    return wanted | Q(customer=None, customer_email__iexact=person.email) if person.email else wanted


def _order(order: Order) -> dict[str, Any]:
    details = (
        "code", "status", "channel", *_CONTACT, "fulfilment", "address", "consumption", "due_at", "notes", "total",
        "vat_total", "paid", "refunded", "override_reason", "created_at", "updated_at",
    )  # fmt: skip
    items = ("product_name", "unit_price", "vat_rate", "quantity", "line_total", "note")
    return {
        **_values(order, *details),
        "items": [_values(item, *items) for item in order.items.all()],
        "payments": [_values(row, "created_at", "kind", "amount", "method", "note") for row in order.payments.all()],
        "history": [_event(event) for event in order.history.all()],
    }


def _event(event: OrderEvent) -> dict[str, Any]:
    override = getattr(event, "override", None)
    return {
        **_values(event, "at", "from_status", "to_status", "note", "changes"),
        "override_reason": override.reason if override else "",
    }


def _standing_order(standing: StandingOrder) -> dict[str, Any]:
    details = ("due_time", "fulfilment", "address", "start", "end", "paused", "created_at", "updated_at")
    return {
        **_values(standing, *details),
        "items": [
            {"product": item.product.name, **_values(item, "weekday", "quantity")} for item in standing.items.all()
        ],
        "skipped": [skip.date for skip in standing.skips.all()],
    }


def _values(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
