"""What the list of orders can be narrowed by."""

from datetime import date
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from bakery.api.filters import (
    ChoiceFilter,
    DayFilter,
    FilterSet,
    FlagFilter,
    IdFilter,
    MultipleChoiceFilter,
    SearchFilter,
    read_day,
    refuse_unknown,
)
from orders.models import Channel, Fulfilment, Order, PaymentStatus, StandingOrder, Status, Wish


class OrderFilter(FilterSet):
    status = MultipleChoiceFilter(choices=Status.choices)
    due_date = DayFilter(field_name="due_on")
    due_from = DayFilter(field_name="due_on", lookup_expr="gte")
    due_to = DayFilter(field_name="due_on", lookup_expr="lte")
    customer = IdFilter(field_name="customer_id")
    fulfilment = ChoiceFilter(choices=Fulfilment.choices)
    channel = ChoiceFilter(choices=Channel.choices)
    payment_status = ChoiceFilter(choices=PaymentStatus.choices, method="paid_like")
    search = SearchFilter(method="about")

    class Meta:
        model = Order
        fields: list[str] = []

    def paid_like(self, orders: Any, _: str, status: str) -> Any:
        return orders.with_payment_status(status)

    def about(self, orders: Any, _: str, words: str) -> Any:
        return orders.filter(
            Q(code__icontains=words)
            | Q(customer_name__icontains=words)
            | Q(customer_email__icontains=words)
            | Q(customer_phone__icontains=words)
        )


class StandingOrderFilter(FilterSet):
    customer = IdFilter(field_name="customer_id")
    paused = FlagFilter()

    class Meta:
        model = StandingOrder
        fields: list[str] = []


class WishFilter(FilterSet):
    product = IdFilter(field_name="product_id")
    date = DayFilter()
    is_waiting = FlagFilter(field_name="order", lookup_expr="isnull")

    class Meta:
        model = Wish
        fields: list[str] = []


MOST_DAYS = 31


def read_availability(request: Request) -> dict[str, Any]:
    """Read `date`, or else `from` and `to`, and the ids of `product`; raise a 400 that names what is wrong."""
    refuse_unknown(request, frozenset({"date", "from", "to", "product"}), several=frozenset({"product"}))
    products = request.query_params.getlist("product")
    if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in products):
        raise ValidationError({"product": "Must be the id of a product."}, code="invalid")
    first, last = _read_span(request)
    return {"first": first, "last": last, "products": [int(text) for text in products] or None}


def _read_span(request: Request) -> tuple[date, date]:
    if "from" not in request.query_params and "to" not in request.query_params:
        day = read_day(request, "date")
        first, last = day, day
    elif "date" in request.query_params:
        raise ValidationError({"date": "Ask for a date, or for a time from … to."}, code="invalid")
    else:
        first, last = read_day(request, "from"), read_day(request, "to")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise ValidationError({"to": f"There can be 1 to {MOST_DAYS} days."}, code="invalid")
    return first, last
