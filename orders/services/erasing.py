"""Forgetting whose orders they were: amounts and VAT stay."""

from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.services import lock_account
from bakery import clock
from bakery.models import IdempotencyKey
from bakery.privacy import Person
from orders import selectors
from orders.models import Fulfilment, Notice, Order, OrderEvent, OrderItem, Override, Payment, StandingOrder
from orders.services.storing import new_token

GONE = "erased"
OF_THE_PERSON = ("customer", "customer_name", "customer_email", "customer_phone", "address", "notes")


def erase(person: Person) -> None:
    """Take names, addresses, notes, secrets and kept answers off a customer's orders, standing orders and wishes.

    A standing order that came to anything is ended, any other goes; who waits, waits no more.
    """
    orders, templates = _lock(person)
    _forget_answers(orders)
    for order in orders:
        _forget_order(order)
    for standing in templates:
        _forget_standing_order(standing)
    selectors.wishes_of(person).delete()


def _lock(person: Person) -> tuple[list[Order], list[StandingOrder]]:
    """Lock all that is the person's, in the order in which others lock it; return the orders and standing orders.

    While we waited for one of them or for the account, others may have come about that we did not see. Those come
    before it in the order of locks, so all are let go and locked anew.
    """
    while True:
        with transaction.atomic():
            orders = list(selectors.orders_of(person).select_for_update(of=("self",)).order_by("pk"))
            templates = list(selectors.standing_orders_of(person).select_for_update(of=("self",)).order_by("pk"))
            wishes = list(selectors.wishes_of(person).locked())
            if person.user_id is not None:
                lock_account(person.user_id)
            asked = selectors.orders_of(person), selectors.standing_orders_of(person), selectors.wishes_of(person)
            if [rows.count() for rows in asked] == [len(orders), len(templates), len(wishes)]:
                return orders, templates
            transaction.set_rollback(True)


def _forget_order(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(
        customer_name="", customer_email="", customer_phone="", notes="", tracking_token=new_token(),
        address=GONE if order.fulfilment == Fulfilment.DELIVERY else "",
        override_reason=GONE if order.override_reason else "",
        version=F("version") + 1, updated_at=clock.now(),
    )  # fmt: skip
    OrderItem.objects.filter(order=order).exclude(note="").update(note="")
    Payment.objects.filter(order=order).exclude(note="").update(note="")
    Override.objects.filter(event__order=order).update(reason=GONE)
    Notice.objects.filter(order=order).delete()
    OrderEvent.objects.filter(order=order).exclude(note="").update(note="")
    for event in OrderEvent.objects.filter(order=order).exclude(changes={}):
        event.changes = {name: _without_person(name, values) for name, values in event.changes.items()}
        event.save(update_fields=["changes"])


def _without_person(name: str, values: list[Any]) -> list[Any]:
    """Return what a field was and became, without what tells of a person."""
    if name in OF_THE_PERSON:
        return [GONE, GONE]
    if name == "items":
        return [[{**line, "note": ""} for line in lines] for lines in values]
    return values


def _forget_standing_order(standing: StandingOrder) -> None:
    if not standing.dates.exists():
        standing.delete()
        return
    standing.paused = True
    standing.address = GONE if standing.address else ""
    standing.save_version("paused", "address")


def _forget_answers(orders: list[Order]) -> None:
    """Delete the kept answers that show one of `orders`, whoever asked: they stand for two days only."""
    codes = [f'"{order.code}"'.encode() for order in orders]
    paths = {f"/api/orders/{order.pk}" for order in orders}
    shown = [
        key.pk
        for key in IdempotencyKey.objects.only("pk", "path", "body").iterator()
        if "/".join(key.path.split("/")[:4]) in paths or any(code in bytes(key.body) for code in codes)
    ]
    IdempotencyKey.objects.filter(pk__in=shown).delete()
