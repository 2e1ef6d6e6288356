"""What the lists of the catalogue can be narrowed by."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import slug_re
from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from bakery.api.filters import (
    AmountFilter,
    BaseInFilter,
    ChoiceFilter,
    DayFilter,
    FilterSet,
    FlagFilter,
    InstantFilter,
    MultipleChoiceFilter,
    SearchFilter,
)
from products.models import Allergen, Category, Diet, Product


class _CategoryFormField(forms.Field):
    """Reads slugs, and gives the ids of their categories."""

    widget = forms.SelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("null_label", None)
        super().__init__(**kwargs)

    def clean(self, value: list[str] | None) -> list[int]:
        slugs = set(value or ())
        sound = [slug for slug in slugs if slug_re.fullmatch(slug)]
        found = dict(Category.objects.filter(slug__in=sound).values_list("slug", "pk"))
        missing = sorted(slugs.difference(found))
        if missing:
            raise forms.ValidationError(f"There is no category {missing[0][:50]!r}.", code="does_not_exist")
        return list(found.values())


@extend_schema_field(OpenApiTypes.STR)
class CategoryFilter(MultipleChoiceFilter):
    field_class = _CategoryFormField


class AllergenFilter(BaseInFilter, ChoiceFilter):
    """A list separated by commas."""


class ProductFilter(FilterSet):
    category = CategoryFilter(method="in_categories", label="Slug of a category; may be given several times.")
    min_price = AmountFilter(field_name="price", lookup_expr="gte")
    max_price = AmountFilter(field_name="price", lookup_expr="lte")
    allergen_free = AllergenFilter(choices=Allergen.choices, method="free_of", label="Contains none of these.")
    diet = ChoiceFilter(choices=Diet.choices, method="for_diet")
    available_on = DayFilter(method="on_day", label="Sold on this day: active, in season, on its weekday.")
    is_active = FlagFilter(label="For staff; the public sees active products anyway.")
    updated_since = InstantFilter(field_name="updated_at", lookup_expr="gte")
    # The last one: whether anything is found, or what was meant is looked for, is seen among what the others leave.
    search = SearchFilter(
        method="about",
        label="Words that stand in name, sku or description, whatever their case and accents; the best hits come "
        "first, unless `ordering` is given. Where there are none, products whose names hold words a slip away.",
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def in_categories(self, products: Any, _: str, categories: list[int]) -> Any:
        return products.filter(category__in=categories)

    def about(self, products: Any, _: str, text: str) -> Any:
        return products.about(text)

    def free_of(self, products: Any, _: str, allergens: list[str]) -> Any:
        return products.free_of(filter(None, allergens))

    def for_diet(self, products: Any, _: str, diet: str) -> Any:
        return products.for_diet(diet)

    def on_day(self, products: Any, _: str, day: date) -> Any:
        return products.available_on(day)


class CategoryListFilter(FilterSet):
    search = SearchFilter(method="about", label="Words that stand in the name.")

    class Meta:
        model = Category
        fields: list[str] = []

    def about(self, categories: Any, _: str, text: str) -> Any:
        return categories.filter(*(Q(name__icontains=word) for word in text.split()))
