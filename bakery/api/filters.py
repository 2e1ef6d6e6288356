"""Query parameters are read strictly: an unknown one, or a bad value, is a 400 that names it."""

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.serializers import Field

from bakery import clock
from bakery.api import fields

PAGING = frozenset({"page", "page_size", "ordering"})


class _ReadBy(forms.Field):
    """A form field that reads its text as a serializer field does."""

    reader: Field[Any, Any, Any, Any]

    def clean(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        try:
            return self.reader.run_validation(value)
        except ValidationError as error:
            details = [
                forms.ValidationError(str(detail), code=getattr(detail, "code", "invalid")) for detail in error.detail
            ]
            raise forms.ValidationError(details) from error


class _DayFormField(_ReadBy):
    reader = fields.DayField()


class _InstantFormField(_ReadBy):
    reader = fields.InstantField()


class _AmountFormField(_ReadBy):
    reader = fields.AmountField(min_value=Decimal(0))


class _TextFormField(_ReadBy):
    reader = fields.TextField(max_length=200)


class _SearchFormField(_ReadBy):
    reader = fields.TextField(max_length=200, allow_blank=True)


class _IdFormField(forms.RegexField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[0-9]{1,18}$", **kwargs)

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        return int(text) if text else None


class _FlagFormField(forms.Field):
    def clean(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise forms.ValidationError("Must be true or false.", code="invalid")
        return bool(value == "true")


@extend_schema_field(OpenApiTypes.DATE)
class DayFilter(filters.Filter):
    field_class = _DayFormField


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantFilter(filters.Filter):
    field_class = _InstantFormField


class AmountFilter(filters.Filter):
    field_class = _AmountFormField


@extend_schema_field(OpenApiTypes.STR)
class TextFilter(filters.Filter):
    field_class = _TextFormField


@extend_schema_field(OpenApiTypes.STR)
class SearchFilter(filters.Filter):
    """Words to look for; where there are none, everything is found."""

    field_class = _SearchFormField


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(filters.Filter):
    field_class = _IdFormField


@extend_schema_field(OpenApiTypes.BOOL)
class FlagFilter(filters.Filter):
    field_class = _FlagFormField


class MultipleChoiceFilter(filters.MultipleChoiceFilter):
    """Of a column of the listed table itself: no row is found twice, and DISTINCT would sort them all for nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(distinct=False, **kwargs)


class FilterSet(filters.FilterSet):
    """django-filter's, with the filters that are asked for alone: none of ours does anything unless it is.

    To copy them all, and to make a form of them, would take longer than many a list.
    """

    _forms: ClassVar[dict[tuple[type, frozenset[str]], type[forms.Form]]] = {}

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        self.base_filters = {name: one for name, one in self.base_filters.items() if data and name in data}  # type: ignore[has-type]  # of the stubs
        super().__init__(data, *args, **kwargs)

    def get_form_class(self) -> type[forms.Form]:
        key = type(self), frozenset(self.filters)
        if key not in self._forms:
            self._forms[key] = super().get_form_class()
        return self._forms[key]


ChoiceFilter = filters.ChoiceFilter
ModelChoiceFilter = filters.ModelChoiceFilter
BaseInFilter = filters.BaseInFilter


class StrictFilterBackend(filters.DjangoFilterBackend):
    """django-filter's backend, for which a parameter that nobody reads is a mistake of the caller."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = self.get_filterset_class(view, queryset)
        named = filterset_class.base_filters if filterset_class else {}
        several = frozenset(name for name, one in named.items() if isinstance(one, filters.MultipleChoiceFilter))
        refuse_unknown(request, PAGING | frozenset(named), several)
        refuse_empty(request)
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


def refuse_unknown(request: Request, known: frozenset[str], several: frozenset[str] = frozenset()) -> None:
    """Raise a 400 that names each query parameter which is not in `known`.

    Those in `several` may be given several times. Of any other one the last alone would count, and what the caller
    asked for beside it would be passed over in silence.
    """
    unknown = {
        name: f"There is no such parameter; known are {', '.join(sorted(known)) or 'none'}."
        for name in request.query_params
        if name not in known
    }
    if unknown:
        raise ValidationError(unknown, code="unknown_parameter")
    repeated = {
        name: "It may be given once."
        for name, values in request.query_params.lists()
        if len(values) > 1 and name not in several
    }
    if repeated:
        raise ValidationError(repeated, code="repeated_parameter")


def refuse_empty(request: Request) -> None:
    """Raise a 400 that names each query parameter without a value."""
    empty = {
        name: "Must not be empty."
        for name, value in request.query_params.items()
        if value == "" and name != "search"  # an empty search box seeks everything
    }
    if empty:
        raise ValidationError(empty, code="invalid")


def refuse_nul(request: Request) -> None:
    """Raise a 400 that names each query parameter with the character NUL, which PostgreSQL takes in no text."""
    bad = {
        name: "It holds a control character."
        for name, values in request.query_params.lists()
        if "\0" in "".join(values)
    }
    if bad:
        raise ValidationError(bad, code="control_character")


def read_choice(request: Request, name: str, among: Collection[str], default: str = "") -> str:
    """Read one of a few words; raise a 400 that names the parameter and what it may be."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value not in among:
        raise ValidationError({name: f"Must be one of {', '.join(among)}."}, code="invalid_choice")
    return value


def read_day(request: Request, name: str, default: date | None = None) -> date:
    """Read a query parameter as a day of the shop; raise a 400 that names it. Without a default it is required."""
    value = request.query_params.get(name)
    if value is None:
        if default is None:
            raise ValidationError({name: "This parameter is required."}, code="required")
        return default
    try:
        return fields.read_day(value)
    except ValueError as error:
        raise ValidationError({name: str(error)}, code="invalid") from error


def read_days(request: Request, *, usual: int = 30, most: int = 1830) -> tuple[date, date]:
    """Read `from` and `to`, both included: where they are not given, the `usual` number of days up to today."""
    last = read_day(request, "to", clock.today())
    first = read_day(request, "from", last - timedelta(days=usual - 1))
    if first > last:
        raise ValidationError({"from": "Must not be later than the last day."}, code="invalid")
    if (last - first).days >= most:
        raise ValidationError({"from": f"There can be at most {most} days at once."}, code="invalid")
    return first, last


class StrictOrdering(BaseFilterBackend):
    """`ordering=price,-name`: names from `view.orderings`, a table from public name to model field.

    The primary key is always the last one, so that pages neither repeat nor miss a row.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        wanted = request.query_params.get("ordering")
        if wanted is None:
            return queryset
        orderings: dict[str, str] = getattr(view, "orderings", {})
        keys = []
        for name in wanted.split(","):
            field = orderings.get(name.removeprefix("-"))
            if field is None:
                known = ", ".join(orderings) or "none"
                raise ValidationError(
                    {"ordering": f"Cannot order by {name[:50]!r}; known are {known}."}, code="invalid"
                )
            keys.append(f"-{field}" if name.startswith("-") else field)
        return queryset.order_by(*keys, "pk")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [sign + name for name in getattr(view, "orderings", {}) for sign in ("", "-")]
        if not names:
            return []
        return [{
            "name": "ordering", "in": "query", "required": False, "explode": False, "style": "form",
            "description": "What to order by; a minus sign turns the order round.",
            "schema": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": names}},
        }]  # fmt: skip
