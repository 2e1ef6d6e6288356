"""Products, categories, VAT classes and capacities in the back office."""

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.views.main import ORDER_VAR
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from bakery import clock, texts
from bakery.admin import (
    CheckboxList,
    ExportModelAdmin,
    HistoryModelAdmin,
    TabularInline,
    button,
    tell_refusal,
)
from bakery.errors import DomainError
from products import pictures, selectors, services
from products.admin.imports import may_import, show_upload
from products.models import (
    WEEKDAYS,
    Allergen,
    CapacityGroup,
    CapacityOverride,
    Category,
    Diet,
    PriceChange,
    Product,
    ProductQuerySet,
    ProductTarget,
    VatClass,
    VatRate,
)
from products.resources import CsvFormat, ProductResource, XlsxFormat

if TYPE_CHECKING:
    from accounts.models import User

# So many prices of the past stand on a product's page.
MOST_PRICES = 12


def _changes(form: forms.ModelForm) -> dict[str, Any]:
    """Return what was changed in a form, as the services take it."""
    return {name: form.cleaned_data[name] for name in form.changed_data if name not in ("image", "seen")}


def _expected(form: forms.ModelForm) -> frozenset[int] | None:
    """Return the version that the form was filled in for."""
    seen = form.cleaned_data.get("seen")
    return None if seen is None else frozenset({seen})


class VersionedForm(forms.ModelForm):
    """Carries the version that was shown, so that nobody overwrites what they have not seen."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.version


class NameForm(forms.ModelForm):
    """Holds a name to the rule of all texts, before it is compared with others."""

    def clean_name(self) -> str:
        try:
            return texts.tidy(self.cleaned_data["name"])
        except ValueError as error:
            raise forms.ValidationError(str(error), code="control_character") from error


class CatalogueAdmin(HistoryModelAdmin):
    """For what the catalogue is made of beside products and categories: rates, classes, capacity groups."""

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        services.touch_catalogue()
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        services.touch_catalogue()
        super().delete_model(request, obj)

    @transaction.atomic  # actions of a list have no transaction of their own
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        services.touch_catalogue()
        super().delete_queryset(request, queryset)


@admin.register(Category)
class CategoryAdmin(HistoryModelAdmin):
    form = VersionedForm
    fields = ["name", "slug", "position", "seen"]
    list_display = ["name", "slug", "position"]
    search_fields = ["name"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "slug":
            field.required, field.help_text = False, "Made of the name where it is left empty."
        return field

    def save_model(self, request: HttpRequest, obj: Category, form: forms.ModelForm, change: bool) -> None:
        changes = _changes(form)
        if not change:
            saved = services.create_category(**changes)
        elif changes:
            saved = services.update_category(category_id=obj.pk, expected=_expected(form), **changes)
        else:
            return
        obj.__dict__.update(saved.__dict__)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        services.remove_category(category_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        for category in queryset:
            self.delete_model(request, category)


class VatRateInline(TabularInline):
    model = VatRate


@admin.register(VatClass)
class VatClassAdmin(CatalogueAdmin):
    form = NameForm
    list_display = ["name", "slug"]
    inlines = [VatRateInline]


class ProductForm(VersionedForm):
    """The form of a product, whose sets are boxes to tick."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, required=False, widget=CheckboxList, initial=[day for day, _ in WEEKDAYS]
    )
    allergens = forms.MultipleChoiceField(choices=Allergen.choices, required=False, widget=CheckboxList)
    may_contain = forms.MultipleChoiceField(choices=Allergen.choices, required=False, widget=CheckboxList)
    diets = forms.MultipleChoiceField(choices=Diet.choices, required=False, widget=CheckboxList)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("weekdays", "allergens", "may_contain", "diets"):
                self.initial[name] = getattr(self.instance, name)


class TargetInline(TabularInline):
    model = ProductTarget
    max_num = 7


