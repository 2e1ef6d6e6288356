"""The shapes of orders and their history, as they are shown."""

from collections.abc import Iterable, Iterator
from typing import Any

from drf_spectacular.utils import extend_schema_field
from orjson import Fragment
from rest_framework import serializers

from bakery import clock
from bakery.api.caching import Renderings
from bakery.api.fields import (
    AmountField,
    ChoiceField,
    ModelSerializer,
)
from bakery.api.renderers import dump
from cashbook.models import VatShare
from orders import services
from orders.errors import OVERRIDABLE
from orders.models import (
    Line,
    Order,
    OrderEvent,
    OrderHead,
    OrderItem,
    Override,
    PaymentStatus,
    Status,
    load_orders,
)


class OrderItemSerializer(ModelSerializer):
    """A line, as it was when it was ordered."""

    product = serializers.IntegerField(source="product_id")

    class Meta:
        model = OrderItem
        fields = ["id", "product", "product_name", "unit_price", "vat_rate", "quantity", "line_total", "note"]
        read_only_fields = fields


class VatBucketSerializer(serializers.Serializer[Any]):
    rate = serializers.DecimalField(max_digits=5, decimal_places=2)
    net = AmountField()
    vat = AmountField()
    gross = AmountField()


_RENDERINGS = Renderings(most=5000)


class OrderPageSerializer(serializers.ListSerializer[Any]):
    """A page of orders, by their heads. Those that were shown before in this version are not read again."""

    def to_representation(self, data: Iterable[OrderHead]) -> list[Fragment]:  # type: ignore[override]
        heads = list(data)
        kept = _RENDERINGS.find(heads)
        missing = load_orders([head.id for head in heads if head not in kept])
        fresh = {OrderHead.of(order): dump(_show(order)) for order in missing}
        _RENDERINGS.keep(fresh)
        shown = kept | fresh
        if any(head not in shown for head in heads):
            heads = self._as_they_are_now(heads, {head.id: head for head in shown})
        return [
            Fragment(b'%b,"allowed_statuses":%b}' % (shown[head][:-1], allowed))
            for head, allowed in zip(heads, self._allowed(heads), strict=True)
        ]

    def _as_they_are_now(self, heads: list[OrderHead], now: dict[int, OrderHead]) -> list[OrderHead]:
        """Put in place of each order that has changed since its head was read what it has become.

        Whoever may not see it any more does not.
        """
        changed = [head.id for head in heads if now.get(head.id) != head]
        visible = Order.objects.visible_to(self.context["request"].user).filter(pk__in=changed)
        hidden = set(changed) - set(visible.values_list("pk", flat=True))
        return [now[head.id] for head in heads if head.id in now and head.id not in hidden]

    def _allowed(self, heads: list[OrderHead]) -> Iterator[bytes]:
        """Yield the allowed statuses of each order, as JSON."""
        user, now = self.context["request"].user, self.context["now"]
        known: dict[tuple[str, str, bool], bytes] = {}
        for head in heads:
            alike = head.status, head.fulfilment, now > head.deadline_at
            if alike not in known:
                known[alike] = dump(services.allowed_statuses(head, user, now))
            yield known[alike]


class OrderSerializer(ModelSerializer):
    """An order as its customer and the staff read it."""

    allowed_statuses = serializers.SerializerMethodField()
    customer = serializers.IntegerField(source="customer_id", allow_null=True)
    items = OrderItemSerializer(many=True)
    vat = VatBucketSerializer(many=True, source="vat_buckets")
    balance = AmountField()
    payment_status = ChoiceField(choices=PaymentStatus.choices)

    class Meta:
        model = Order
        fields = [
            "id", "code", "tracking_token", "status", "channel", "customer", "customer_name",
            "customer_email", "customer_phone", "fulfilment", "address", "consumption", "due_at", "deadline_at",
            "notes", "items", "total", "vat_total", "vat", "paid", "balance", "payment_status", "created_at",
            "updated_at", "allowed_statuses",
        ]  # fmt: skip
        read_only_fields = fields
        list_serializer_class = OrderPageSerializer

    @extend_schema_field(serializers.ListField(child=ChoiceField(choices=Status.choices)))
    def get_allowed_statuses(self, order: Order) -> list[str]:
        user = self.context["request"].user
        return services.allowed_statuses(order, user if user.is_authenticated else None, self.context["now"])

    def to_representation(self, instance: Order) -> dict[str, Any]:
        return {**_show(instance), "allowed_statuses": self.get_allowed_statuses(instance)}


