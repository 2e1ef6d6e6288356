"""The base of every admin page. Unfold stands behind it; no app imports Unfold itself."""

from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import StackedInline as UnfoldStackedInline
from unfold.admin import TabularInline as UnfoldTabularInline

from bakery.errors import DomainError


class ModelAdmin(UnfoldModelAdmin):
    """Lists of 50 without a second count; narrow queries come from `list_select_related` in each admin."""

    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True
    warn_unsaved_form = True


class HistoryModelAdmin(SimpleHistoryAdmin, ModelAdmin):
    """For models with an audit trail: who changed what, and when."""


class ReadOnlyAdmin(ModelAdmin):
    """For what services alone write: to be looked at, and changed by actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TabularInline(UnfoldTabularInline):
    extra = 0


class StackedInline(UnfoldStackedInline):
    extra = 0


def tell_refusal(admin: ModelAdmin, request: HttpRequest, refusal: DomainError, about: Any = "") -> None:
    """Show why a service refused."""
    lead = f"{about}: " if about else ""
    for problem in refusal.problems:
        admin.message_user(request, f"{lead}{problem.message}", messages.ERROR)


__all__ = [
    "HistoryModelAdmin",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "StackedInline",
    "TabularInline",
    "tell_refusal",
]
