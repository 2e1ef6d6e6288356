"""Standing orders, and who waits for what is sold out, in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bakery.admin import ModelAdmin, ReadOnlyAdmin, TabularInline
from orders import services
from orders.admin.orders import PartInline
from orders.models import SkippedDate, StandingDate, StandingOrder, StandingOrderItem, Wish


class StandingItemInline(TabularInline):
    model = StandingOrderItem
    min_num = 1
    autocomplete_fields = ["product"]


class SkippedDateInline(TabularInline):
    model = SkippedDate


class StandingDateInline(PartInline):
    model = StandingDate
    verbose_name_plural = "dates"
    fields = ["date", "order", "reason", "shortfall"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StandingDate]:
        dates: QuerySet[StandingDate] = super().get_queryset(request)
        return dates.select_related("order")


@admin.register(StandingOrder)
class StandingOrderAdmin(ModelAdmin):
    list_display = ["__str__", "customer", "due_time", "fulfilment", "start", "end", "paused"]
    list_filter = ["paused", "fulfilment"]
    list_select_related = ["customer"]
    search_fields = ["customer__username", "customer__first_name", "customer__last_name", "customer__email"]
    autocomplete_fields = ["customer"]
    fields = ["customer", ("due_time", "fulfilment"), "address", ("start", "end", "paused")]
    inlines = [StandingItemInline, SkippedDateInline, StandingDateInline]

    def save_model(self, request: HttpRequest, obj: StandingOrder, form: forms.Form, change: bool) -> None:
        if change:
            # The generator waits for it, and the version that was read with the page may be an old one.
            obj.version = services.lock_standing_order(obj.pk).version + 1
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.require_consistent(form.instance)
        if "customer" in form.changed_data:
            services.hold_account(form.instance.customer_id)


@admin.register(Wish)
class WishAdmin(ReadOnlyAdmin):
    list_display = ["date", "product", "quantity", "customer_name", "customer", "customer_email", "order", "created_at"]
    list_select_related = ["product", "customer", "order"]
    list_filter = [("order", admin.EmptyFieldListFilter), "date"]
    search_fields = ["customer_name", "customer_email", "product__name"]
