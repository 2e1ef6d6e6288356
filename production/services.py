"""Everything that changes a baking list. Each takes the row of the plan first: it guards the items as well."""

from collections.abc import Iterable
from datetime import date
from typing import TypedDict

from django.db import transaction
from django.db.models import Q

from accounts.models import Role, User
from bakery import clock
from bakery.errors import DomainError, NotAllowed, NotFound, Problem
from orders.selectors import demand_on
from production.errors import AlreadyBaked, IllegalTransition, NotBaked
from production.models import BakingItem, BakingPlan, CounterSource, Draft, ListedProduct, PlanStatus
from production.selectors import draft, listed
from products.models import Product

_PLANNING, _RECORDING = "production.change_bakingplan", "production.record_production"
PERMISSION_TO_CHANGE = {
    "counter": _PLANNING,
    "planned": _PLANNING,
    "assigned_to": _PLANNING,
    "produced": _RECORDING,
    "wasted": _RECORDING,
    "status": _RECORDING,
}


class ItemChanges(TypedDict, total=False):
    """What may be changed of an item; what is left out stays. `assigned_to` is the id of a member of staff."""

    counter: int
    planned: int
    produced: int
    wasted: int
    status: str
    assigned_to: int | None


@transaction.atomic
def plan_day(*, day: date, includes_forecast: bool = False, notes: str = "", actor: User) -> BakingPlan:
    """Store what the preview of `day` shows. A second plan for the day hits the unique date (already_exists).

    While no forecast is made, the counter goes by the targets, and each item says so.
    """
    plan = BakingPlan.objects.create(date=day, includes_forecast=includes_forecast, notes=notes, planned_by=actor)
    _store(plan, draft(day))
    _keep_edition(plan, actor)
    return plan


@transaction.atomic
def refresh_plan(*, day: date, actor: User, expected: frozenset[int] | None = None) -> BakingPlan:
    """Plan the orders of now as the next edition.

    A counter that a person set stays, and the orders are planned on top of it; a `planned` that a person set stays
    as well, so that what it lacks goes on to show as shortfall.
    Raises NotFound, Stale, IllegalTransition (the list is done).
    """
    plan = _lock(day, expected)
    if plan.status == PlanStatus.DONE:
        raise IllegalTransition(plan.status, PlanStatus.PLANNED, ())
    wanted = {item.product_id: item for item in draft(day)}
    stored = list(plan.items.order_by("pk"))
    for item in stored:
        _replan(item, wanted.pop(item.product_id, None))
    BakingItem.objects.bulk_update(
        stored, ["planned_for", "counter", "counter_source", "rounding", "planned", "batch_size"]
    )
    _store(plan, wanted.values())
    plan.edition += 1
    plan.save_version("edition")
    _keep_edition(plan, actor)
    return plan


def _replan(item: BakingItem, wanted: Draft | None) -> None:
    """Give a stored item the figures of `wanted`, or none where nobody wants it any more, but for a person's."""
    item.planned_for = wanted.planned_for if wanted else 0
    item.batch_size = wanted.batch_size if wanted else item.batch_size
    if item.is_planned_by_hand:
        item.plan_exactly(item.planned)
        return
    if item.counter_source != CounterSource.MANUAL:
        item.counter = wanted.counter if wanted else 0
        item.counter_source = wanted.counter_source if wanted else CounterSource.NONE
    item.plan_whole_batches()


@transaction.atomic
def change_item(
    *,
    day: date,
    product_id: int,
    changes: ItemChanges,
    actor: User,
    expected: frozenset[int] | None = None,
) -> BakingItem:
    """Change what `changes` names of a product of the list; a product that is not on it yet is added.

    `counter` becomes a person's figure and is planned in whole batches; `planned` is taken as it is, and what it
    exceeds the orders by becomes the counter's. With both, the rounding takes up the difference.
    Raises NotFound, Stale, NotAllowed, NotBaked, or DomainError on `assigned_to`.
    """
    plan = _lock(day, expected)
    _require_permission(changes, actor)
    product = _baked_product(product_id)
    demand = demand_on(day).get(product.id, 0)
    # Who plans a product now knows its orders of now; who only records what came out of the oven plans nothing.
    known = demand if changes.keys() & {"counter", "planned"} else 0
    item = plan.items.filter(product=product.id).first() or Draft(product, planned_for=known).in_plan(plan)
    item.plan, item.listed, item.ordered = plan, product, demand
    if changes or item.pk is None:
        _apply(changes, item)
        item.save()
        plan.save_version()
    return item


