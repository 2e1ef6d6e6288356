"""What the lists of the cash book can be narrowed by."""

from datetime import date
from typing import Any

from bakery import clock
from bakery.api.filters import ChoiceFilter, DayFilter, FilterSet, IdFilter, ModelChoiceFilter, TextFilter
from cashbook.models import CashEntry, CashSession, EntryType, Method, MonthlyClosing, Register


def registers(_: Any) -> Any:
    return Register.objects.all()


class CashEntryFilter(FilterSet):
    type = ChoiceFilter(choices=EntryType.choices)
    method = ChoiceFilter(choices=Method.choices)
    session = IdFilter(field_name="session_id")
    reference = TextFilter()
    register = ModelChoiceFilter(queryset=registers, to_field_name="name")
    vars()["from"] = DayFilter(method="since")  # `from` is a word of Python's
    to = DayFilter(method="until")

    class Meta:
        model = CashEntry
        fields: list[str] = []

    def since(self, entries: Any, _: str, day: date) -> Any:
        return entries.filter(created_at__gte=clock.start_of(day))

    def until(self, entries: Any, _: str, day: date) -> Any:
        return entries.filter(created_at__lt=clock.bounds(day, day)[1])


class CashSessionFilter(FilterSet):
    register = ModelChoiceFilter(queryset=registers, to_field_name="name")

    class Meta:
        model = CashSession
        fields: list[str] = []


class MonthlyClosingFilter(FilterSet):
    register = ModelChoiceFilter(queryset=registers, to_field_name="name")
    vars()["from"] = DayFilter(method="since")  # `from` is a word of Python's
    to = DayFilter(field_name="month", lookup_expr="lte")

    class Meta:
        model = MonthlyClosing
        fields: list[str] = []

    def since(self, closings: Any, _: str, day: date) -> Any:
        return closings.filter(month__gte=day.replace(day=1))
