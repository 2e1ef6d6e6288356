"""The waiting list: what is sold out, and given to the next in line once it is free."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from functools import partial

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError, NotFound
from orders import selectors
from orders.errors import AlreadyGenerated, MaximumExceeded, NotSoldOut, ProductUnavailable, TooLate
from orders.models import MOST_PIECES, Channel, NoticeKind, Order, OrderItem, Wish
from orders.services import notices
from orders.services.lines import new_item, set_totals
from orders.services.placing import customer_of, fill_in, hold_account, set_due
from orders.services.rules import cut_to_fit, deadline_of, lock_capacity
from orders.services.storing import insert, with_free_code
from products.models import Place, Product
from products.selectors import terms_on

# So many of a day are looked through when something is freed; nobody waits for more.
MOST_WISHES = 1000


@transaction.atomic
def wait_for(
    *,
    actor: User | None,
    product: int,
    date: date,
    quantity: int,
    due_time: time | None = None,
    customer: int | None = None,
    customer_name: str = "",
    customer_email: str = "",
    customer_phone: str = "",
    now: datetime | None = None,
) -> Wish:
    """Put somebody on the waiting list; without `due_time` they come when the shop closes that day.

    `actor` None is a guest, who must leave an e-mail address; staff say for whom it is. Raises NotSoldOut where it
    can be ordered, ProductUnavailable, TooLate, MaximumExceeded, ShopClosed where waiting is in vain, DomainError for
    an unknown product or a missing address, AlreadyExists (by the database) for who waits already.
    """
    now = now or clock.now()
    if not Product.objects.filter(pk=product).exists():
        raise DomainError(f"There is no product {product}.", field="product", code="does_not_exist")
    wish = Wish(
        customer=customer_of(actor, customer), customer_name=customer_name, customer_email=customer_email,
        customer_phone=customer_phone, product_id=product, date=date, quantity=quantity,
        due_time=due_time or selectors.closing_time(date), created_at=now,
    )  # fmt: skip
    if wish.customer is None and not wish.customer_email:
        raise DomainError("Leave an e-mail address.", field="customer_email", code="required")
    # Whoever frees something takes the same lock before they look who waits.
    known = lock_capacity([product])
    _, reason = _try(wish, known, now)
    if reason == "":
        raise NotSoldOut("It is not sold out: order it.", field="quantity")
    if reason == "not_baked":
        raise ProductUnavailable(f"It is not sold on {date}.", field="product")
    if reason == "too_late":
        raise TooLate("Its lead time is over.", field="date")
    if reason == "over_maximum":
        raise MaximumExceeded(f"One order may hold at most {known[product].max_per_order} of it.", field="quantity")
    hold_account(wish.customer_id)
    wish.save(force_insert=True)
    return wish


@transaction.atomic
def stop_waiting(*, wish_id: int) -> None:
    """Take a wish off the list. Raises NotFound, AlreadyGenerated where it has become an order."""
    wish = Wish.objects.select_for_update().filter(pk=wish_id).first()
    if wish is None:
        raise NotFound("There is no such wish.")
    if wish.order_id:
        raise AlreadyGenerated("It has become an order; cancel that.")
    wish.delete()


@transaction.atomic
def serve(*, day: date, products: Collection[int], now: datetime) -> list[Order]:
    """Give what is left of `products` (ids), and of what shares their capacity, on `day` to those who wait for it.

    The longest waiting first; whose wish does not fit stays on the list. Call it in the transaction that frees
    something; no capacity may be locked by then but by `lock_capacity`.
    """
    if day < clock.shop_day(now):
        return []
    known = lock_capacity(products)
    waiting = Wish.objects.waiting().filter(date=day, product__in=known).locked()
    orders = []
    for wish in list(waiting.select_related("customer")[:MOST_WISHES]):
        order = _give(wish, known, now)
        if order is not None:
            orders.append(order)
    return orders


def serve_all(now: datetime) -> None:
    """Serve the days of which more is left than was, as after a higher capacity; forget the days that are over."""
    today = clock.shop_day(now)
    over = Wish.objects.over(today)
    if over.exists():
        with transaction.atomic():
            list(over.locked())
            over.delete()
    days: dict[date, set[int]] = {}
    for day, product in Wish.objects.waiting().order_by("date").values_list("date", "product")[:MOST_WISHES]:
        days.setdefault(day, set()).add(product)
    for day, products in days.items():
        left = selectors.availability(day, day, now=now, products=sorted(products))
        free = [row.product for row in left if row.reason == ""]
        if free and _may_be_served(day, {row.product: row.available for row in left if row.reason == ""}):
            serve(day=day, products=free, now=now)


def _may_be_served(day: date, left: dict[int, int | None]) -> bool:
    fits = Q(pk=None)
    for product, pieces in left.items():
        fits |= Q(product=product, quantity__lte=MOST_PIECES if pieces is None else pieces)
    return Wish.objects.waiting().filter(fits, date=day).exists()


def _give(wish: Wish, products: dict[int, Product], now: datetime) -> Order | None:
    try:
        order, reason = _try(wish, products, now)
    except DomainError:
        return None  # closed in the meantime, or too late: nothing to be had for this one
    if reason:
        return None
    with_free_code(order, partial(_place, order, wish, products, now))
    return order


def _try(wish: Wish, products: dict[int, Product], now: datetime) -> tuple[Order, str]:
    """Return the order that the wish would become, and why it cannot be had ("" where it can).

    Raises TooLate, ShopClosed.
    """
    order = Order(
        channel=Channel.WEB, customer=wish.customer, customer_name=wish.customer_name,
        customer_email=wish.customer_email, customer_phone=wish.customer_phone, consumption=Place.TAKEAWAY,
        due_at=datetime.combine(wish.date, wish.due_time, tzinfo=clock.shop_zone()).astimezone(UTC),
    )  # fmt: skip
    set_due(order)
    line = OrderItem(product_id=wish.product_id, quantity=wish.quantity)
    _, lacking = cut_to_fit(order, [line], {wish.product_id: products[wish.product_id]}, now=now)
    return order, lacking[0].reason if lacking else ""


@transaction.atomic
def _place(order: Order, wish: Wish, products: dict[int, Product], now: datetime) -> Order:
    product = products[wish.product_id]
    fill_in(order)
    order.customer_name = order.customer_name or order.customer_email
    item = new_item({"quantity": wish.quantity}, product, terms_on(clock.shop_day(now), order.consumption))
    order.deadline_at = deadline_of(order, [product])
    set_totals(order, [item])
    insert(order, [item], actor=None, now=now, note="From the waiting list")
    wish.order = order
    wish.save(update_fields=["order"])
    notices.owe(order, NoticeKind.WAITED)
    return order
