"""Whatever is ordered, planned, said by a person and planned again: the figures of a list follow from each other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.tests.factories import make_user
from production import services
from production.models import BakingPlan
from production.selectors import baking_list, checks
from production.tests.factories import DAY, make_demand, make_target
from products.tests.factories import make_product

pieces = st.integers(0, 300)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(1, 300)),
        st.tuples(st.just("counter"), pieces),
        st.tuples(st.just("planned"), pieces),
        st.tuples(st.just("refresh"), st.none()),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(ordered=pieces, target=pieces, batch_size=st.none() | st.integers(1, 40), steps=steps)
def test_the_figures_of_a_list_follow_from_each_other(db, ordered, target, batch_size, steps):
    BakingPlan.objects.all().delete()
    manager, bread = make_user(role="manager"), make_product(batch_size=batch_size)
    make_target(bread, target)
    if ordered:
        make_demand({bread: ordered})
    services.plan_day(day=DAY, actor=manager)
    said: dict[str, int] = {}

    for step, figure in [("plan", None), *steps]:
        if step == "order":
            ordered += figure
            make_demand({bread: figure})
        elif step == "refresh":
            services.refresh_plan(day=DAY, actor=manager)
        elif step != "plan":
            said = {step: figure}
            services.change_item(day=DAY, product_id=bread.pk, changes=said, actor=manager)
        items = [item for item in baking_list(DAY).items if item.product_id == bread.pk]
        assert len(items) == (1 if ordered or target or said else 0)
        for item in items:
            assert_figures_follow(item, ordered)
            assert_a_persons_figures_stay(item, said)
            assert step != "refresh" or item.planned_for == ordered
    assert list(checks()) == []


def assert_figures_follow(item, ordered):
    assert item.ordered == ordered
    assert item.planned == item.planned_for + item.counter - item.carried_over + item.rounding
    assert item.shortfall == max(0, ordered + item.counter - item.carried_over - item.planned)
    assert (item.batches - 1) * item.batch_size < item.planned <= item.batches * item.batch_size


def assert_a_persons_figures_stay(item, said):
    assert (item.counter_source == "manual") == bool(said)
    if "planned" in said:
        assert item.planned == said["planned"]
    else:
        assert item.counter == said.get("counter", item.counter)
        assert item.planned % item.batch_size == 0
        assert 0 <= item.rounding < item.batch_size
