"""The admin's sidebar, by the work that people do rather than by the code's apps."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

# Title, icon, and whose list it is, or with a colon which other page of its admin.
_PAGES: dict[str, list[tuple[str, str, str]]] = {
    "Counter": [
        ("Today", "today", "orders.order:today"),
        ("Orders", "shopping_bag", "orders.order"),
        ("Standing orders", "event_repeat", "orders.standingorder"),
        ("Waiting list", "hourglass_empty", "orders.wish"),
        ("Over the rules", "rule", "orders.override"),
    ],
    "Kitchen": [
        ("Baking lists", "bakery_dining", "production.bakingplan"),
        ("Products", "category", "products.product"),
        ("Categories", "folder", "products.category"),
        ("Imports", "upload_file", "products.productimport"),
        ("Capacity groups", "oven_gen", "products.capacitygroup"),
        ("Capacity of a date", "event", "products.capacityoverride"),
    ],
    "Cash": [
        ("Cash book", "menu_book", "cashbook.cashentry"),
        ("Sessions", "point_of_sale", "cashbook.cashsession"),
        ("Z reports", "receipt_long", "cashbook.zreport"),
        ("Months", "calendar_month", "cashbook.monthlyclosing"),
        ("Registers", "savings", "cashbook.register"),
        ("VAT classes", "percent", "products.vatclass"),
    ],
    "Office": [
        ("People", "group", "accounts.user"),
        ("Roles", "badge", "auth.group"),
        ("Messages", "chat", "chat.message"),
        ("Channels", "forum", "chat.channel"),
        ("Shop", "storefront", "bakery.shop"),
        ("Opening hours", "schedule", "bakery.openinghours"),
        ("Closures", "event_busy", "bakery.closure"),
        ("Background jobs", "pending_actions", "django_tasks_database.dbtaskresult"),
    ],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of pages that this person may see, as Unfold wants them."""
    groups: list[dict[str, Any]] = []
    for group, pages in _PAGES.items():
        items = [
            {"title": title, "icon": icon, "link": reverse(f"admin:{model.replace('.', '_')}_{view or 'changelist'}")}
            for title, icon, page in pages
            for model, _, view in [page.partition(":")]
            if admin.site.get_model_admin(apps.get_model(model)).has_view_permission(request)
        ]
        if items:
            groups.append({"title": group, "separator": True, "items": items})
    _mark_active([item for group in groups for item in group["items"]], request.path)
    return groups


def _mark_active(items: list[dict[str, Any]], path: str) -> None:
    """Mark the page that `path` belongs to. Some pages lie below another: the longest address counts."""
    here = max((item["link"] for item in items if path.startswith(item["link"])), key=len, default="")
    for item in items:
        item["active"] = item["link"] == here