def _show(order: Order) -> dict[str, Any]:
    """Return what a version of an order shows to anybody, at any time.

    It is written down by hand: through its fields, which are there for the schema, it takes three times as long.
    """
    return {
        "id": order.pk,
        "code": order.code,
        "tracking_token": order.tracking_token,
        "status": order.status,
        "channel": order.channel,
        "customer": order.customer_id,
        "customer_name": order.customer_name,
        "customer_email": order.customer_email,
        "customer_phone": order.customer_phone,
        "fulfilment": order.fulfilment,
        "address": order.address,
        "consumption": order.consumption,
        "due_at": clock.local(order.due_at).isoformat(),
        "deadline_at": clock.local(order.deadline_at).isoformat(),
        "notes": order.notes,
        "items": [_line(line) for line in order.lines],
        "total": f"{order.total:.2f}",
        "vat_total": f"{order.vat_total:.2f}",
        "vat": [_bucket(bucket) for bucket in order.vat_buckets()],
        "paid": f"{order.paid:.2f}",
        "balance": f"{order.balance:.2f}",
        "payment_status": order.payment_status,
        "created_at": clock.local(order.created_at).isoformat(),
        "updated_at": clock.local(order.updated_at).isoformat(),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "product": line.product_id,
        "product_name": line.product_name,
        "unit_price": f"{line.unit_price:.2f}",
        "vat_rate": f"{line.vat_rate:.2f}",
        "quantity": line.quantity,
        "line_total": f"{line.line_total:.2f}",
        "note": line.note,
    }


def _bucket(bucket: VatShare) -> dict[str, str]:
    return {name: f"{getattr(bucket, name):.2f}" for name in ("rate", "net", "vat", "gross")}


class OverrideSerializer(ModelSerializer):
    """Why somebody went over the rules, and over which: the codes of the refusals."""

    rules = serializers.ListField(child=serializers.ChoiceField(OVERRIDABLE))

    class Meta:
        model = Override
        fields = ["reason", "rules"]
        read_only_fields = fields


class OrderEventSerializer(ModelSerializer):
    """A step in an order's life; `changes` says of each field what it was and what it became.

    `override` is for the staff: it is null to everybody else.
    """

    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    vars()["from"] = serializers.CharField(source="came_from", allow_null=True)  # `from` is a word of Python's
    to = serializers.CharField(source="to_status")
    changes = serializers.DictField(child=serializers.ListField())
    override = OverrideSerializer(default=None, allow_null=True)

    class Meta:
        model = OrderEvent
        fields = ["at", "user", "from", "to", "note", "changes", "override"]
        read_only_fields = fields

    def to_representation(self, instance: OrderEvent) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown if self.context["request"].user.is_staff else {**shown, "override": None}


class StepSerializer(ModelSerializer):
    """A step in an order's life without what is between staff and customer."""

    vars()["from"] = serializers.CharField(source="came_from", allow_null=True)
    to = serializers.CharField(source="to_status")

    class Meta:
        model = OrderEvent
        fields = ["at", "from", "to"]
        read_only_fields = fields


class TrackedOrderSerializer(OrderSerializer):
    """What whoever holds the tracking token sees: the order without its account, and the way it went so far."""

    history = StepSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = [name for name in OrderSerializer.Meta.fields if name not in ("customer", "tracking_token")] + [
            "history"
        ]

    def to_representation(self, instance: Order) -> dict[str, Any]:
        shown = super().to_representation(instance)
        del shown["customer"], shown["tracking_token"]
        steps = StepSerializer(instance.history.all(), many=True).data
        return {**shown, "allowed_statuses": [], "history": steps}
