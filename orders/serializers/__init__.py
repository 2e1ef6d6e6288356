"""What is sent about orders and what is shown of them."""

from orders.serializers.bodies import ChangeStatusSerializer, EditOrderSerializer, PlaceOrderSerializer
from orders.serializers.money import PaymentSerializer, PaySerializer, SaleSerializer, SellSerializer
from orders.serializers.orders import (
    OrderEventSerializer,
    OrderItemSerializer,
    OrderSerializer,
    TrackedOrderSerializer,
    VatBucketSerializer,
)
from orders.serializers.standing import (
    EditStandingOrderSerializer,
    MakeStandingOrderSerializer,
    SkipDateSerializer,
    StandingDateSerializer,
    StandingOrderSerializer,
)
from orders.serializers.waiting import AvailabilitySerializer, WaitSerializer, WishSerializer

__all__ = [
    "AvailabilitySerializer",
    "ChangeStatusSerializer",
    "EditOrderSerializer",
    "EditStandingOrderSerializer",
    "MakeStandingOrderSerializer",
    "OrderEventSerializer",
    "OrderItemSerializer",
    "OrderSerializer",
    "PaySerializer",
    "PaymentSerializer",
    "PlaceOrderSerializer",
    "SaleSerializer",
    "SellSerializer",
    "SkipDateSerializer",
    "StandingDateSerializer",
    "StandingOrderSerializer",
    "TrackedOrderSerializer",
    "VatBucketSerializer",
    "WaitSerializer",
    "WishSerializer",
]
