"""What the doctor finds on baking lists."""

import pytest
from django.db import IntegrityError, transaction

from production import services
from production.models import BakingItem, BakingPlan, PlanEdition
from production.selectors import checks
from production.tests.factories import DAY, make_demand, make_plan
from products.tests.factories import make_product


@pytest.fixture
def plan(db):
    bread, cake = make_product(batch_size=10), make_product()
    make_demand({bread: 34, cake: 5})
    plan = make_plan()
    make_demand({bread: 10, make_product(): 2})
    services.refresh_plan(day=DAY, actor=plan.planned_by)
    services.change_item(day=DAY, product_id=cake.pk, changes={"planned": 3}, actor=plan.planned_by)
    services.change_item(day=DAY, product_id=make_product().pk, changes={"produced": 3}, actor=plan.planned_by)
    return plan


def test_a_list_that_the_services_wrote_is_sound(plan):
    assert list(checks()) == []


def test_a_figure_that_was_changed_behind_the_services_is_found(plan):
    item = plan.items.filter(counter_source="none", planned__gt=0).first()
    BakingItem.objects.filter(pk=item.pk).update(planned=item.planned + 5, rounding=item.rounding + 5)

    assert list(checks()) == [f"baking list 2026-11-25: version 2 says otherwise of product {item.product_id}"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_version_that_is_missing_is_found(plan, number):
    PlanEdition.objects.filter(number=number).delete()

    assert list(checks()) == ["baking list 2026-11-25: is at version 2, but 1 are kept"]


@pytest.mark.parametrize(
    "figures",
    [
        {"planned": 1000},
        {"batch_size": 0},
        {"status": "burnt"},
        {"counter_source": "guess"},
        {"produced": 1_000_001},
        {"is_planned_by_hand": True, "counter_source": "none"},
    ],
)
def test_the_database_itself_refuses_figures_that_cannot_be(plan, figures):
    with pytest.raises(IntegrityError), transaction.atomic():
        BakingItem.objects.filter(pk=plan.items.first().pk).update(**figures)


def test_the_database_itself_refuses_a_status_that_there_is_not(plan):
    with pytest.raises(IntegrityError), transaction.atomic():
        BakingPlan.objects.update(status="preview")
