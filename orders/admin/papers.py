"""Packing slips and delivery lists: pages to print, and the same as PDF."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from bakery import clock
from bakery.api.fields import read_day
from bakery.models import Shop
from orders import printing, selectors
from orders.models import RELEASED, Order, OrderQuerySet


def urls() -> list[URLPattern]:
    return [
        path("slips/", admin.site.admin_view(slips_of_day), name="orders_order_slips"),
        path("deliveries/", admin.site.admin_view(deliveries_of_day), name="orders_order_deliveries"),
    ]


def slips_of_day(request: HttpRequest) -> HttpResponse:
    """Print a slip for each order of a day (`day`, or else today) that is still to go; `as=pdf` for a PDF."""
    if not request.user.has_perm("orders.view_order"):
        raise PermissionDenied
    return slips(request, _of_day(request), as_pdf=request.GET.get("as") == "pdf")


def deliveries_of_day(request: HttpRequest) -> HttpResponse:
    """Print the deliveries of a day (`day`, or else today) that are still to go; `as=pdf` for a PDF."""
    if not (request.user.has_perm("orders.view_order") or request.user.has_perm("orders.view_delivery")):
        raise PermissionDenied
    return deliveries(request, _of_day(request), as_pdf=request.GET.get("as") == "pdf")


def slips(request: HttpRequest, orders: OrderQuerySet, *, as_pdf: bool) -> HttpResponse:
    """Answer with a packing slip for each of `orders`."""
    stack = selectors.packing_slips(orders)
    if as_pdf:
        return _pdf(printing.slips(stack), "packing-slips")
    return _page(request, "slips", stack.left_out, slips=stack.slips, released=RELEASED)


def deliveries(request: HttpRequest, orders: OrderQuerySet, *, as_pdf: bool) -> HttpResponse:
    """Answer with the list of the deliveries among `orders`."""
    drives, left_out = selectors.delivery_list(orders)
    if as_pdf:
        return _pdf(printing.delivery_lists(drives, left_out), "deliveries")
    return _page(request, "deliveries", left_out, drives=drives)


def _of_day(request: HttpRequest) -> OrderQuerySet:
    try:
        day = read_day(request.GET["day"]) if "day" in request.GET else clock.today()
    except ValueError as error:
        raise Http404(str(error)) from error
    return Order.objects.visible_to(request.user).due_between(day, day).still_to_go()


def _page(request: HttpRequest, name: str, left_out: int, **shown: object) -> HttpResponse:
    notice = printing.what_is_left_out(left_out)
    return render(request, f"orders/{name}.html", {"shop": Shop.get(), "notice": notice, **shown})


def _pdf(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
