"""The back office of accounts, and the door of the admin itself."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from rest_framework_simplejwt.token_blacklist import admin as _  # noqa: F401  # registers what is taken off below
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import selectors, services
from accounts.errors import InvalidCredentials
from accounts.models import Role, User
from accounts.views import LOGINS
from bakery import privacy
from bakery.admin import (
    AdminPasswordChangeForm,
    AuthenticationForm,
    HistoryModelAdmin,
    ReadOnlyAdmin,
    UserChangeForm,
    UserCreationForm,
    tell_refusal,
)
from bakery.errors import AlreadyExists, DomainError, TooMany

# What a service is told of a form; the password has its own page, the extra permissions are saved by Django.
FIELDS = ("username", "email", "first_name", "last_name", "phone", "role", "is_active")


class _OwnNames(forms.ModelForm):
    """A form that says beside the field when a name is someone else's."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if self.errors:
            return
        try:
            services.refuse_taken(self.instance)
        except AlreadyExists as refusal:
            self.add_error(refusal.problems[0].field, refusal.message)


class PersonForm(_OwnNames, UserChangeForm):
    pass


class NewPersonForm(_OwnNames, UserCreationForm):
    usable_password = None


class PasswordForm(AdminPasswordChangeForm):
    usable_password = None

    def save(self, commit: bool = True) -> User:
        services.set_password(user_id=self.user.pk, password=self.cleaned_data["password1"])
        user: User = self.user
        user.refresh_from_db()
        return user


def _actor(request: HttpRequest) -> User:
    return cast("User", request.user)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, HistoryModelAdmin):
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = PasswordForm
    list_display = ["username", "full_name", "email", "phone", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["username", "email", "first_name", "last_name", "phone"]
    ordering = ["username", "pk"]
    filter_horizontal = ["user_permissions"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "phone"]}),
        ("Rights", {"fields": ["role", "is_active", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2", "role"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "phone"]}),
    ]

    actions = ["export_customer", "erase_customer"]

    @admin.action(description="Export what is stored about a customer", permissions=["change"])
    def export_customer(self, request: HttpRequest, queryset: QuerySet[User]) -> JsonResponse:
        told = [privacy.export(selectors.person_of(user)) for user in queryset.order_by("pk")]
        headers = {"Content-Disposition": 'attachment; filename="customers.json"'}
        return JsonResponse(told, safe=False, headers=headers, json_dumps_params={"indent": 2, "ensure_ascii": False})

    @admin.action(description="Erase customers for good", permissions=["change"])
    def erase_customer(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        """Ask first; then forget all of the chosen, or none of them."""
        if request.POST.get("confirmed") != "yes":
            context = {**self.admin_site.each_context(request), "people": queryset, "title": "Erase customers"}
            return TemplateResponse(request, "accounts/erase.html", context)
        people = [selectors.person_of(user) for user in queryset.order_by("pk")]
        try:
            with transaction.atomic():
                for person in people:
                    privacy.erase(person)
        except DomainError as refusal:
            tell_refusal(self, request, refusal)
        else:
            self.message_user(request, f"Erased: {len(people)}.")
        return None

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fields = ["last_login", "date_joined"]
        if _actor(request).role != Role.ADMIN:
            fields.append("user_permissions")
        if obj and obj.pk == request.user.pk:
            fields += ["role", "is_active"]
        return fields

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role":
            kwargs["choices"] = [
                (role, label) for role, label in Role.choices if services.may_manage(_actor(request), role)
            ]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or services.may_manage(_actor(request), obj.role))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # people are deactivated: what they did refers to them

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        sent = {name: form.cleaned_data[name] for name in FIELDS if name in form.cleaned_data}
        if change:
            changed = {name: value for name, value in sent.items() if name in form.changed_data}
            services.change_user(user_id=obj.pk, actor=_actor(request), **changed)
        else:
            made = services.create_user(actor=_actor(request), password=form.cleaned_data["password1"], **sent)
            obj.pk, obj._state.adding = made.pk, False


# The groups are the roles, written by `migrate`; the tokens are ids that nobody wants to read.
admin.site.unregister([Group, BlacklistedToken, OutstandingToken])


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin, GroupAdmin):
    list_display = ["name"]
    fields = ["name", "permissions"]


class LoginForm(AuthenticationForm):
    """The door of the admin: same rules, same lock-out and same limit as that of the API."""

    retry_after = 0

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            try:
                self.user_cache = self._sign_in(name, password)
            except InvalidCredentials as error:
                raise self.get_invalid_login_error() from error
            except TooMany as refusal:
                self.retry_after = refusal.retry_after
                raise ValidationError(refusal.message, code=refusal.code) from refusal
            self.confirm_login_allowed(self.user_cache)
        return dict(self.cleaned_data)

    def _sign_in(self, name: str, password: str) -> User:
        address = self.request.META.get("REMOTE_ADDR", "")
        seconds = LOGINS.seconds_to_wait(address)
        if seconds:
            raise TooMany("Too many attempts. Wait before you try again.", retry_after=seconds)
        return services.sign_in(name=name, password=password, address=address)


_show_login = admin.site.login


def _login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Django's login page, with the status that a refusal has everywhere else."""
    response = _show_login(request, extra_context)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form is not None and form.has_error(NON_FIELD_ERRORS, TooMany.code):
        response.status_code = 429
        response["Retry-After"] = str(form.retry_after)
    return response


admin.site.login_form = LoginForm
admin.site.login = _login  # type: ignore[method-assign]
