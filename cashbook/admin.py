"""The cash book in the back office: to be looked at; a mistake is reversed by the service."""

from typing import cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from bakery.admin import HistoryModelAdmin, ModelAdmin, ReadOnlyAdmin, tell_refusal
from bakery.errors import DomainError
from cashbook import services
from cashbook.models import CashEntry, CashSession, Register


class ReasonForm(ModelAdmin.action_form):  # type: ignore[name-defined]
    reason = forms.CharField(required=False, max_length=2000, label="Reason")


@admin.register(CashEntry)
class CashEntryAdmin(ReadOnlyAdmin):
    list_display = [
        "number", "register", "created_at", "type", "signed_amount", "method", "reference", "session", "user", "notes",
    ]  # fmt: skip
    list_filter = ["register", "type", "method", "created_at"]
    list_select_related = ["register", "session__register", "user"]
    search_fields = ["number", "reference", "notes", "user__username"]
    search_help_text = "Number, reference, notes or user"
    ordering = ["-pk"]
    action_form = ReasonForm
    actions = ["reverse"]

    @admin.action(description="Reverse", permissions=["reverse"])
    def reverse(self, request: HttpRequest, queryset: QuerySet[CashEntry]) -> None:
        actor = cast("User", request.user)
        reason = request.POST.get("reason", "").strip()[:2000]
        for entry in queryset.order_by("register", "number"):
            try:
                done = services.reverse(entry_id=entry.pk, notes=reason, actor=actor)
            except DomainError as refusal:
                tell_refusal(self, request, refusal, about=f"Entry {entry.number}")
            else:
                self.message_user(request, f"Entry {entry.number} was reversed by entry {done.number}.")

    def has_reverse_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("cashbook.add_cashentry")


@admin.register(CashSession)
class CashSessionAdmin(ReadOnlyAdmin):
    list_display = [
        "number", "register", "opened_at", "opened_by", "float_amount", "closed_at", "closed_by", "expected", "counted",
        "difference", "note",
    ]  # fmt: skip
    list_filter = ["register", "opened_at"]
    list_select_related = ["register", "opened_by", "closed_by"]
    search_fields = ["number", "note"]
    ordering = ["-pk"]


@admin.register(Register)
class RegisterAdmin(HistoryModelAdmin):
    list_display = ["name", "label", "last_number"]
    readonly_fields = ["last_number", "last_hash"]
    search_fields = ["name", "label"]

    def get_readonly_fields(self, request: HttpRequest, obj: Register | None = None) -> list[str]:
        # The name is part of what the hashes of its entries cover.
        return [*self.readonly_fields, *(["name"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Register, form: forms.ModelForm, change: bool) -> None:
        # Never obj.save(): it was read without a lock, and the book may have moved on since.
        label = form.cleaned_data["label"]
        if change:
            saved = services.label_register(register_id=obj.pk, label=label)
        else:
            saved = services.add_register(name=form.cleaned_data["name"], label=label)
        obj.__dict__.update(saved.__dict__)

    def has_delete_permission(self, request: HttpRequest, obj: Register | None = None) -> bool:
        return False
