"""The base of every admin page. Unfold stands behind it; no app imports Unfold itself."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import DecimalField, Model
from django.forms import DecimalField as DecimalFormField
from django.forms import Form, TypedMultipleChoiceField, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django_tasks_db.admin import DBTaskResultAdmin
from django_tasks_db.models import DBTaskResult
from import_export.admin import ExportMixin
from simple_history.admin import SimpleHistoryAdmin
from simple_history.utils import get_history_model_for_model
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import StackedInline as UnfoldStackedInline
from unfold.admin import TabularInline as UnfoldTabularInline
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import action as button
from unfold.forms import AdminPasswordChangeForm, AuthenticationForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxList
from unfold.widgets import UnfoldAdminFileFieldWidget as FileInput

from bakery import clock, selectors, services
from bakery.errors import DomainError
from bakery.holidays import Holiday
from bakery.models import Closure, OpeningHours, Shop

# After a comma three digits could also be thousands.
_AMOUNT = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400}|,[0-9]{1,2})?", re.ASCII)


class AmountFormField(DecimalFormField):
    """Plain digits with a decimal point or comma, as in the API: 1e5, 1_000 and digits of other scripts are none."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
            if value and not _AMOUNT.fullmatch(value):
                raise ValidationError(self.error_messages["invalid"], code="invalid")
            value = value.replace(",", ".")
        return super().to_python(value)


_AMOUNTS: Any = {DecimalField: {"form_class": AmountFormField}}


class ModelAdmin(UnfoldModelAdmin):
    """Lists of 50 without a second count; narrow queries come from `list_select_related` in each admin."""

    formfield_overrides = _AMOUNTS
    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True
    warn_unsaved_form = True

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["bakery/lists.css"]}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tell a service's refusal in words; the transaction of the page is rolled back, so nothing has changed."""
        try:
            page: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            tell_refusal(self, request, refusal)
            return HttpResponseRedirect(request.get_full_path())
        return page

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Refuse a lookup of the address that can't be asked, such as the year 99999, as Django does other ones."""
        try:
            found: ChangeList = super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            if not request.GET:
                raise
            raise IncorrectLookupParameters from error
        return found

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Do nothing where something is chosen that can't be there."""
        if not all(_may_be_key(self.model, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            self.message_user(request, "What was chosen is not there. Nothing has been changed.", messages.WARNING)
            return None
        return super().response_action(request, *args, **kwargs)


def _may_be_key(model: type[Model], text: str) -> bool:
    """Tell whether a row can have this key: a number, and not more than the column holds."""
    try:
        model._meta.pk.clean(text, None)
    except ValidationError:
        return False
    return True


class HistoryModelAdmin(SimpleHistoryAdmin, ModelAdmin):
    """For models with an audit trail: who changed what, and when. It is to be looked at alone."""

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def history_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        if not _may_be_key(self.model, unquote(object_id)):
            raise Http404
        page: HttpResponse = super().history_view(request, object_id, *args)
        return page

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, *args: Any) -> HttpResponse:
        # simple-history would save the old state for whoever may view it, past every service.
        if request.method == "POST":
            raise PermissionDenied
        versions = get_history_model_for_model(self.model)
        if not (_may_be_key(self.model, unquote(object_id)) and _may_be_key(versions, unquote(version_id))):
            raise Http404
        page: HttpResponse = super().history_form_view(request, object_id, version_id, *args)
        return page


class ExportModelAdmin(ExportMixin, HistoryModelAdmin):
    """With a page that gives the list out as a file."""

    export_form_class = ExportForm
    skip_admin_log = True  # nothing is changed

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.export_{self.opts.model_name}")

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            page: HttpResponse = super().export_action(request)
        except IncorrectLookupParameters:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return page


class ReadOnlyAdmin(ModelAdmin):
    """For what services alone write: to be looked at, and changed by actions."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # Django's history knows what forms did alone: it would be empty.
        return super().render_change_form(request, context | {"show_history": False}, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TabularInline(UnfoldTabularInline):
    extra = 0
    formfield_overrides = UnfoldTabularInline.formfield_overrides | _AMOUNTS


class StackedInline(UnfoldStackedInline):
    extra = 0
    formfield_overrides = UnfoldStackedInline.formfield_overrides | _AMOUNTS


def tell_refusal(page: ModelAdmin, request: HttpRequest, refusal: DomainError, about: Any = "") -> None:
    """Show why a service refused."""
    lead = f"{about}: " if about else ""
    for problem in refusal.problems:
        page.message_user(request, f"{lead}{problem.message}", messages.ERROR)


@admin.register(Shop)
class ShopAdmin(HistoryModelAdmin):
    """The one shop: its row is there once it was saved, and then it is only changed."""

    list_display = ["name", "currency", "email", "phone", "requires_cash_session"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Shop.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Shop, form: Form, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


@admin.register(OpeningHours)
class OpeningHoursAdmin(HistoryModelAdmin):
    list_display = ["weekday", "opens", "closes"]
    list_filter = ["weekday"]


class HolidaysForm(Form):
    """Boxes of the holidays that are not entered. One that was entered meanwhile may still be ticked."""

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = _as_choices(selectors.holidays_offered(today))
        ahead = _as_choices(selectors.holidays_ahead(today))
        days = TypedMultipleChoiceField(coerce=date.fromisoformat, choices=ahead, widget=CheckboxList)
        days.widget.choices = self.offered
        self.fields["days"] = days


def _as_choices(holidays: Iterable[Holiday]) -> list[tuple[str, str]]:
    return [(f"{holiday.day}", f"{holiday.day:%A %-d %B %Y}: {holiday.name}") for holiday in holidays]


@admin.register(Closure)
class ClosureAdmin(HistoryModelAdmin):
    list_display = ["first_day", "last_day", "reason"]
    date_hierarchy = "first_day"
    actions_list = ["offer_holidays"]

    @button(description="Offer public holidays", url_path="holidays", permissions=["add"])
    def offer_holidays(self, request: HttpRequest) -> HttpResponse:
        """Show the holidays ahead that are not entered, and close on those that were ticked."""
        today = clock.today()
        form = HolidaysForm(request.POST or None, today=today)
        if form.is_valid():
            made = services.close_on_holidays(days=form.cleaned_data["days"], today=today)
            told = ", ".join(closure.reason for closure in made)
            self.message_user(request, f"Closed: {told}." if made else "These days were entered already.")
            return redirect("admin:bakery_closure_changelist")
        context = {
            **self.admin_site.each_context(request), "title": "Public holidays", "shop": Shop.get(), "form": form,
        }  # fmt: skip
        return TemplateResponse(request, "bakery/holidays.html", context)


admin.site.unregister(DBTaskResult)


@admin.register(DBTaskResult)
class JobAdmin(DBTaskResultAdmin, ModelAdmin):
    """The background jobs, as their package shows them."""


__all__ = [
    "AdminPasswordChangeForm",
    "AmountFormField",
    "AuthenticationForm",
    "CheckboxList",
    "ExportModelAdmin",
    "FileInput",
    "HistoryModelAdmin",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "StackedInline",
    "TabularInline",
    "UserChangeForm",
    "UserCreationForm",
    "button",
    "tell_refusal",
]
