"""Files of products in the back office: uploaded, looked at, confirmed, undone."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from accounts.models import User
from bakery import clock
from bakery.admin import FileInput, ModelAdmin, ReadOnlyAdmin, button, tell_refusal
from bakery.errors import DomainError
from products import importing
from products.importing import uploads
from products.models import ImportPage, ImportState, ProductImport

UPLOAD = "admin:products_product_import_file"
PAGE = "admin:products_productimport_change"


def may_import(request: HttpRequest) -> bool:
    return request.user.has_perm("products.import_product")


class UploadForm(forms.Form):
    # What is wrong with an empty one, the reader says.
    import_file = forms.FileField(label="File", allow_empty_file=True, widget=FileInput)


def show_upload(page: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Take a file in, and go on to what it would do."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["import_file"]
        try:
            record = uploads.receive(upload=file, filename=file.name, user=_user(request))
        except DomainError as refusal:
            tell_refusal(page, request, refusal)
        else:
            return redirect(PAGE, record.pk)
    context = {
        **page.admin_site.each_context(request),
        "title": "Import products",
        "opts": page.opts,
        "form": form,
        "at_once": uploads.AT_ONCE,
    }
    return render(request, "products/import_upload.html", context)


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)


@admin.register(ProductImport)
class ProductImportAdmin(ReadOnlyAdmin):
    list_display = ["file_name", "state", "user", "begun_at", "created", "updated", "unchanged", "skipped", "errors"]
    list_filter = ["state", "begun_at"]
    list_select_related = ["user"]
    search_fields = ["file_name", "sha256"]
    ordering = ["-begun_at", "-pk"]
    actions_list = ["upload"]

    def has_view_permission(self, request: HttpRequest, obj: ProductImport | None = None) -> bool:
        return may_import(request) or super().has_view_permission(request, obj)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    @button(description="Import a file", url_path="upload", permissions=["import"], icon="upload")
    def upload(self, request: HttpRequest) -> HttpResponse:
        return redirect(UPLOAD)

    def get_urls(self) -> list[URLPattern]:
        def of(name: str, view: Any) -> Any:
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"products_productimport_{name}")

        urls: list[URLPattern] = super().get_urls()
        return [
            of("confirm", require_POST(self.confirm_view)),
            of("drop", require_POST(self.drop_view)),
            of("undo", self.undo_view),
            *urls,
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what an import would do, does, or did, a page of rows at a time."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = get_object_or_404(ProductImport, pk=int(object_id) if object_id.isdecimal() else 0)
        number = request.GET.get("page", "")
        page = record.pages.filter(number=int(number[:9]) if number.isdecimal() else 1).first()
        total = record.errors if record.state == ImportState.REFUSED else record.created + record.updated
        last = ProductImport.objects.undoable().first()
        return self._render(
            request,
            "products/import.html",
            record,
            page=page,
            total=total,
            pages=-(-total // ImportPage.SIZE),
            may_import=may_import(request),
            may_undo=may_import(request) and last == record,
            waits_long=(clock.now() - record.begun_at).total_seconds() > 30 and not record.step,
        )

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Carry out the plan that the page showed."""
        shown = request.POST.get("plan", "")
        record = self._do(request, lambda: uploads.confirm(import_id=pk, shown=shown, user=_user(request)))
        if record and record.state == ImportState.DONE:
            self.message_user(request, f"{record.file_name} was imported.")
        return redirect(PAGE, pk)

    def drop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._do(request, lambda: uploads.drop(import_id=pk))
        return redirect("admin:products_productimport_changelist")

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and then put the catalogue back."""
        if not may_import(request):
            raise PermissionDenied
        record = get_object_or_404(ProductImport, pk=pk)
        if request.method != "POST":
            return self._render(request, "products/import_undo.html", record)
        if self._do(request, lambda: importing.undo_import(import_id=pk, user=_user(request))):
            self.message_user(request, "The catalogue is as it was before this import.")
        return redirect(PAGE, pk)

    def _do(self, request: HttpRequest, action: Callable[[], Any]) -> Any:
        """Return what came of an action; None where it was refused, which is told in words."""
        if not may_import(request):
            raise PermissionDenied
        try:
            return action()
        except DomainError as refusal:
            return tell_refusal(self, request, refusal)

    def _render(self, request: HttpRequest, template: str, record: ProductImport, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import of {record.file_name}",
            "opts": self.opts,
            "record": record,
            **more,
        }
        return render(request, template, context)