class PriceChangeInline(TabularInline):
    """The prices to come: planned and taken back, never changed."""

    model = PriceChange
    verbose_name_plural = "price changes to come"
    fields = ["valid_from", "price", "user"]
    readonly_fields = ["user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceChange]:
        plans: QuerySet[PriceChange] = super().get_queryset(request).to_come()
        return plans.select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(ExportModelAdmin):
    form = ProductForm
    inlines = [PriceChangeInline, TargetInline]
    list_display = ["picture", "name", "sku", "category", "price", "vat_class", "is_active", "is_baked"]
    list_display_links = ["name"]
    list_filter = ["category", "is_active", "is_baked", "vat_class"]
    list_select_related = ["category", "vat_class"]
    search_fields = ["name", "sku", "description"]
    readonly_fields = ["slug", "price_history"]
    actions_list = ["import_file"]
    actions = ["put_on_sale", "take_off_sale", "delete_selected"]
    resource_classes = [ProductResource]
    export_formats = [CsvFormat, XlsxFormat]
    fieldsets = [
        (None, {"fields": ["name", "slug", "sku", "category", "description", "image", "image_source", "seen"]}),
        ("Price", {"fields": ["price", "price_history", "vat_class", "unit", "weight_g", "is_active"]}),
        ("Food information", {"fields": ["allergens", "may_contain", "diets", "shelf_life_days"]}),
        ("When", {"fields": ["weekdays", "available_from", "available_until", "lead_time_hours", "max_per_order"]}),
        ("Baking", {"fields": ["is_baked", "batch_size", "daily_capacity", "capacity_group", "capacity_units"]}),
    ]

    @admin.display(description="")
    def picture(self, product: Product) -> str:
        if not product.image:
            return ""
        address = product.image.url
        smallest = pictures.sizes(address, product.image_width)[str(min(pictures.WIDTHS))]
        return format_html('<img src="{}" alt="" width="48" loading="lazy" class="rounded-default">', smallest)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        services.revision_on(clock.today())  # no price of yesterday
        products: QuerySet[Product] = super().get_queryset(request)
        return products

    @admin.display(description="prices so far")
    def price_history(self, product: Product) -> str:
        spans = [span for span in selectors.prices_of(product) if span.state != "to_come"] if product.pk else []
        return format_html_join(
            mark_safe("<br>"),
            "{} since {}{}",
            (
                (span.price, f"{clock.local(span.since):%Y-%m-%d %H:%M}", f", by {span.user}" if span.user else "")
                for span in reversed(spans[-MOST_PRICES:])
            ),
        )

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        if formset.model is not PriceChange:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        for plan in formset.deleted_objects:
            services.withdraw_price(product_id=form.instance.pk, change_id=plan.pk)
        for plan in formset.new_objects:
            services.plan_price(
                product_id=form.instance.pk,
                price=plan.price,
                valid_from=plan.valid_from,
                actor=cast("User", request.user),
            )

    def save_model(self, request: HttpRequest, obj: Product, form: forms.ModelForm, change: bool) -> None:
        services.touch_catalogue()  # targets below count as well
        changes = _changes(form)
        if not change:
            saved = services.create_product(**changes)
        elif changes:
            saved = services.update_product(product_id=obj.pk, expected=_expected(form), **changes)
        else:
            saved = Product.objects.get(pk=obj.pk)
        obj.__dict__.update(saved.__dict__)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, *args: Any) -> None:
        super().save_related(request, form, *args)
        if "image" not in form.changed_data:
            return
        if image := form.cleaned_data["image"]:
            drawn = pictures.draw(image)
            # It is stored once all else is sure: what takes the transaction back leaves no file then.
            transaction.on_commit(partial(self._give_image, request, form.instance.pk, drawn))
        else:
            services.remove_image(product_id=form.instance.pk)

    def _give_image(self, request: HttpRequest, product_id: int, drawn: pictures.Drawn) -> None:
        try:
            services.give_image(product_id=product_id, drawn=drawn)
        except DomainError as refusal:
            tell_refusal(self, request, refusal, about="The picture")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # What refers to a product is endless, and hinders nothing: the service keeps a product with history.
        names = [str(product) for product in objs]
        return [*names, "A product that orders or lists know is kept, and taken off sale."], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        services.remove_product(product_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        for product in queryset:
            self.delete_model(request, product)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        if not Product.objects.filter(pk=obj_id).exists():
            answer: HttpResponse = super().response_delete(request, obj_display, obj_id)
            return answer
        self.message_user(request, f"{obj_display} has history: kept, and taken off sale.", messages.WARNING)
        return redirect("admin:products_product_changelist")

    @admin.action(description="Delete selected products", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        """Ask first as Django does; then tell what was deleted and what was kept, which Django can't know."""
        if "post" not in request.POST:
            page: HttpResponse | None = delete_selected(self, request, queryset)
            return page
        chosen = [product.pk for product in queryset]
        self.delete_queryset(request, queryset)
        kept = Product.objects.filter(pk__in=chosen).count()
        if kept < len(chosen):
            self.message_user(request, f"Deleted: {len(chosen) - kept}.")
        if kept:
            self.message_user(request, f"With history, so kept and taken off sale: {kept}.", messages.WARNING)
        return None

    @admin.action(description="Put on sale", permissions=["change"])
    def put_on_sale(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        for product in queryset.filter(is_active=False):
            services.update_product(product_id=product.pk, is_active=True)

    @admin.action(description="Take off sale", permissions=["change"])
    def take_off_sale(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        for product in queryset.filter(is_active=True):
            services.update_product(product_id=product.pk, is_active=False)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Product], search_term: str) -> Any:
        """Search as the API does; the order that somebody chose by a click on a column stays."""
        found = cast("ProductQuerySet", queryset).about(search_term)
        return found.order_by(*queryset.query.order_by) if ORDER_VAR in request.GET else found, False

    # Import and export

    @button(description="Import", url_path="import", permissions=["import"], icon="upload")
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return show_upload(self, request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    def get_data_for_export(self, request: HttpRequest, queryset: QuerySet[Product], **kwargs: Any) -> Any:
        return queryset


class OverrideInline(TabularInline):
    model = CapacityOverride
    exclude = ["product"]


@admin.register(CapacityGroup)
class CapacityGroupAdmin(CatalogueAdmin):
    form = NameForm
    list_display = ["name", "daily_capacity"]
    inlines = [OverrideInline]


@admin.register(CapacityOverride)
class CapacityOverrideAdmin(HistoryModelAdmin):
    list_display = ["day", "product", "group", "capacity"]
    list_filter = ["day"]
    list_select_related = ["product", "group"]
    autocomplete_fields = ["product"]
