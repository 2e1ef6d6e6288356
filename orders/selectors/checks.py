"""What must hold of all orders, looked at from the outside: for `manage.py doctor`."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import DecimalField, Exists, F, Max, OuterRef, Prefetch, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Round

from bakery import clock
from bakery.db import to_cents
from orders.errors import CapacityExceeded
from orders.models import Order, OrderEvent, OrderItem, Override, Payment, PaymentKind, vat_buckets
from orders.selectors.demand import taken_between
from products.models import CapacityGroup, CapacityOverride, Product, contained_vat

NOTHING = Value(Decimal(0), output_field=DecimalField(max_digits=10, decimal_places=2))


def checks() -> list[str]:
    """Return a line for each thing that is derived and does not follow from what it is derived of."""
    return [*_totals(), *_vat(), *_paid(), *_entries(), *_booked(), *_statuses(), *_capacity()]


def _totals() -> Iterator[str]:
    sums = Order.objects.annotate(gross=_rounded("items__line_total"), vat=_rounded("items__vat_amount"))
    adrift = sums.exclude(total=F("gross"), vat_total=F("vat"))
    for code, total, vat_total, gross, vat in adrift.values_list("code", "total", "vat_total", "gross", "vat"):
        yield f"Order {code}: {total} with {vat_total} of VAT, but its lines come to {gross:.2f} with {vat:.2f}."


def _vat() -> Iterator[str]:
    buckets = OrderItem.objects.values_list("order__code", "vat_rate").annotate(Sum("line_total"), Sum("vat_amount"))
    for code, rate, gross, vat in buckets.order_by().iterator():
        due = contained_vat(to_cents(gross), rate)
        if to_cents(vat) != due:
            yield f"Order {code}: the lines at {rate} % hold {to_cents(vat)} of VAT instead of {due}."


def _paid() -> Iterator[str]:
    """Tickets of another till were paid there."""
    sums = Order.objects.filter(external_reference="").annotate(
        took=_rounded("payments__amount", Q(payments__kind=PaymentKind.PAYMENT)),
        gave=_rounded("payments__amount", Q(payments__kind=PaymentKind.REFUND)),
        rest=Round(F("took") - F("gave"), 2),
    )
    adrift = sums.exclude(paid=F("rest"), refunded=F("gave"))
    for code, paid, refunded, took, gave in adrift.values_list("code", "paid", "refunded", "took", "gave"):
        yield f"Order {code}: {paid} paid, {refunded} given back, but payments of {took:.2f} and refunds of {gave:.2f}."


def _entries() -> Iterator[str]:
    """Each payment stands in the cash book: the same amount and method, its order's name, and not taken back."""
    for payment in Payment.objects.select_related("order", "cash_entry__reversed_by").iterator():
        entry = payment.cash_entry
        booked = (entry.type, entry.amount, entry.method, entry.reference)
        if booked != (payment.entry_type, payment.amount, payment.method, payment.order.reference):
            told = f"{entry} by {entry.method} for {entry.reference or 'nothing'}"
            yield f"Order {payment.order.code}: the {payment} by {payment.method} is entry {told} in the cash book."
        if hasattr(entry, "reversed_by"):
            undone = f"entry {entry}, which entry {entry.reversed_by} reverses"
            yield f"Order {payment.order.code}: the {payment} is {undone}."


def _booked() -> Iterator[str]:
    """What a paid order contains at each rate is what its payments were booked with, where all of them tell it."""
    paid = Order.objects.filter(external_reference="", total__gt=0, paid=F("total")).order_by("pk")
    payments = Payment.objects.select_related("cash_entry")
    for order in paid.prefetch_related("items", Prefetch("payments", payments)).iterator(chunk_size=1000):
        due = {bucket.rate: bucket.gross for bucket in vat_buckets(order.items.all()) if bucket.gross}
        sums = defaultdict[Decimal, Decimal](Decimal)
        for payment in order.payments.all():
            for share in payment.cash_entry.vat_shares:
                sums[share.rate] += -share.gross if payment.kind == PaymentKind.REFUND else share.gross
        booked = {rate: gross for rate, gross in sums.items() if gross}
        if sum(booked.values()) == order.paid and booked != due:
            yield f"Order {order.code}: it holds {_told(due)}, but {_told(booked)} are booked."


def _told(gross: dict[Decimal, Decimal]) -> str:
    return " and ".join(f"{gross[rate]} at {rate} %" for rate in sorted(gross))


def _statuses() -> Iterator[str]:
    last = OrderEvent.objects.filter(order=OuterRef("pk")).order_by("-pk").values("to_status")[:1]
    adrift = Order.objects.annotate(told=Coalesce(Subquery(last), Value("nothing"))).exclude(status=F("told"))
    for code, status, told in adrift.values_list("code", "status", "told"):
        yield f"Order {code} is {status}, but its history ends with {told}."


def _capacity() -> Iterator[str]:
    """From today on no day is sold beyond its capacity, but where somebody went over it with a reason."""
    today = clock.today()
    last = Order.objects.aggregate(last=Max("due_on"))["last"] or today
    overrides = CapacityOverride.objects.filter(day__gte=today)
    limits = {(row.day, row.product_id, row.group_id): row.capacity for row in overrides}
    pieces = dict(Product.objects.exclude(daily_capacity=None).values_list("pk", "daily_capacity"))
    units = dict(CapacityGroup.objects.values_list("pk", "daily_capacity"))
    named = {product for _, product, _ in limits if product}
    taken = taken_between(today, max(today, last), products=pieces.keys() | named, groups=units)
    gone_over = Override.objects.filter(event__order__due_on__gte=today).values_list("event__order", "rules")
    ids = {order for order, rules in gone_over if CapacityExceeded.code in rules}
    # Those with a reason and no `Override` were placed before it was kept which rules were gone over.
    of_old = ~Q(override_reason="") & ~Exists(Override.objects.filter(event__order=OuterRef("pk")))
    on_purpose = Order.objects.holding_capacity().filter(Q(pk__in=ids) | Q(of_old, due_on__gte=today))
    excused = set(on_purpose.values_list("due_on", "items__product"))
    excused_groups = set(on_purpose.values_list("due_on", "items__product__capacity_group"))
    for (day, pk), count in taken.pieces.items():
        limit = limits.get((day, pk, None), pieces.get(pk))
        if limit is not None and count > limit and (day, pk) not in excused:
            yield f"{day}: {count} of product {pk} are ordered, and {limit} can be made."
    for (day, group), count in taken.units.items():
        limit = limits.get((day, None, group), units.get(group))
        if limit is not None and count > limit and (day, group) not in excused_groups:
            yield f"{day}: {count} units of capacity group {group} are taken, and there are {limit}."


def _rounded(path: str, only: Q | None = None) -> Round:
    """A sum in whole cents: SQLite adds up floating-point numbers."""
    return Round(Coalesce(Sum(path, filter=only), NOTHING), 2)
