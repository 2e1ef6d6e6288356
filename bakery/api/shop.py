"""What anyone may know of the shop."""

from typing import Any, ClassVar

from django.conf import settings
from django.forms import model_to_dict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from bakery import clock
from bakery.api.fields import ModelSerializer, WallTimeField
from bakery.api.permissions import ANYONE
from bakery.api.viewsets import METHODS
from bakery.models import Closure, OpeningHours, Shop


class OpeningHoursSerializer(ModelSerializer):
    """A span on an ISO weekday; it closes at 00:00 where it is open until midnight."""

    opens = WallTimeField()
    closes = WallTimeField()

    class Meta:
        model = OpeningHours
        fields = ["weekday", "opens", "closes"]


class ClosureSerializer(ModelSerializer):
    """Days on which the shop stays closed, the first and the last included."""

    class Meta:
        model = Closure
        fields = ["first_day", "last_day", "reason"]


class ShopSerializer(ModelSerializer):
    """The shop, when it is open, and the closures that are not over."""

    time_zone = serializers.SerializerMethodField()
    opening_hours = OpeningHoursSerializer(many=True)
    closures = ClosureSerializer(many=True)

    class Meta:
        model = Shop
        fields = ["name", "currency", "time_zone", "address", "phone", "email", "opening_hours", "closures"]

    def get_time_zone(self, _: Any) -> str:
        return settings.TIME_ZONE


class ShopViewSet(ViewSet):
    http_method_names = METHODS
    permissions: ClassVar[dict[str, str]] = {"show": ANYONE}

    @extend_schema(responses=ShopSerializer)
    def show(self, request: Request) -> Response:
        ahead = Closure.objects.ahead(clock.today())
        shop = {**model_to_dict(Shop.get()), "opening_hours": OpeningHours.objects.all(), "closures": ahead}
        return Response(ShopSerializer(shop).data)
