"""Standing orders: how they are changed, and how their dates become orders."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError, NotFound, Problem
from bakery.models import Shop
from orders import tasks
from orders.errors import AlreadyGenerated
from orders.models import (
    MOST_LINES,
    Channel,
    Fulfilment,
    Order,
    SkippedDate,
    StandingDate,
    StandingOrder,
    StandingOrderItem,
)
from orders.services.lines import new_item, set_totals
from orders.services.placing import fill_in, hold_account, set_due
from orders.services.rules import Shortfall, cut_to_fit, deadline_of
from orders.services.storing import insert, with_free_code
from products.models import Place, Product
from products.selectors import terms_on

DETAILS = ("due_time", "fulfilment", "address", "start", "end", "paused")


@transaction.atomic
def create_standing_order(**fields: Any) -> StandingOrder:
    """Make a standing order of `customer` (an id), `items` ({"product", "weekday", "quantity"}), `due_time`, and
    optionally `fulfilment`, `address`, `start` (today), `end`, `paused`, `skipped` (dates).

    Raises DomainError for what is unknown, missing, twice there, or ends before it starts.
    """
    standing = StandingOrder()
    _set(standing, fields)
    standing.save(force_insert=True)
    _replace_parts(standing, fields)
    hold_account(standing.customer_id)
    return standing


@transaction.atomic
def change_standing_order(
    *, standing_id: int, changes: Mapping[str, Any], expected: frozenset[int] | None = None
) -> StandingOrder:
    """Change what `changes` names, as `create_standing_order` takes it; `items` and `skipped` replace what is there.

    Dates that became orders stay as they are. Raises NotFound, Stale, AlreadyGenerated where a date is to be skipped
    that has its order, and what `create_standing_order` raises.
    """
    standing = lock_standing_order(standing_id)
    standing.require_version(expected)
    customer = standing.customer_id
    _set(standing, changes)
    standing.save_version(*DETAILS, "customer")
    _replace_parts(standing, changes)
    if standing.customer_id != customer:
        hold_account(standing.customer_id)
    return standing


@transaction.atomic
def skip_date(*, standing_id: int, date: date, expected: frozenset[int] | None = None) -> StandingOrder:
    """Leave `date` out. Raises NotFound, Stale, AlreadyGenerated where the date has its order."""
    standing = lock_standing_order(standing_id)
    standing.require_version(expected)
    if not standing.skips.filter(date=date).exists():
        SkippedDate.objects.create(standing_order=standing, date=date)
        require_consistent(standing)
        standing.save_version()
    return standing


@transaction.atomic
def remove_standing_order(*, standing_id: int, expected: frozenset[int] | None = None) -> None:
    """Delete a standing order that never came to anything; end one that did: paused, after its last date.

    Raises NotFound, Stale. Orders that were made stay.
    """
    standing = lock_standing_order(standing_id)
    standing.require_version(expected)
    last = standing.dates.aggregate(last=Max("date"))["last"]
    if last is None:
        standing.delete()
        return
    standing.end = max(standing.start, min(standing.end or last, last))
    standing.paused = True
    standing.save_version("end", "paused")


def lock_standing_order(standing_id: int) -> StandingOrder:
    """Return the standing order with its row locked. Raises NotFound."""
    standing = StandingOrder.objects.select_for_update().filter(pk=standing_id).first()
    if standing is None:
        raise NotFound("There is no such standing order.")
    return standing


def require_consistent(standing: StandingOrder) -> None:
    """Check the stored parts, whichever door they came through: raises DomainError where a weekday has more lines
    than an order may have, AlreadyGenerated where a skipped date has its order.
    """
    lines = Counter(standing.items.values_list("weekday", flat=True))
    if max(lines.values(), default=0) > MOST_LINES:
        raise DomainError(f"A weekday has at most {MOST_LINES} lines.", field="items", code="max_length")
    skipped = standing.skips.values("date")
    made = standing.dates.filter(date__in=skipped).exclude(order=None).select_related("order").first()
    if made and made.order:
        raise AlreadyGenerated(f"Order {made.order.code} stands for {made.date}; cancel that.", field="skipped")


def _set(standing: StandingOrder, fields: Mapping[str, Any]) -> None:
    for name in DETAILS:
        setattr(standing, name, fields.get(name, getattr(standing, name)))
    problems = []
    if "customer" in fields:
        standing.customer_id = fields["customer"]
        if not User.objects.filter(pk=fields["customer"]).exists():
            problems.append(Problem("does_not_exist", f"There is no user {fields['customer']}.", "customer"))
    if standing.fulfilment == Fulfilment.DELIVERY and not standing.address:
        problems.append(Problem("required", "A delivery needs an address.", "address"))
    if standing.end and standing.end < standing.start:
        problems.append(Problem("min_value", "It must not end before it starts.", "end"))
    problems += _bad_lines(fields.get("items", []))
    if problems:
        raise DomainError.of(problems)


def _bad_lines(lines: list[dict[str, Any]]) -> list[Problem]:
    known = set(Product.objects.filter(pk__in={line["product"] for line in lines}).values_list("pk", flat=True))
    seen, problems = set(), []
    for index, line in enumerate(lines):
        if line["product"] not in known:
            message = f"There is no product {line['product']}."
            problems.append(Problem("does_not_exist", message, f"items.{index}.product"))
        key = line["product"], line["weekday"]
        if key in seen:
            problems.append(Problem("unique", "The weekday has this product already.", f"items.{index}.product"))
        seen.add(key)
    return problems


def _replace_parts(standing: StandingOrder, fields: Mapping[str, Any]) -> None:
    if "items" in fields:
        standing.items.all().delete()
        StandingOrderItem.objects.bulk_create(
            StandingOrderItem(
                standing_order=standing,
                product_id=line["product"],
                weekday=line["weekday"],
                quantity=line["quantity"],
            )
            for line in fields["items"]
        )
    if "skipped" in fields:
        standing.skips.all().delete()
        SkippedDate.objects.bulk_create(
            SkippedDate(standing_order=standing, date=day) for day in sorted(set(fields["skipped"]))
        )
    require_consistent(standing)


def generate(now: datetime) -> int:
    """Make the orders of every standing order for the shop's days ahead; return how many were made.

    However often it runs and however many run it at once, a date becomes one order: the template is locked, and the
    row that notes the date is written in the transaction of the order.
    """
    today = clock.shop_day(now)
    days = [today + timedelta(days=step) for step in range(Shop.get().standing_days_ahead + 1)]
    done = set(StandingDate.objects.filter(date__range=(days[0], days[-1])).values_list("standing_order_id", "date"))
    made = 0
    for standing in StandingOrder.objects.running(days[0], days[-1]).with_parts():
        weekdays = {item.weekday for item in standing.items.all()}
        skipped = {skip.date for skip in standing.skips.all()}
        for day in days:
            due = standing.covers(day) and day.isoweekday() in weekdays and day not in skipped
            if due and (standing.pk, day) not in done:
                made += _generate_date(standing.pk, day, now)
    return made


def _generate_date(standing_id: int, day: date, now: datetime) -> bool:
    """Make the order of one date, or note why there is none; return whether one was made."""
    order = Order(channel=Channel.STANDING, consumption=Place.TAKEAWAY)
    try:
        with_free_code(order, partial(_materialise, order, standing_id, day, now))
    except DomainError as refusal:
        row = StandingDate(standing_order_id=standing_id, date=day, reason=refusal.message[:500], created_at=now)
        StandingDate.objects.bulk_create([row], ignore_conflicts=True)
    return order.pk is not None


@transaction.atomic
def _materialise(order: Order, standing_id: int, day: date, now: datetime) -> Order:
    standing = StandingOrder.objects.select_for_update().filter(pk=standing_id).first()
    if standing is None or not _is_due(standing, day):
        return order
    terms = terms_on(clock.shop_day(now), order.consumption)
    wanted = list(standing.items.filter(weekday=day.isoweekday()).select_related("product"))
    products = {item.product_id: item.product for item in wanted}
    _address(order, standing, day)
    items = [new_item({"quantity": item.quantity}, item.product, terms) for item in wanted]
    items, lacking = cut_to_fit(order, items, products, now=now)
    if items:
        order.deadline_at = deadline_of(order, (products[item.product_id] for item in items))
        set_totals(order, items)
        insert(order, items, actor=None, now=now)
    _note(order, standing, day, lacking, now)
    return order


def _is_due(standing: StandingOrder, day: date) -> bool:
    """Whether the date still wants its order, now that the template is locked."""
    return (
        standing.covers(day)
        and not standing.skips.filter(date=day).exists()
        and not standing.dates.filter(date=day).exists()
        and standing.items.filter(weekday=day.isoweekday()).exists()
    )


def _address(order: Order, standing: StandingOrder, day: date) -> None:
    """Say whose order it is, where it goes and when.

    Of a wall time that comes twice on that day the first is meant; one that the clock leaves out is as much later.
    """
    order.customer = standing.customer
    order.fulfilment, order.address = standing.fulfilment, standing.address
    order.due_at = datetime.combine(day, standing.due_time, tzinfo=clock.shop_zone()).astimezone(UTC)
    set_due(order)
    fill_in(order)


def _note(order: Order, standing: StandingOrder, day: date, lacking: list[Shortfall], now: datetime) -> None:
    row = StandingDate.objects.create(
        standing_order=standing,
        date=day,
        order=order if order.pk else None,
        reason="" if order.pk else "Nothing of it can be had.",
        shortfall=[shortfall._asdict() for shortfall in lacking],
        created_at=now,
    )
    if lacking:
        tasks.tell_shortfall.enqueue(row.pk)
