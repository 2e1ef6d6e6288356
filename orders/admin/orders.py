"""Orders in the back office: to be looked at, and moved along by the services."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import User
from bakery import clock
from bakery.admin import ModelAdmin, ReadOnlyAdmin, TabularInline, tell_refusal
from bakery.errors import DomainError
from orders import services
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
        return PaymentStatus.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
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
    fields = ["at", "user", "from_status", "to_status", "note", "changes", "override"]
    readonly_fields = ["override"]

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
    fields = [
        ("code", "status", "channel"),
        ("due_at", "deadline_at"),
        ("customer_name", "customer_phone", "customer_email", "customer"),
        ("fulfilment", "address", "consumption"),
        "notes",
        ("total", "vat_total", "paid", "refunded"),
        "override_reason",
        ("created_at", "updated_at", "placed_by", "external_reference"),
    ]
    inlines = [OrderItemInline, PaymentInline, OrderEventInline]
    action_form = NoteForm
    actions = ["confirm", "start_baking", "make_ready", "send_out", "hand_over", "cancel"]

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
        """Move each of the chosen orders along, and tell which of them would not go."""
        note = request.POST.get("note", "").strip()[:2000]
        moved = list(self._moved(request, queryset.order_by("pk"), to, note))
        if moved:
            self.message_user(request, f"{to.label}: {', '.join(moved)}.")

    def _moved(self, request: HttpRequest, queryset: QuerySet[Order], to: Status, note: str) -> Iterator[str]:
        actor = cast("User", request.user)
        for order in queryset:
            try:
                services.change_status(order_id=order.pk, to=to, actor=actor, note=note, seen=order.status)
            except DomainError as refusal:
                tell_refusal(self, request, refusal, about=order)
            else:
                yield order.code


def _may(request: HttpRequest, *permissions: str) -> bool:
    return any(request.user.has_perm(permission) for permission in (*permissions, SETTLE))
