"""Orders in the back office: to be looked at, and moved along by the services."""

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from accounts.models import User
from bakery import clock
from bakery.admin import ModelAdmin, ReadOnlyAdmin, TabularInline, button
from bakery.errors import DomainError
from orders import services
from orders.admin import counter, papers
from orders.models import (
    SETTLE,
    Order,
    OrderEvent,
    OrderItem,
    OrderQuerySet,
    Payment,
    PaymentStatus,
    Status,
)

# Of the orders that an action names.
MOST_TOLD = 50


class NoteForm(ModelAdmin.action_form):  # type: ignore[name-defined]
    note = forms.CharField(required=False, max_length=2000, label="Note")


class DueFilter(admin.SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", "Today"), ("tomorrow", "Tomorrow"), ("week", "The next 7 days"), ("over", "Before today")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today = clock.today()
        match self.value():
            case "today":
                return queryset.due_between(today, today)
            case "tomorrow":
                return queryset.due_between(today + timedelta(days=1), today + timedelta(days=1))
            case "week":
                return queryset.due_between(today, today + timedelta(days=6))
            case "over":
                return queryset.filter(due_on__lt=today)
        return None


class PaymentFilter(admin.SimpleListFilter):
    title = "payment"
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("owing", "To be paid"), *PaymentStatus.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        if wanted == "owing":
            return queryset.owing()
        return queryset.with_payment_status(wanted) if wanted in PaymentStatus.values else None


class OverrideFilter(admin.SimpleListFilter):
    title = "over the rules"
    parameter_name = "override"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With a reason")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.exclude(override_reason="") if self.value() == "yes" else None


class PartInline(TabularInline):
    """A part of an order: who may see the order may see it, nobody changes it here."""

    can_delete = False
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OrderItemInline(PartInline):
    model = OrderItem
    fields = ["product_name", "quantity", "unit_price", "vat_rate", "line_total", "note"]


class PaymentInline(PartInline):
    model = Payment
    fields = ["created_at", "kind", "amount", "method", "tendered", "note", "user", "cash_entry"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        payments: QuerySet[Payment] = super().get_queryset(request)
        return payments.select_related("user", "cash_entry")


class OrderEventInline(PartInline):
    model = OrderEvent
    verbose_name_plural = "history"
    fields = ["at", "user", "from_status", "to_status", "note", "changed", "override"]
    readonly_fields = ["changed", "override"]

    @admin.display(description="what changed")
    def changed(self, event: OrderEvent) -> str:
        rows = [
            (name.replace("_", " "), _told(name, old), _told(name, new)) for name, (old, new) in event.changes.items()
        ]
        return format_html_join(mark_safe("<br>"), "{}: {} → {}", rows)

    @admin.display(description="over the rules")
    def override(self, event: OrderEvent) -> str:
        return str(getattr(event, "override", ""))

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        events: QuerySet[OrderEvent] = super().get_queryset(request)
        return events.select_related("user", "override")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = [
        "code", "due_at", "status", "customer_name", "customer_phone", "fulfilment", "total", "payment", "channel",
    ]  # fmt: skip
    list_filter = [DueFilter, "status", PaymentFilter, "fulfilment", "channel", OverrideFilter]
    search_fields = ["code", "customer_name", "customer_email", "customer_phone"]
    search_help_text = "Code, name, e-mail address or phone number"
    # Two to a row: with more, values slide under the next label.
    fields = [
        ("code", "status"),
        ("due_at", "deadline_at"),
        ("customer_name", "customer"),
        ("customer_phone", "customer_email"),
        ("fulfilment", "address"),
        "notes",
        ("total", "vat_total"),
        ("paid", "refunded"),
        ("consumption", "channel"),
        "override_reason",
        ("created_at", "updated_at"),
        ("placed_by", "external_reference"),
    ]
    inlines = [OrderItemInline, PaymentInline, OrderEventInline]
    action_form = NoteForm
    actions = [
        "confirm", "start_baking", "make_ready", "send_out", "hand_over", "cancel",
        "print_slips", "save_slips", "print_deliveries", "save_deliveries",
    ]  # fmt: skip
    actions_list = ["today", "take"]
    actions_detail = ["edit"]

    def get_urls(self) -> list[URLPattern]:
        return [*counter.urls(), *papers.urls(), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> OrderQuerySet:
        orders = cast("OrderQuerySet", super().get_queryset(request))
        return orders.visible_to(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("orders.view_order") or request.user.has_perm("orders.view_delivery")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="payment")
    def payment(self, order: Order) -> str:
        return PaymentStatus(order.payment_status).label

    @admin.action(description="Confirm", permissions=["confirm"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, Status.CONFIRMED)

    @admin.action(description="Start baking", permissions=["bake"])
    def start_baking(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, Status.BAKING)

    @admin.action(description="Ready", permissions=["bake"])
    def make_ready(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, Status.READY)

    @admin.action(description="Take out for delivery", permissions=["deliver"])
    def send_out(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, Status.OUT_FOR_DELIVERY)

    @admin.action(description="Complete", permissions=["hand_over"])
    def hand_over(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, Status.COMPLETED)

    @admin.action(description="Cancel (what is being baked: with a note)", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, Status.CANCELLED)

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return _may(request, "orders.confirm_order")

    def has_bake_permission(self, request: HttpRequest) -> bool:
        return _may(request, "orders.bake_order")

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        return _may(request, "orders.deliver_order")

    def has_hand_over_permission(self, request: HttpRequest) -> bool:
        return _may(request, "orders.hand_over_order", "orders.deliver_order")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return _may(request, "orders.cancel_order")

    def _move(self, request: HttpRequest, queryset: QuerySet[Order], to: Status) -> None:
        """Move each of the chosen orders along, and tell in one message which of them would not go, and why."""
        actor, note = cast("User", request.user), request.POST.get("note", "").strip()[:2000]
        moved, refused = [], []
        for order in queryset.order_by("pk"):
            try:
                services.change_status(order_id=order.pk, to=to, actor=actor, note=note, seen=order.status)
            except DomainError as refusal:
                refused.append(f"{order.code}: {' '.join(problem.message for problem in refusal.problems)}")
            else:
                moved.append(order.code)
        told = [f"{to.label}: {_some(moved, ', ')}."] if moved else []
        told += [f"Not {to.label.lower()}: {_some(refused, ' ')}"] if refused else []
        level = messages.SUCCESS if not refused else messages.WARNING if moved else messages.ERROR
        self.message_user(request, " ".join(told), level)

    @admin.action(description="Packing slips, to print", permissions=["pack"])
    def print_slips(self, request: HttpRequest, queryset: OrderQuerySet) -> HttpResponse:
        return papers.slips(request, queryset, as_pdf=False)

    @admin.action(description="Packing slips as PDF", permissions=["pack"])
    def save_slips(self, request: HttpRequest, queryset: OrderQuerySet) -> HttpResponse:
        return papers.slips(request, queryset, as_pdf=True)

    @admin.action(description="Delivery list, to print", permissions=["view"])
    def print_deliveries(self, request: HttpRequest, queryset: OrderQuerySet) -> HttpResponse:
        return papers.deliveries(request, queryset, as_pdf=False)

    @admin.action(description="Delivery list as PDF", permissions=["view"])
    def save_deliveries(self, request: HttpRequest, queryset: OrderQuerySet) -> HttpResponse:
        return papers.deliveries(request, queryset, as_pdf=True)

    @button(description="Today and tomorrow", permissions=["view"], icon="today")
    def today(self, request: HttpRequest) -> HttpResponse:
        return counter.today(request)

    @button(description="Take an order", permissions=["take"], icon="add_call")
    def take(self, request: HttpRequest) -> HttpResponse:
        return counter.take(request)

    @button(description="Change", permissions=["edit"], icon="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order is None:
            raise Http404
        if not order.is_editable:
            told = f"{order.code} can no longer be changed: it is {order.get_status_display().lower()}."
            self.message_user(request, told, messages.ERROR)
            return redirect("admin:orders_order_change", order.pk)
        return counter.edit(request, order)

    def has_take_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.add_order")

    def has_edit_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("orders.change_order")

    def has_pack_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.view_order")


def _told(name: str, value: Any) -> str:
    """Return a value of the history as people read it: lines as counts and names, instants by the shop's clock."""
    if name == "due_at" and value:
        return f"{clock.local(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    if name == "items":
        return ", ".join(map(_line, value))
    return str(value) if value not in (None, "") else "–"


def _line(line: dict[str, Any]) -> str:
    return f"{line['quantity']} × {line['product_name']}" + (f" ({line['note']})" if line["note"] else "")


def _some(told: list[str], between: str) -> str:
    """Return `told` in one sentence, cut off where nobody would read on."""
    more = len(told) - MOST_TOLD
    return between.join(told[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _may(request: HttpRequest, *permissions: str) -> bool:
    return any(request.user.has_perm(permission) for permission in (*permissions, SETTLE))
