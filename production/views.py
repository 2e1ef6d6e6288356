from datetime import date
from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from bakery.api.conditional import honours_if_match
from bakery.api.fields import read_day
from bakery.api.filters import refuse_unknown
from bakery.api.idempotency import idempotent
from bakery.api.pagination import read_count
from bakery.api.viewsets import ApiViewSet
from production import selectors, services
from production.models import BakingPlan
from production.serializers import (
    BakingItemSerializer,
    BakingListSerializer,
    ChangeItemSerializer,
    MovePlanSerializer,
    PlanChangeSerializer,
    PlanDaySerializer,
)

_DATE = OpenApiParameter("date", OpenApiTypes.DATE, OpenApiParameter.PATH, description="A day of the shop.")
_PRODUCT = OpenApiParameter("product", OpenApiTypes.INT, OpenApiParameter.PATH, description="The product's id.")
_SINCE = OpenApiParameter(
    "since", {"type": "integer", "minimum": 1}, required=True, description="The version that hangs on the wall."
)


class BakingListViewSet(ApiViewSet[BakingPlan]):
    """What is to be baked on a day, addressed by its date."""

    queryset = BakingPlan.objects.all()
    serializer_class = BakingListSerializer
    lookup_field = "date"
    lookup_value_regex = "[^/]+"
    pagination_class = None
    filter_backends = []
    permissions: ClassVar[dict[str, str]] = {
        "retrieve": "production.view_bakingplan",
        "changes": "production.view_bakingplan",
        "create": "production.add_bakingplan",
        "refresh": "production.change_bakingplan",
        "destroy": "production.delete_bakingplan",
        "set_status": "production.record_production",
        "change_item": "production.record_production",
    }
    tells: ClassVar[dict[str, tuple[str, ...]]] = {
        **dict.fromkeys(("retrieve", "refresh", "set_status", "change_item"), ("ETag",)),
        "create": ("ETag", "Location"),
    }
    live = True

    @property
    def day(self) -> date:
        """The date of the address, or a 400 that names it."""
        try:
            return read_day(self.kwargs["date"])
        except ValueError as error:
            raise ValidationError({"date": str(error)}, code="invalid") from error

    def _show_list(self, day: date, *, code: int = status.HTTP_200_OK, **headers: str) -> Response:
        shown = selectors.baking_list(day)
        if shown.plan is not None:
            headers["ETag"] = self.etag(shown.plan)
        return self.show(shown, code=code, **headers)

    @extend_schema(parameters=[_DATE])
    def retrieve(self, request: Request, date: str) -> Response:
        refuse_unknown(request, frozenset())
        return self._show_list(self.day)

    @extend_schema(request=PlanDaySerializer, responses={201: BakingListSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        wanted = self.parse(PlanDaySerializer)
        day = wanted.pop("date")
        services.plan_day(day=day, actor=self.actor, **wanted)
        return self._show_list(day, code=status.HTTP_201_CREATED, Location=f"/api/baking-list/{day}")

    @extend_schema(parameters=[_DATE], responses={204: None})
    @honours_if_match
    def destroy(self, request: Request, date: str) -> Response:
        services.discard_plan(day=self.day, expected=self.expected_versions())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=[_DATE], request=None, responses={200: BakingListSerializer})
    @action(detail=True, methods=["post"])
    @honours_if_match
    def refresh(self, request: Request, date: str) -> Response:
        day = self.day
        services.refresh_plan(day=day, actor=self.actor, expected=self.expected_versions())
        return self._show_list(day)

    @extend_schema(parameters=[_DATE], request=MovePlanSerializer, responses={200: BakingListSerializer})
    @action(detail=True, methods=["put"], url_path="status")
    @honours_if_match
    def set_status(self, request: Request, date: str) -> Response:
        day = self.day
        selectors.require_plan(day)
        wanted = self.parse(MovePlanSerializer)
        services.move_plan(day=day, to=wanted["status"], expected=self.expected_versions())
        return self._show_list(day)

    @extend_schema(parameters=[_DATE, _PRODUCT], request=ChangeItemSerializer, responses={200: BakingItemSerializer})
    @action(detail=True, methods=["patch"], url_path="items/(?P<product>[0-9]{1,18})")
    @honours_if_match
    def change_item(self, request: Request, date: str, product: str) -> Response:
        day = self.day
        selectors.require_plan(day)
        item = services.change_item(
            day=day,
            product_id=int(product),
            changes=self.parse(ChangeItemSerializer, partial=True),
            actor=self.actor,
            expected=self.expected_versions(),
        )
        return Response(BakingItemSerializer(item).data, headers={"ETag": self.etag(item.plan)})

    @extend_schema(parameters=[_DATE, _SINCE], responses={200: PlanChangeSerializer(many=True)})
    @action(detail=True)
    def changes(self, request: Request, date: str) -> Response:
        day = self.day
        refuse_unknown(request, frozenset({"since"}))
        if "since" not in request.query_params:
            raise ValidationError({"since": "This parameter is required."}, code="required")
        since = read_count(request, "since", default=1)
        changes = selectors.changes_since(day=day, edition=since)
        return Response(PlanChangeSerializer(changes, many=True).data)
