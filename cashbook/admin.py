"""The cash book in the back office: to be looked at; a mistake is reversed by the service."""

import re
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from bakery import clock
from bakery.admin import AmountFormField, HistoryModelAdmin, ModelAdmin, ReadOnlyAdmin, button, tell_refusal
from bakery.db import MOST_MONEY
from bakery.errors import Conflict, DomainError
from bakery.models import Shop
from cashbook import printing, selectors, services
from cashbook.models import MAIN, CashEntry, CashSession, MonthlyClosing, Register, ZReport

NOTES_AND_COINS = (
    "500.00", "200.00", "100.00", "50.00", "20.00", "10.00", "5.00", "2.00", "1.00", "0.50", "0.20", "0.10", "0.05",
    "0.02", "0.01",
)  # fmt: skip


class ReasonForm(ModelAdmin.action_form):  # type: ignore[name-defined]
    reason = forms.CharField(required=False, max_length=2000, label="Reason")


class CountField(forms.IntegerField):
    """Plain digits alone; Django would also take 1_0 and the digits of other scripts."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and not re.fullmatch(r"\s*[0-9]*\s*", value):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        count: int | None = super().to_python(value)
        return count


class DrawerField(AmountFormField):
    """What is in the drawer: nothing or more. It is typed as text: a browser's number field may take no comma."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    default_error_messages = {"invalid": "Write an amount in digits, such as 1.50 or 1,50."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MOST_MONEY, decimal_places=2, **kwargs)

    def clean(self, value: Any) -> Decimal | None:
        amount: Decimal | None = super().clean(value)
        return None if amount is None else abs(amount)  # -0 is 0


class FloatForm(forms.Form):
    float = DrawerField(label="Float")


class CountForm(forms.Form):
    """How often each note and coin is there, or else the sum alone."""

    counted = DrawerField(label="The sum alone", required=False)
    note = forms.CharField(label="Note", max_length=2000, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for value in NOTES_AND_COINS:
            self.fields[value] = CountField(label=value, min_value=0, max_value=1_000_000, required=False)

    def counts(self) -> list[forms.BoundField]:
        return [self[value] for value in NOTES_AND_COINS]

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        counts = {Decimal(value): sent[value] for value in NOTES_AND_COINS if sent.get(value)}
        counted = sent.get("counted")
        if counted is None and not counts and not self.errors:
            raise forms.ValidationError("Count the drawer first.")
        if counted is None:
            counted = sum((value * count for value, count in counts.items()), Decimal(0))
        return {"counted": counted, "note": sent.get("note", ""), "denominations": counts}


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
        "difference", "note", "paper",
    ]  # fmt: skip
    list_filter = ["register", "opened_at"]
    list_select_related = ["register", "opened_by", "closed_by"]
    search_fields = ["number", "note"]
    ordering = ["-pk"]

    @admin.display(description="Report")
    def paper(self, session: CashSession) -> str:
        return paper_of(session)

    def get_urls(self) -> list[URLPattern]:
        paper = path("<int:pk>/paper/", self.admin_site.admin_view(self.paper_view), name="cashbook_cashsession_paper")
        return [paper, *super().get_urls()]

    def paper_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the X or Z report of a session as a page to print."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = selectors.report_of(get_object_or_404(CashSession.objects.as_shown(), pk=pk))
        return HttpResponse(printing.to_pdf(report), content_type="application/pdf")


class StatementAdmin(ReadOnlyAdmin):
    list_filter = ["register", "created_at"]
    ordering = ["-pk"]


@admin.register(ZReport)
class ZReportAdmin(StatementAdmin):
    list_display = ["number", "register", "session", "created_at", "hash", "paper"]
    list_select_related = ["register", "session__register"]

    @admin.display(description="Report")
    def paper(self, z: ZReport) -> str:
        return paper_of(z.session)


@admin.register(MonthlyClosing)
class MonthlyClosingAdmin(StatementAdmin):
    list_display = ["month", "number", "register", "turnover", "perpetual_total", "created_at", "hash"]
    list_select_related = ["register"]

    @admin.display
    def turnover(self, closing: MonthlyClosing) -> str:
        return str(closing.figures["turnover"])

    @admin.display
    def perpetual_total(self, closing: MonthlyClosing) -> str:
        return str(closing.figures["perpetual_total"])


