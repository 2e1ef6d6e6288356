"""Who went over the rules, in the back office."""

from datetime import datetime

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import User
from bakery.admin import ReadOnlyAdmin
from orders.models import Override


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ["at", "user", "order", "over", "reason"]
    list_display_links = None
    list_select_related = ["event__order", "event__user"]
    list_filter = [("event__user", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "event__at"
    ordering = ["-pk"]
    search_fields = ["event__order__code", "reason"]
    search_help_text = "Code of the order, or reason"
    fields = ["at", "user", "order", "over", "reason"]
    readonly_fields = ["at", "user", "order", "over"]

    @admin.display(description="when", ordering="event__at")
    def at(self, override: Override) -> datetime:
        return override.event.at

    @admin.display(description="who", ordering="event__user")
    def user(self, override: Override) -> User | None:
        return override.event.user

    @admin.display(description="order", ordering="event__order")
    def order(self, override: Override) -> str:
        order = override.event.order
        return format_html('<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[order.pk]), order)

    @admin.display(description="went over")
    def over(self, override: Override) -> str:
        return override.told
