"""Baking plans in the back office: planned, refreshed and moved along by the services; printed for the wall."""

from datetime import date, timedelta
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from bakery import clock
from bakery.admin import ReadOnlyAdmin, TabularInline, button, tell_refusal
from bakery.errors import DomainError
from production import services
from production.models import BakingItem, BakingPlan, PlanStatus
from production.selectors import baking_list


class BakingItemInline(TabularInline):
    model = BakingItem
    can_delete = False
    hide_title = True
    fields = [
        "product", "planned", "planned_for", "counter", "counter_source", "carried_over", "rounding", "batch_size",
        "produced", "wasted", "status", "assigned_to",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[BakingItem]:
        items: QuerySet[BakingItem] = super().get_queryset(request)
        return items.filter(product__is_baked=True).select_related("product", "assigned_to")

    def has_view_permission(self, request: HttpRequest, obj: BakingPlan | None = None) -> bool:
        return request.user.has_perm("production.view_bakingplan")

    def has_add_permission(self, request: HttpRequest, obj: BakingPlan | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: BakingPlan | None = None) -> bool:
        return False


@admin.register(BakingPlan)
class BakingPlanAdmin(ReadOnlyAdmin):
    list_display = ["date", "status", "edition", "planned", "produced", "planned_by", "updated_at", "wall"]
    list_filter = ["status"]
    list_select_related = ["planned_by"]
    date_hierarchy = "date"
    search_fields = ["date", "notes"]
    actions = ["refresh", "start", "finish"]
    actions_list = ["tomorrow"]
    fields = ["date", "status", "edition", "includes_forecast", "notes", "planned_by", "created_at", "updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BakingPlan]:
        plans: QuerySet[BakingPlan] = super().get_queryset(request)
        return plans.annotate(planned=Sum("items__planned"), produced=Sum("items__produced"))

    def get_fields(self, request: HttpRequest, obj: BakingPlan | None = None) -> list[str]:
        return self.fields if obj else ["date", "notes"]

    def get_inlines(self, request: HttpRequest, obj: BakingPlan | None) -> list[type[TabularInline]]:
        return [BakingItemInline] if obj else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("production.add_bakingplan")

    def save_model(self, request: HttpRequest, obj: BakingPlan, form: Any, change: bool) -> None:
        obj.pk = services.plan_day(day=obj.date, notes=obj.notes, actor=cast("User", request.user)).pk

    @admin.display(ordering="planned")
    def planned(self, plan: Any) -> int:
        return plan.planned or 0

    @admin.display(ordering="produced")
    def produced(self, plan: Any) -> int:
        return plan.produced or 0

    @admin.display(description="For the wall")
    def wall(self, plan: BakingPlan) -> str:
        return format_html('<a href="{}">Print</a>', _address_of(plan.date))

    @admin.action(description="Refresh: plan the orders of now", permissions=["plan"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[BakingPlan]) -> None:
        for plan in queryset:
            try:
                done = services.refresh_plan(day=plan.date, actor=cast("User", request.user))
            except DomainError as refusal:
                tell_refusal(self, request, refusal, about=plan)
            else:
                self.message_user(request, f"{done}: version {done.edition} is planned.")

    @admin.action(description="Start baking", permissions=["record"])
    def start(self, request: HttpRequest, queryset: QuerySet[BakingPlan]) -> None:
        self._move(request, queryset, PlanStatus.IN_PROGRESS)

    @admin.action(description="Baking is done", permissions=["record"])
    def finish(self, request: HttpRequest, queryset: QuerySet[BakingPlan]) -> None:
        self._move(request, queryset, PlanStatus.DONE)

    def _move(self, request: HttpRequest, queryset: QuerySet[BakingPlan], to: PlanStatus) -> None:
        for plan in queryset:
            try:
                services.move_plan(day=plan.date, to=to)
            except DomainError as refusal:
                tell_refusal(self, request, refusal, about=plan)
            else:
                self.message_user(request, f"{plan}: {to.label.lower()}.")

    def has_plan_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("production.change_bakingplan")

    def has_record_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("production.record_production")

    @button(description="Tomorrow's list", url_path="tomorrow", permissions=["view"])
    def tomorrow(self, request: HttpRequest) -> HttpResponse:
        return redirect(_address_of(clock.today() + timedelta(days=1)))

    def get_urls(self) -> list[URLPattern]:
        wall = path("wall/<str:day>/", self.admin_site.admin_view(self.wall_view), name="production_bakingplan_wall")
        return [wall, *super().get_urls()]

    def wall_view(self, request: HttpRequest, day: str) -> HttpResponse:
        """Show the list of a day, planned or not, as a page to print."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            shown = baking_list(date.fromisoformat(day))
            context = {"before": shown.date - timedelta(days=1), "after": shown.date + timedelta(days=1)}
        except (ValueError, OverflowError) as error:
            raise Http404 from error
        items = [item for item in shown.items if item.planned or item.shortfall]
        return render(request, "production/wall.html", {**context, "list": shown, "items": items})


def _address_of(day: date) -> str:
    return reverse("admin:production_bakingplan_wall", args=[day.isoformat()])