@admin.register(Register)
class RegisterAdmin(HistoryModelAdmin):
    list_display = ["name", "label", "last_number", "last_z_number", "till"]
    readonly_fields = ["last_number", "last_hash", "last_z_number", "last_z_hash"]
    search_fields = ["name", "label"]
    actions_list = ["main_till"]

    def get_readonly_fields(self, request: HttpRequest, obj: Register | None = None) -> list[str]:
        # The name is part of what the hashes of its entries cover.
        return [*self.readonly_fields, *(["name"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Register | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Register, form: forms.ModelForm, change: bool) -> None:
        # Never obj.save(): it was read without a lock, and the book may have moved on since.
        label = form.cleaned_data["label"]
        if change:
            saved = services.label_register(register_id=obj.pk, label=label)
        else:
            saved = services.add_register(name=form.cleaned_data["name"], label=label)
        obj.__dict__.update(saved.__dict__)

    @admin.display(description="Today")
    def till(self, register: Register) -> str:
        return format_html('<a href="{}">Till</a>', reverse("admin:cashbook_register_till", args=[register.name]))

    @button(description="Till of today", url_path="main-till", permissions=["view"])
    def main_till(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:cashbook_register_till", MAIN)

    def get_urls(self) -> list[URLPattern]:
        till = path("till/<slug:name>/", self.admin_site.admin_view(self.till_view), name="cashbook_register_till")
        return [till, *super().get_urls()]

    def till_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show a register's open session and its newest entries; open a session here, count and close it."""
        if not request.user.has_perm("cashbook.view_cashsession"):
            raise PermissionDenied
        register = get_object_or_404(Register, name=name)
        session = register.sessions.still_open().as_shown().first()
        if request.method == "POST" and request.POST.get("session", "") != (f"{session.number}" if session else ""):
            self._tell_what_is_open(request, session)
            return redirect("admin:cashbook_register_till", name)
        form = (CountForm if session else FloatForm)(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                self._open_or_close(request, register, session, form.cleaned_data)
            except DomainError as refusal:
                tell_refusal(self, request, refusal)
                is_past = isinstance(refusal, Conflict)  # opened or closed elsewhere in this moment
            else:
                is_past = True
            if is_past:
                return redirect("admin:cashbook_register_till", name)
        # The page shows what should be there to who may see the cash report; others have the X report for it.
        told = request.user.has_perm("cashbook.view_cash_report")
        context = {
            **self.admin_site.each_context(request),
            "title": f"{register}: {clock.today()}",
            "register": register,
            "session": session,
            "report": selectors.report(session) if session and told else None,
            "entries": register.entries.as_shown().order_by("-number")[:15],
            "last": register.sessions.exclude(closed_at=None).as_shown().first(),
            "form": form,
            "currency": Shop.get().currency,
        }
        return render(request, "cashbook/till.html", context)

    def _tell_what_is_open(self, request: HttpRequest, session: CashSession | None) -> None:
        """Refuse a form of a page from before the session it was shown with was closed, or another opened."""
        shown = request.POST.get("session", "")[:10]
        was = f"Session {shown} is closed already" if shown else "This page was out of date"
        now = f"session {session.number} is open" if session else "no session is open"
        self.message_user(request, f"{was}; {now} now. Nothing was changed.", messages.ERROR)

    def _open_or_close(
        self, request: HttpRequest, register: Register, session: CashSession | None, sent: dict[str, Any]
    ) -> None:
        actor = cast("User", request.user)
        needed = "cashbook.change_cashsession" if session else "cashbook.add_cashsession"
        if not actor.has_perm(needed):
            raise PermissionDenied
        if session is None:
            opened = services.open_session(register=register.name, float_amount=sent["float"], actor=actor)
            self.message_user(request, f"Session {opened.number} is open.")
        else:
            closed = services.close_session(session_id=session.pk, actor=actor, **sent)
            self.message_user(
                request, f"Session {closed.number} is closed: {closed.difference} {Shop.get().currency} off."
            )


def paper_of(session: CashSession) -> str:
    address = reverse("admin:cashbook_cashsession_paper", args=[session.pk])
    return format_html('<a href="{}">{}</a>', address, "X" if session.is_open else "Print")