def _apply(changes: ItemChanges, item: BakingItem) -> None:
    if "counter" in changes:
        item.counter, item.counter_source = changes["counter"], CounterSource.MANUAL
        item.is_planned_by_hand = False
        item.plan_whole_batches()
    if "planned" in changes:
        pieces = changes["planned"]
        if "counter" not in changes:
            item.counter = max(0, pieces - item.planned_for + item.carried_over)
        item.counter_source = CounterSource.MANUAL
        item.is_planned_by_hand = True
        item.plan_exactly(pieces)
    if "assigned_to" in changes:
        item.assigned_to = _member_of_staff(changes["assigned_to"])
    item.produced = changes.get("produced", item.produced)
    item.wasted = changes.get("wasted", item.wasted)
    item.status = changes.get("status", item.status)


@transaction.atomic
def move_plan(*, day: date, to: str, expected: frozenset[int] | None = None) -> BakingPlan:
    """Take a list a step along: planned, in progress, done. The status that it has changes nothing.

    Raises NotFound, Stale, IllegalTransition.
    """
    plan = _lock(day, expected)
    if plan.status == to:
        return plan
    if to not in plan.NEXT[plan.status]:
        raise IllegalTransition(plan.status, to, plan.NEXT[plan.status])
    plan.status = to
    plan.save_version("status")
    return plan


@transaction.atomic
def discard_plan(*, day: date, expected: frozenset[int] | None = None) -> None:
    """Take a plan back, so that the day shows a preview again. Raises NotFound, Stale, AlreadyBaked."""
    plan = _lock(day, expected)
    baked = plan.items.filter(Q(produced__gt=0) | Q(wasted__gt=0)).select_related("product").first()
    if baked is not None:
        raise AlreadyBaked(f"The list of {day} tells already what was baked: {baked.product}.")
    plan.delete()


def _lock(day: date, expected: frozenset[int] | None) -> BakingPlan:
    plans = list(BakingPlan.objects.on(day).select_for_update())
    if not plans:
        raise NotFound(f"Nothing is planned for {day} yet.")
    plans[0].require_version(expected)
    return plans[0]


def _require_permission(changes: ItemChanges, actor: User) -> None:
    refused = [name for name in changes if not actor.has_perm(PERMISSION_TO_CHANGE[name])]
    if refused:
        problems = [Problem(NotAllowed.code, f"You may not change {name}.", name) for name in refused]
        raise NotAllowed.of(problems)


def _baked_product(product_id: int) -> ListedProduct:
    for product in listed([product_id]):
        return product
    for sold in Product.objects.filter(pk=product_id):
        raise NotBaked(f"{sold} is sold, but not baked.")
    raise NotFound("There is no such product.")


def _member_of_staff(user_id: int | None) -> User | None:
    if user_id is None:
        return None
    user = User.objects.filter(pk=user_id, is_active=True).exclude(role=Role.CUSTOMER).first()
    if user is None:
        raise DomainError("There is no such member of staff.", field="assigned_to", code="does_not_exist")
    return user


def _store(plan: BakingPlan, drafts: Iterable[Draft]) -> None:
    BakingItem.objects.bulk_create(draft.in_plan(plan) for draft in drafts)


def _keep_edition(plan: BakingPlan, actor: User) -> None:
    """Keep what the paper on the wall says from now on."""
    quantities = {str(pk): planned for pk, planned in plan.items.values_list("product_id", "planned")}
    plan.editions.create(number=plan.edition, at=clock.now(), user=actor, quantities=quantities)
