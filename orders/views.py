"""Orders over HTTP."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from accounts.models import User
from bakery import clock
from bakery.api.conditional import honours_if_match
from bakery.api.idempotency import idempotent
from bakery.api.permissions import ANYONE, SIGNED_IN, guests_or
from bakery.api.throttling import Limit
from bakery.api.viewsets import ApiViewSet, TaggedListMixin
from orders import selectors, services
from orders.filters import OrderFilter, StandingOrderFilter, WishFilter, read_availability
from orders.models import Order, OrderHead, StandingOrder, Wish
from orders.serializers import (
    AvailabilitySerializer,
    ChangeStatusSerializer,
    EditOrderSerializer,
    EditStandingOrderSerializer,
    MakeStandingOrderSerializer,
    OrderEventSerializer,
    OrderSerializer,
    PaymentSerializer,
    PaySerializer,
    PlaceOrderSerializer,
    SaleSerializer,
    SellSerializer,
    SkipDateSerializer,
    StandingDateSerializer,
    StandingOrderSerializer,
    TrackedOrderSerializer,
    WaitSerializer,
    WishSerializer,
)
from products.models import Product

# The newest of a standing order: a year of them.
MOST_DATES = 366


# What the asking user may set now is a part of an order, and so of its tag.
class _OrderAnswers(ApiViewSet[Order]):
    @cached_property
    def now(self) -> datetime:
        return clock.now()

    @property
    def caller(self) -> User | None:
        """The signed-in user, or None for a guest."""
        return self.actor if self.request.user.is_authenticated else None

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": self.now}

    def etag(self, instance: Order, *variant: Any) -> str:
        return super().etag(instance, services.allowed_statuses(instance, self.caller, self.now), *variant)


class OrderViewSet(TaggedListMixin, _OrderAnswers):
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    orderings = {"created_at": "created_at", "due_at": "due_at", "total": "total"}
    lookup_value_regex = "[0-9]+"
    permissions = {
        "list": SIGNED_IN,
        "retrieve": SIGNED_IN,
        "create": guests_or("orders.add_order"),
        "partial_update": "orders.change_order",
        # Which role may set which status is the life cycle's to say, after other questions.
        "set_status": SIGNED_IN,
        "history": SIGNED_IN,
        "payments": SIGNED_IN,
        "add_payment": "orders.add_payment",
        "track": ANYONE,
    }
    tells = {
        **dict.fromkeys(("list", "retrieve", "partial_update", "set_status"), ("ETag",)),
        "create": ("ETag", "Location"),
    }
    limits = {"create": Limit("guest-orders", 30, timedelta(minutes=1), guests_only=True)}

    def get_queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.actor)

    def paginate_queryset(self, queryset: Any) -> Any:
        heads = super().paginate_queryset(queryset.values_list(*OrderHead._fields)) or []
        return [OrderHead._make(head) for head in heads]

    def retrieve(self, request: Request, pk: str) -> Response:
        return self.show_unless_known(self.get_object())

    @extend_schema(request=PlaceOrderSerializer, responses={201: OrderSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        order = services.place_order(**self.parse(PlaceOrderSerializer), actor=self.caller)
        return self.show(order, code=HTTP_201_CREATED, Location=f"/api/orders/{order.pk}")

    @extend_schema(request=EditOrderSerializer, responses=OrderSerializer)
    @honours_if_match
    def partial_update(self, request: Request, pk: str) -> Response:
        order = self.get_object()
        changes = self.parse(EditOrderSerializer)
        return self.show(
            services.edit_order(order_id=order.pk, changes=changes, actor=self.actor, expected=self.expected_versions())
        )

    @extend_schema(request=ChangeStatusSerializer, responses=OrderSerializer)
    @action(detail=True, methods=["put"], url_path="status")
    @honours_if_match
    def set_status(self, request: Request, pk: str) -> Response:
        order = self.get_object()
        wanted = self.parse(ChangeStatusSerializer)
        return self.show(
            services.change_status(
                order_id=order.pk, **wanted, actor=self.actor, expected=self.expected_versions(), seen=order.status
            )
        )

    @extend_schema(responses=OrderEventSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def history(self, request: Request, pk: str) -> Response:
        events = self.get_object().history.select_related("user", "override")
        return Response(OrderEventSerializer(events, many=True, context=self.get_serializer_context()).data)

    @extend_schema(responses=PaymentSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def payments(self, request: Request, pk: str) -> Response:
        payments = self.get_object().payments.select_related("user").prefetch_related("refunded_items")
        return Response(PaymentSerializer(payments, many=True).data)

    @extend_schema(request=PaySerializer, responses={201: PaymentSerializer})
    @payments.mapping.post
    @idempotent
    def add_payment(self, request: Request, pk: str) -> Response:
        order = self.get_object()
        payment = services.pay(order_id=order.pk, **self.parse(PaySerializer), actor=self.actor)
        return Response(PaymentSerializer(payment).data, status=HTTP_201_CREATED)

    @extend_schema(responses=TrackedOrderSerializer, filters=False)
    @action(detail=False, url_path="track/(?P<token>[A-Za-z0-9_-]{1,64})", pagination_class=None)
    def track(self, request: Request, token: str) -> Response:
        order = get_object_or_404(Order.objects.prefetch_related("history"), tracking_token=token)
        return Response(TrackedOrderSerializer(order, context=self.get_serializer_context()).data)


class SaleViewSet(_OrderAnswers):
    serializer_class = SaleSerializer
    permissions = {"create": "orders.make_sale"}
    tells = {"create": ("ETag", "Location")}

    @extend_schema(request=SellSerializer, responses={201: SaleSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        order = services.sell(**self.parse(SellSerializer), actor=self.actor)
        prefetch_related_objects([order], "payments__user", "payments__refunded_items")
        return self.show(order, code=HTTP_201_CREATED, Location=f"/api/orders/{order.pk}")


class AvailabilityViewSet(ApiViewSet[Order]):
    serializer_class = AvailabilitySerializer
    pagination_class = None
    filter_backends = []
    permissions = {"list": ANYONE}

    @extend_schema(
        responses=AvailabilitySerializer(many=True),
        parameters=[
            OpenApiParameter("date", OpenApiTypes.DATE, description="One day; or else `from` and `to`."),
            OpenApiParameter("from", OpenApiTypes.DATE),
            OpenApiParameter("to", OpenApiTypes.DATE, description="At most 31 days with `from`."),
            OpenApiParameter("product", OpenApiTypes.INT, many=True, description="All products where left out."),
        ],
    )
    def list(self, request: Request) -> Response:
        known = Product.objects.visible_to(request.user)
        found = selectors.availability(**read_availability(request), now=clock.now(), among=known)
        return Response([row._asdict() for row in found])


class StandingOrderViewSet(TaggedListMixin, ApiViewSet[StandingOrder]):
    queryset = StandingOrder.objects.all()
    serializer_class = StandingOrderSerializer
    filterset_class = StandingOrderFilter
    orderings = {"start": "start", "created_at": "created_at"}
    lookup_value_regex = "[0-9]{1,18}"
    permissions = {
        "list": "orders.view_own_standingorder",
        "retrieve": "orders.view_own_standingorder",
        "dates": "orders.view_own_standingorder",
        "create": "orders.add_standingorder",
        "update": "orders.change_standingorder",
        "partial_update": "orders.change_standingorder",
        "skip": "orders.change_standingorder",
        "destroy": "orders.delete_standingorder",
    }
    tells = {
        **dict.fromkeys(("list", "retrieve", "update", "partial_update", "skip"), ("ETag",)),
        "create": ("ETag", "Location"),
    }

    def get_queryset(self) -> QuerySet[StandingOrder]:
        return StandingOrder.objects.visible_to(self.actor).with_parts()

    def retrieve(self, request: Request, pk: str) -> Response:
        return self.show_unless_known(self.get_object())

    @extend_schema(request=MakeStandingOrderSerializer, responses={201: StandingOrderSerializer})
    def create(self, request: Request) -> Response:
        standing = services.create_standing_order(**self.parse(MakeStandingOrderSerializer))
        return self.show(standing, code=HTTP_201_CREATED, Location=f"/api/standing-orders/{standing.pk}")

    @extend_schema(request=MakeStandingOrderSerializer, responses=StandingOrderSerializer)
    @honours_if_match
    def update(self, request: Request, pk: str) -> Response:
        return self._change(MakeStandingOrderSerializer)

    @extend_schema(request=EditStandingOrderSerializer, responses=StandingOrderSerializer)
    @honours_if_match
    def partial_update(self, request: Request, pk: str) -> Response:
        return self._change(EditStandingOrderSerializer)

    @honours_if_match
    def destroy(self, request: Request, pk: str) -> Response:
        services.remove_standing_order(standing_id=self.get_object().pk, expected=self.expected_versions())
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(request=SkipDateSerializer, responses=StandingOrderSerializer)
    @action(detail=True, methods=["post"])
    @honours_if_match
    def skip(self, request: Request, pk: str) -> Response:
        standing = self.get_object()
        wanted = self.parse(SkipDateSerializer)
        return self.show(services.skip_date(standing_id=standing.pk, **wanted, expected=self.expected_versions()))

    @extend_schema(responses=StandingDateSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def dates(self, request: Request, pk: str) -> Response:
        return Response(StandingDateSerializer(self.get_object().dates.all()[:MOST_DATES], many=True).data)

    def _change(self, shape: type[MakeStandingOrderSerializer]) -> Response:
        standing = self.get_object()
        changes = self.parse(shape)
        return self.show(
            services.change_standing_order(standing_id=standing.pk, changes=changes, expected=self.expected_versions())
        )


class WaitingListViewSet(ListModelMixin, ApiViewSet[Wish]):
    queryset = Wish.objects.all()
    serializer_class = WishSerializer
    filterset_class = WishFilter
    orderings = {"date": "date", "created_at": "created_at"}
    lookup_value_regex = "[0-9]{1,18}"
    permissions = {
        "list": SIGNED_IN,
        "create": guests_or("orders.add_order"),
        "destroy": "orders.change_order",
    }
    limits = {"create": Limit("guest-orders", 30, timedelta(minutes=1), guests_only=True)}

    def get_queryset(self) -> QuerySet[Wish]:
        return Wish.objects.visible_to(self.actor).select_related("product")

    @extend_schema(request=WaitSerializer, responses={201: WishSerializer})
    def create(self, request: Request) -> Response:
        actor = self.actor if request.user.is_authenticated else None
        return self.show(services.wait_for(**self.parse(WaitSerializer), actor=actor), code=HTTP_201_CREATED)

    def destroy(self, request: Request, pk: str) -> Response:
        services.stop_waiting(wish_id=self.get_object().pk)
        return Response(status=HTTP_204_NO_CONTENT)
