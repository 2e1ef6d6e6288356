"""What a baking list shows: the plan as it is stored, beside the orders as they are now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Max, Q

from bakery.errors import DomainError, NotFound
from bakery.models import Closure
from bakery.queries import KeptQuery
from orders.selectors import demand_on
from production.models import BakingItem, BakingPlan, CounterSource, Draft, ListedProduct, PlanEdition
from products.models import Product, ProductTarget

PREVIEW = "preview"

_PLAN = KeptQuery(lambda day: BakingPlan.objects.on(day).order_by())
_TARGETS: KeptQuery[tuple[int, int]] = KeptQuery(
    lambda day, weekday: (
        ProductTarget.objects.filter(~Exists(Closure.objects.covering(day)), weekday=weekday, quantity__gt=0)
        .order_by()
        .values_list("product_id", "quantity")
    )
)
_LISTED: KeptQuery[tuple[Any, ...]] = KeptQuery(
    lambda pks: (
        Product.objects.filter(pk__in=pks, is_baked=True)
        .order_by()
        .values_list("pk", "name", "batch_size", "category__slug", "category__position", "category__name")
    )
)


@dataclass(frozen=True)
class BakingList:
    """The list of one day: of the plan, or else a preview of the plan that could be made now."""

    date: date
    items: Sequence[BakingItem | Draft]
    plan: BakingPlan | None = None

    @property
    def id(self) -> int | None:
        return self.plan.pk if self.plan else None

    @property
    def status(self) -> str:
        return self.plan.status if self.plan else PREVIEW

    @property
    def edition(self) -> int | None:
        return self.plan.edition if self.plan else None

    @property
    def notes(self) -> str:
        return self.plan.notes if self.plan else ""

    @property
    def totals(self) -> dict[str, int]:
        """Pieces over all products."""
        return {
            "ordered": sum(item.ordered for item in self.items),
            "planned": sum(item.planned for item in self.items),
            "produced": sum(item.produced for item in self.items),
        }


class Change(NamedTuple):
    """A product whose planned pieces differ from those of an earlier edition."""

    product: int
    product_name: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before


def baking_list(day: date) -> BakingList:
    """Return the list of `day`. It costs the same few queries whatever stands on it."""
    for plan in _PLAN(day=day):
        return BakingList(day, _items_beside_orders(plan), plan)
    items = draft(day)
    for item in items:
        item.ordered = item.planned_for
    return BakingList(day, items)


def draft(day: date) -> list[Draft]:
    """Return the items that a plan made now would hold, not stored: orders and targets, in whole batches."""
    demand, targets = demand_on(day), _targets_on(day)
    items = []
    for product in listed(demand.keys() | targets.keys()):
        item = Draft(product, planned_for=demand.get(product.id, 0), counter=targets.get(product.id, 0))
        item.counter_source = CounterSource.TARGET if item.counter else CounterSource.NONE
        item.plan_whole_batches()
        items.append(item)
    return items


def _items_beside_orders(plan: BakingPlan) -> list[BakingItem | Draft]:
    """The stored items, and one for each product that was ordered only after planning."""
    demand = demand_on(plan.date)
    stored = {item.product_id: item for item in plan.items.order_by().select_related("assigned_to")}
    items: list[BakingItem | Draft] = []
    for product in listed(demand.keys() | stored.keys()):
        item = stored.get(product.id) or Draft(product)
        item.listed, item.ordered = product, demand.get(product.id, 0)
        items.append(item)
    return items


def _targets_on(day: date) -> dict[int, int]:
    """What the counter should have of products that are sold on `day`; nothing while the shop is closed."""
    targets = dict(_TARGETS(day=day, weekday=day.isoweekday()))
    if not targets:
        return targets
    sold = Product.objects.available_on(day).filter(pk__in=targets).order_by()
    return {pk: targets[pk] for pk in sold.values_list("pk", flat=True)}


def listed(product_ids: Iterable[int]) -> list[ListedProduct]:
    """Those of the products that are baked, in the order of the list: by category, then by name."""
    found = [ListedProduct._make(values) for values in _LISTED(pks=list(product_ids))]
    return sorted(found, key=lambda p: (p.category_position, p.category_name, p.name.casefold(), p.id))


def require_plan(day: date) -> BakingPlan:
    """Return the plan of `day`; raise NotFound while there is only a preview."""
    plan = BakingPlan.objects.on(day).first()
    if plan is None:
        raise NotFound(f"Nothing is planned for {day} yet.")
    return plan


def changes_since(*, day: date, edition: int) -> list[Change]:
    """Return what is planned otherwise now than in `edition`. Raises NotFound without a plan, or a 400 on `since`."""
    plan = require_plan(day)
    then = plan.editions.filter(number=edition).first()
    if then is None:
        raise DomainError(f"There are the versions 1 to {plan.edition}.", field="since")
    before = {int(product_id): pieces for product_id, pieces in then.quantities.items()}
    after = dict(plan.items.values_list("product_id", "planned"))
    differing = [pk for pk in before.keys() | after.keys() if before.get(pk, 0) != after.get(pk, 0)]
    return [Change(p.id, p.name, before.get(p.id, 0), after.get(p.id, 0)) for p in listed(differing)]


def checks() -> Iterator[str]:
    """Yield a line for each figure of a baking list that does not follow from the others."""
    adds_up = Q(planned=F("planned_for") + F("counter") - F("carried_over") + F("rounding"))
    for item in BakingItem.objects.exclude(adds_up).select_related("plan", "product"):
        parts = item.needed + item.rounding
        yield f"baking list {item.plan}: {item.product} is planned {item.planned}, but its parts make {parts}"
    plans = BakingPlan.objects.annotate(kept=Count("editions"), last=Max("editions__number"))
    gaps = plans.exclude(kept=F("edition"), last=F("edition")).values_list("date", "edition", "kept")
    for day, edition, kept in gaps:
        yield f"baking list {day}: is at version {edition}, but {kept} are kept"
    for latest in PlanEdition.objects.filter(number=F("plan__edition")).select_related("plan").iterator():
        # A person may set figures between two editions; all others change with an edition only.
        items = latest.plan.items.exclude(counter_source=CounterSource.MANUAL).values_list("product_id", "planned")
        for product_id, planned in items:
            if planned != latest.quantities.get(str(product_id), 0):
                yield f"baking list {latest.plan}: version {latest.number} says otherwise of product {product_id}"
