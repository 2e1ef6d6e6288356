"""The pages that people at the counter work with: the days at a glance, and an order that comes by telephone."""

import secrets
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, User
from bakery import clock
from bakery.api.filters import read_day
from bakery.api.viewsets import ApiViewSet
from bakery.models import Shop
from orders import selectors
from orders.models import FINAL, MOST_LINES, MOST_PIECES, Channel, Fulfilment, Order, Status
from orders.selectors import Goods
from orders.views import OrderViewSet
from products.models import Place
from products.services import revision_on

MOST_CUSTOMERS = 8
WHY_NOT = {
    "sold_out": "sold out",
    "not_baked": "not sold on this day",
    "too_late": "too late for this day",
    "shop_closed": "the shop is closed",
}


def urls() -> list[URLPattern]:
    """Return what the pages ask for: the API's own ways to place and to edit an order among it, by session."""
    by_session = {"authentication_classes": [SessionAuthentication]}
    place = OrderViewSet.as_view({"post": "create"}, **by_session)
    save = OrderViewSet.as_view({"patch": "partial_update"}, **by_session)
    asked = [
        ("take/place/", place, "place"),
        ("take/goods/", CounterViewSet.as_view({"get": "goods"}), "goods"),
        ("take/customers/", CounterViewSet.as_view({"get": "customers"}), "customers"),
        ("<int:pk>/edit/save/", save, "save"),
    ]
    return [path(at, admin.site.admin_view(view), name=f"orders_order_{name}") for at, view, name in asked]


def today(request: HttpRequest) -> HttpResponse:
    """Show the orders of today and tomorrow: how many there are of each kind, what is due next, what is owed."""
    now = clock.now()
    first = clock.shop_day(now)
    orders = Order.objects.visible_to(request.user)
    days = [selectors.at_a_glance(orders, first + timedelta(days=step)) for step in (0, 1)]
    context = {
        "title": "Today and tomorrow",
        "days": list(zip(("Today", "Tomorrow"), ("today", "tomorrow"), days, strict=True)),
        "next": next(filter(None, (day.next_due(now) for day in days)), None),
        "now": now,
        # What is counted, as the list of orders is asked for it.
        "ordered": ",".join(channel for channel in Channel if channel != Channel.COUNTER),
        "to_go": ",".join(status for status in Status if status not in FINAL),
        "currency": Shop.get().currency,
        "may_take": request.user.has_perm("orders.add_order"),
        "may_pack": request.user.has_perm("orders.view_order"),
    }
    return render(request, "orders/today.html", admin.site.each_context(request) | context)


def take(request: HttpRequest) -> HttpResponse:
    """Show the page on which an order is taken that comes by telephone."""
    tomorrow = clock.today() + timedelta(days=1)
    page = {
        "save": reverse("admin:orders_order_place"),
        "method": "POST",
        "key": secrets.token_urlsafe(16),
        "lines": [],
    }
    return _form(request, page, title="Take an order", day=tomorrow, order=None)


def edit(request: HttpRequest, order: Order) -> HttpResponse:
    """Show the page on which an order is changed that is not being baked yet."""
    page = {
        "save": reverse("admin:orders_order_save", args=[order.pk]),
        "method": "PATCH",
        "order": order.pk,
        "version": order.version,
        "done": reverse("admin:orders_order_change", args=[order.pk]),
        "lines": [
            {
                "id": item.pk,
                "product": item.product_id,
                "name": item.product_name,
                "price": f"{item.unit_price:.2f}",
                "quantity": item.quantity,
                "note": item.note,
            }
            for item in order.items.all()
        ],
    }
    return _form(request, page, title=f"Change order {order.code}", day=order.due_on, order=order)


def _form(request: HttpRequest, page: dict[str, Any], *, day: Any, order: Order | None, title: str) -> HttpResponse:
    shared = {
        "goods": reverse("admin:orders_order_goods"),
        "customers": reverse("admin:orders_order_customers"),
        "change": reverse("admin:orders_order_change", args=[0]),
        "list": reverse("admin:orders_order_changelist"),
        "most_lines": MOST_LINES,
        "currency": Shop.get().currency,
    }
    context = {
        "title": title,
        "page": page | shared,
        "order": order,
        "day": day,
        "today": clock.today(),
        "time": clock.local(order.due_at) if order else None,
        "fulfilments": Fulfilment.choices,
        "places": Place.choices,
        "most_pieces": MOST_PIECES,
        "currency": shared["currency"],
        "may_override": request.user.has_perm("orders.override_rules"),
    }
    return render(request, "orders/take.html", admin.site.each_context(request) | context)


class CounterViewSet(ApiViewSet[Order]):
    """What the page asks for while an order is being entered."""

    authentication_classes = [SessionAuthentication]
    permissions = {"goods": "orders.add_order", "customers": "orders.add_order"}

    def goods(self, request: Request) -> Response:
        """Answer with products about `q`, or else those of `id`, with the price and what is left on `day`.

        What the order `order` holds of them already counts as left.
        """
        revision_on(clock.today())  # no price of yesterday
        order = next(iter(_ids(request, "order")), None)
        found = selectors.goods_for(
            read_day(request, "day"),
            now=clock.now(),
            words=_words(request),
            ids=_ids(request, "id"),
            order=_visible(request, order) if order else None,
        )
        return Response([_shown(row) for row in found])

    def customers(self, request: Request) -> Response:
        """Answer with the first customers in whose name, e-mail address or phone number each word of `q` stands."""
        words = _words(request)
        found = User.objects.filter(role=Role.CUSTOMER, is_active=True).order_by("last_name", "first_name", "pk")
        for word in words.split():
            names = ("username", "first_name", "last_name", "email", "phone")
            found = found.filter(reduce(or_, (Q(**{f"{name}__icontains": word}) for name in names)))
        return Response(
            [
                {"id": user.pk, "name": user.display_name, "phone": user.phone, "email": user.email}
                for user in (found[:MOST_CUSTOMERS] if words else [])
            ]
        )


def _visible(request: HttpRequest | Request, pk: int) -> Order:
    return get_object_or_404(Order.objects.visible_to(request.user).prefetch_related("items"), pk=pk)


def _words(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:100]


def _ids(request: Request, name: str) -> list[int]:
    sent = request.query_params.getlist(name)[:MOST_LINES]
    if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in sent):
        raise ValidationError({name: "Must be an id."}, code="invalid")
    return [int(text) for text in sent]


def _shown(row: Goods) -> dict[str, Any]:
    return {
        "id": row.product.pk,
        "name": row.product.name,
        "price": f"{row.product.price:.2f}",
        "left": row.left,
        "why_not": WHY_NOT.get(row.reason, ""),
    }
