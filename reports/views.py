from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bakery.api.filters import read_choice, read_days, refuse_unknown
from bakery.api.negotiation import AnyAccept
from bakery.api.viewsets import ApiViewSet
from bakery.tables import FORMS, Table
from cashbook.selectors import summary
from reports import selectors, tables
from reports.serializers import DailyCashReportSerializer, OverrideReportSerializer, SalesReportSerializer

_PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="Without both the last 30 days; at most 1,830."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day, included; today unless told."),
    OpenApiParameter("as", enum=list(FORMS), description="Answer with a file."),
]
_GROUP_BY = OpenApiParameter("group_by", enum=selectors.GROUPINGS, default="day")


def _answers(serializer: Any) -> dict[Any, Any]:
    files = {(200, form.content_type.partition(";")[0]): OpenApiTypes.BINARY for form in FORMS.values()}
    return {(200, "application/json"): serializer, **files}


class ReportViewSet(ApiViewSet[Any]):
    """Sums over the shop's days, as JSON or as a file for a spreadsheet."""

    content_negotiation_class = AnyAccept
    pagination_class = None
    filter_backends = []
    permissions: ClassVar[dict[str, str]] = {
        "sales": "orders.view_sales_report",
        "cash": "cashbook.view_cash_report",
        "overrides": "orders.view_override",
    }

    @extend_schema(parameters=[*_PERIOD, _GROUP_BY], responses=_answers(SalesReportSerializer))
    @action(detail=False)
    def sales(self, request: Request) -> Response | HttpResponse:
        refuse_unknown(request, frozenset({"from", "to", "group_by", "as"}))
        form = read_choice(request, "as", FORMS, "")
        group_by = read_choice(request, "group_by", selectors.GROUPINGS, "day")
        first, last = read_days(request)
        report = selectors.sales(first=first, last=last, group_by=group_by)
        return _download(form, tables.of_sales(report)) if form else Response(SalesReportSerializer(report).data)

    @extend_schema(parameters=_PERIOD, responses=_answers(DailyCashReportSerializer))
    @action(detail=False)
    def cash(self, request: Request) -> Response | HttpResponse:
        refuse_unknown(request, frozenset({"from", "to", "as"}))
        form = read_choice(request, "as", FORMS, "")
        first, last = read_days(request)
        report = summary(first, last)
        return _download(form, tables.of_cash(report)) if form else Response(DailyCashReportSerializer(report).data)

    @extend_schema(parameters=_PERIOD, responses=_answers(OverrideReportSerializer))
    @action(detail=False)
    def overrides(self, request: Request) -> Response | HttpResponse:
        refuse_unknown(request, frozenset({"from", "to", "as"}))
        form = read_choice(request, "as", FORMS, "")
        first, last = read_days(request)
        report = selectors.overrides(first=first, last=last)
        return _download(form, tables.of_overrides(report)) if form else Response(OverrideReportSerializer(report).data)


def _download(form: str, table: Table) -> HttpResponse:
    content_type, write = FORMS[form]
    disposition = f'attachment; filename="{table.name}.{form}"'
    return HttpResponse(b"".join(write(table)), content_type=content_type, headers={"Content-Disposition": disposition})
