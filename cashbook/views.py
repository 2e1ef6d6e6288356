"""The cash book over HTTP."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from bakery.api.filters import read_choice, read_days, refuse_unknown
from bakery.api.idempotency import idempotent
from bakery.api.negotiation import AnyAccept
from bakery.api.viewsets import ApiViewSet
from bakery.errors import NotFound
from bakery.tables import FORMS
from cashbook import printing, selectors, services
from cashbook.dsfinvk import zipped
from cashbook.exporting import entries_table, require_fits_a_sheet
from cashbook.filters import CashEntryFilter, CashSessionFilter, MonthlyClosingFilter
from cashbook.models import MAIN, CashEntry, CashSession, MonthlyClosing, Register
from cashbook.serializers import (
    BookSerializer,
    CashEntrySerializer,
    CashReportSerializer,
    CashSessionSerializer,
    CashSummarySerializer,
    CloseSessionSerializer,
    MonthlyClosingSerializer,
    OpenSessionSerializer,
    RegisterSerializer,
    ReverseSerializer,
)

EXPORTS = [*FORMS, "dsfinvk"]
REGISTER = OpenApiParameter("register", str, description="The register's name.")


class CashEntryViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[CashEntry]):
    queryset = CashEntry.objects.as_shown()
    serializer_class = CashEntrySerializer
    filterset_class = CashEntryFilter
    orderings = {"created_at": "created_at", "amount": "amount", "number": "number"}
    lookup_value_regex = "[0-9]+"
    permissions = {
        "list": "cashbook.view_cashentry",
        "retrieve": "cashbook.view_cashentry",
        "summary": "cashbook.view_cashentry",
        "export": "cashbook.view_cash_report",
        "create": "cashbook.add_cashentry",
        "reverse": "cashbook.add_cashentry",
    }
    tells = {"create": ("Location",), "reverse": ("Location",)}

    @extend_schema(request=BookSerializer, responses={201: CashEntrySerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        return self._show_new(services.book(**self.parse(BookSerializer), actor=self.actor))

    @extend_schema(request=ReverseSerializer, responses={201: CashEntrySerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def reverse(self, request: Request, pk: str) -> Response:
        wrong = self.get_object()
        return self._show_new(services.reverse(entry_id=wrong.pk, **self.parse(ReverseSerializer), actor=self.actor))

    @extend_schema(
        responses=CashSummarySerializer,
        filters=False,
        parameters=[OpenApiParameter("from", OpenApiTypes.DATE), OpenApiParameter("to", OpenApiTypes.DATE), REGISTER],
    )
    @action(detail=False, pagination_class=None)
    def summary(self, request: Request) -> Response:
        refuse_unknown(request, frozenset({"from", "to", "register"}))
        first, last = read_days(request)
        register = request.query_params.get("register")
        if register is not None:
            register = Register.objects.named(register).name
        return Response(CashSummarySerializer(selectors.summary(first, last, register)).data)

    @extend_schema(
        description="The entries of some days as CSV or XLSX, or the sessions that were closed on them in the shape "
        "of DSFinV-K, a zip (docs/cash-exports.md).",
        filters=False,
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE),
            OpenApiParameter("to", OpenApiTypes.DATE),
            REGISTER,
            OpenApiParameter("as", enum=EXPORTS, default="csv"),
        ],
        responses={
            (200, content_type.partition(";")[0]): OpenApiTypes.BINARY
            for content_type in (*(form.content_type for form in FORMS.values()), "application/zip")
        },
    )
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def export(self, request: Request) -> StreamingHttpResponse:
        refuse_unknown(request, frozenset({"from", "to", "register", "as"}))
        form = read_choice(request, "as", EXPORTS) or "csv"
        first, last = read_days(request)
        register = request.query_params.get("register")
        if register is not None:
            register = Register.objects.named(register).name
        if form == "dsfinvk":
            return _download(f"dsfinvk-{first}-{last}.zip", "application/zip", zipped(first, last, register))
        if form == "xlsx":
            require_fits_a_sheet(first, last, register)
        table = entries_table(first, last, register)
        return _download(f"{table.name}.{form}", FORMS[form].content_type, FORMS[form].write(table))

    def _show_new(self, entry: CashEntry) -> Response:
        return self.show(entry, code=HTTP_201_CREATED, Location=f"/api/cash/{entry.pk}")


class CashSessionViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[CashSession]):
    queryset = CashSession.objects.as_shown()
    serializer_class = CashSessionSerializer
    filterset_class = CashSessionFilter
    orderings = {"opened_at": "opened_at", "number": "number"}
    lookup_value_regex = "[0-9]+"
    permissions = {
        "list": "cashbook.view_cashsession",
        "retrieve": "cashbook.view_cashsession",
        "current": "cashbook.view_cashsession",
        "report": "cashbook.view_cashsession",
        "create": "cashbook.add_cashsession",
        "close": "cashbook.change_cashsession",
    }
    tells = {"create": ("Location",)}

    @extend_schema(request=OpenSessionSerializer, responses={201: CashSessionSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        session = services.open_session(**self.parse(OpenSessionSerializer), actor=self.actor)
        return self.show(session, code=HTTP_201_CREATED, Location=f"/api/cash/sessions/{session.pk}")

    @extend_schema(responses=CashSessionSerializer, filters=False, parameters=[REGISTER])
    @action(detail=False, pagination_class=None)
    def current(self, request: Request) -> Response:
        refuse_unknown(request, frozenset({"register"}))
        register = Register.objects.named(request.query_params.get("register", MAIN))
        session = register.sessions.still_open().as_shown().first()
        if session is None:
            raise NotFound("No session of this register is open.")
        return self.show(session)

    @extend_schema(request=CloseSessionSerializer, responses=CashSessionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def close(self, request: Request, pk: str) -> Response:
        session = self.get_object()
        wanted = self.parse(CloseSessionSerializer)
        return self.show(services.close_session(session_id=session.pk, **wanted, actor=self.actor))

    @extend_schema(
        description="The X report of this moment while the session is open; once it is closed, its Z report as kept.",
        parameters=[OpenApiParameter("as", enum=["pdf"], description="Answer with a page to print.")],
        responses={(200, "application/json"): CashReportSerializer, (200, "application/pdf"): OpenApiTypes.BINARY},
    )
    @action(detail=True, filter_backends=[], content_negotiation_class=AnyAccept)
    def report(self, request: Request, pk: str) -> Response | HttpResponse:
        refuse_unknown(request, frozenset({"as"}))
        form = read_choice(request, "as", {"pdf"})
        found = selectors.report_of(self.get_object())
        if not form:
            return Response(CashReportSerializer(found).data)
        name = f"{found.kind}-{found.session.register.name}-{found.z_number or found.session.number}.pdf"
        return HttpResponse(
            printing.to_pdf(found),
            content_type="application/pdf",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


class MonthlyClosingViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[MonthlyClosing]):
    queryset = MonthlyClosing.objects.select_related("register")
    serializer_class = MonthlyClosingSerializer
    filterset_class = MonthlyClosingFilter
    orderings = {"month": "month", "number": "number"}
    lookup_value_regex = "[0-9]+"
    permissions = {"list": "cashbook.view_monthlyclosing", "retrieve": "cashbook.view_monthlyclosing"}


class RegisterViewSet(ListModelMixin, ApiViewSet[Register]):
    queryset: QuerySet[Register, Any] = Register.objects.all()
    serializer_class = RegisterSerializer
    permissions = {"list": "cashbook.view_register", "create": "cashbook.add_register"}

    @extend_schema(responses={201: RegisterSerializer})
    def create(self, request: Request) -> Response:
        return self.show(services.add_register(**self.parse(RegisterSerializer)), code=HTTP_201_CREATED)


def _download(name: str, content_type: str, content: Iterator[bytes]) -> StreamingHttpResponse:
    disposition = f'attachment; filename="{name}"'
    return StreamingHttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})
