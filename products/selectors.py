"""What is read of the catalogue by more than one door."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.core.files.storage import default_storage
from django.db.models import F, OuterRef, Q, Subquery, Value, Window
from django.db.models.functions import Lag

from bakery import clock
from bakery.models import Revision
from bakery.queries import KeptQuery
from products import indexing, pictures
from products.models import (
    CATALOGUE,
    STANDARD,
    Place,
    PriceChange,
    Product,
    ProductTarget,
    VatClass,
    VatRate,
)

NOTHING = Decimal("0.00")
MOST_SPANS = 500

_CLASSES: KeptQuery[int] = KeptQuery(lambda: VatClass.objects.order_by("pk").values_list("pk", flat=True))
_RATES: KeptQuery[tuple[int, Decimal]] = KeptQuery(
    lambda day, place: (
        VatRate.objects.filter(place=place, valid_from__lte=day).order_by("valid_from").values_list("vat_class", "rate")
    )
)


def rates_on(day: date, place: Place | str) -> dict[int, Decimal]:
    """Return the rate of each VAT class, by its id, that holds on `day` at `place`; 0.00 where there is none."""
    # The later of two stands last, and counts.
    return {**dict.fromkeys(_CLASSES(), NOTHING), **dict(_RATES(day=day, place=str(place)))}


class Terms(NamedTuple):
    """What holds for a sale: the rate of each VAT class, and the prices that their products do not have yet, by id."""

    rates: dict[int, Decimal]
    due_prices: dict[int, Decimal]

    def price_of(self, product: Product) -> Decimal:
        return self.due_prices.get(product.pk, product.price)

    def rate_of(self, product: Product) -> Decimal:
        return self.rates[product.vat_class_id]


def terms_on(day: date, place: Place | str) -> Terms:
    """Return the terms of `day` at `place`. Read them before the products, or with those locked.

    Whoever sells need not wait until the prices of the day are written; three queries, four while they are not.
    """
    due_prices: dict[int, Decimal] = {}
    if Revision.objects.current(CATALOGUE).is_over(day):
        due = PriceChange.objects.to_come().filter(valid_from__lte=day).order_by("valid_from")
        due_prices = dict(due.values_list("product", "price"))
    return Terms(rates_on(day, place), due_prices)


def targets_of(product_id: int) -> dict[int, int]:
    """Return how many of a product the shop means to sell over the counter, by ISO weekday."""
    return dict(ProductTarget.objects.filter(product=product_id).values_list("weekday", "quantity"))


class PriceSpan(NamedTuple):
    """A price, and the instants from which and until which it holds; a planned one has the `id` of its plan."""

    price: Decimal
    since: datetime
    user: str | None
    id: int | None
    valid_from: date | None
    state: str
    until: datetime | None = None


def prices_of(product: Product) -> list[PriceSpan]:
    """Return the prices that a product had, the one it has, and those to come, oldest first.

    Whatever set it counts: the API, the admin, an import, a plan. Of those that it had, at most the newest MOST_SPANS.
    Two queries.
    """
    spans = [*_spans_until_now(product), *_spans_to_come(product)]
    ends = [*(span.since for span in spans[1:]), None]
    return [span._replace(until=end) for span, end in zip(spans, ends, strict=True)]


def _spans_until_now(product: Product) -> list[PriceSpan]:
    """Return the changes of the price that the history of the product shows; other changes of it do not count."""
    plan = product.price_changes.filter(effective_at=OuterRef("history_date"), price=OuterRef("price"))
    before = Window(Lag("price"), order_by=[F("history_date").asc(), F("history_id").asc()])
    rows = (
        Product.history.filter(id=product.pk)
        .annotate(before=before, plan=Subquery(plan.values("pk")), valid_from=Subquery(plan.values("valid_from")))
        .filter(Q(before=None) | ~Q(before=F("price")) | Q(plan__gt=0))
        .order_by("-history_date", "-history_id")
        .values_list("price", "history_date", "history_user__username", "plan", "valid_from", Value("past"))
    )
    spans = [PriceSpan(*row) for row in rows[:MOST_SPANS]][::-1]
    if not spans or spans[-1].price != product.price:  # it came by a fixture, which writes no history
        spans.append(PriceSpan(product.price, product.updated_at, None, None, None, ""))
    return [*spans[:-1], spans[-1]._replace(state="current")]


def _spans_to_come(product: Product) -> list[PriceSpan]:
    rows = product.price_changes.to_come().values_list("price", "user__username", "pk", "valid_from")
    return [PriceSpan(price, clock.start_of(day), user, pk, day, "to_come") for price, user, pk, day in rows]


def checks() -> list[str]:
    """Return a line for each thing in the catalogue that is not as the rules want it."""
    return [*_missing_pictures(), *_missing_class(), *_prices_forgotten(), *indexing.drifts()]


def _missing_pictures() -> list[str]:
    there = pictures.stored()
    return [
        f"The picture {file} of {name} is not there."
        for name, image, width in Product.objects.exclude(image="").values_list("name", "image", "image_width")
        for file in sorted({image, *(pictures.sizes(image, width).values() if width else ())})
        if file not in there and not default_storage.exists(file)
    ]


def asides() -> list[str]:
    """Return what whoever looks after the shop may want to know of the catalogue, though nothing is wrong."""
    named = set()
    for image in Product.objects.exclude(image="").values_list("image", flat=True):
        named |= {image, *(pictures.thumbnail(image, width) for width in pictures.WIDTHS)}
    left = sorted(pictures.stored() - named)
    if not left:
        return []
    told = f"{len(left)} files that no product names, such as {left[0]}"
    return [f"pictures: {told}; those older than a day can be deleted"]


def _missing_class() -> list[str]:
    there = VatClass.objects.filter(slug=STANDARD).exists()
    return [] if there else [f"There is no VAT class {STANDARD}, which new products take."]


def _prices_forgotten() -> list[str]:
    first = PriceChange.objects.to_come().order_by("valid_from").values_list("valid_from", flat=True).first()
    noted = Revision.objects.current(CATALOGUE).changes_on
    # Too early a note costs one look; too late a one, and the price does not come.
    late = first is not None and (noted is None or noted > first)
    return [f"The prices of {first} would not come into force; plan one of them anew."] if late else []
