"""The back office: plans are made, refreshed and moved along by the services, and printed for the wall."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_user
from bakery import clock
from orders.tests.factories import move
from production.models import BakingPlan, PlanEdition
from production.tests.factories import DAY, make_demand, make_plan
from products.models import Product
from products.tests.factories import make_category, make_product

LIST = reverse("admin:production_bakingplan_changelist")
WALL = reverse("admin:production_bakingplan_wall", args=["2026-11-25"])


@pytest.fixture
def admin_as(client, db):
    def sign_in(role):
        user = make_user(role=role)
        client.force_login(user)
        return client

    return sign_in


def act(client, action, *plans):
    return client.post(LIST, {"action": action, "_selected_action": [plan.pk for plan in plans]}, follow=True)


def test_the_plans_are_listed_with_their_sums(admin_as):
    make_demand({make_product(): 5, make_product(): 6})
    make_plan()

    page = admin_as("cashier").get(LIST).content.decode()

    assert "11" in page
    assert WALL in page


def test_a_plan_shows_its_items_to_be_looked_at(admin_as):
    bread = make_product(name="Traditional baguette")
    make_demand({bread: 5, make_product(name="No longer baked"): 3})
    plan = make_plan()
    Product.objects.exclude(pk=bread.pk).update(is_baked=False)
    url = reverse("admin:production_bakingplan_change", args=[plan.pk])

    for role in ("cashier", "baker", "manager"):
        page = admin_as(role).get(url).content.decode()
        assert "Traditional baguette" in page
        assert "No longer baked" not in page
        assert 'name="items-0-planned"' not in page


@pytest.mark.parametrize(("role", "status"), [("driver", 403), ("customer", 302)])
def test_who_may_not_see_plans_sees_none(admin_as, role, status):
    client = admin_as(role)

    assert client.get(LIST).status_code == status
    assert client.get(WALL).status_code == status


def test_a_manager_plans_a_day(admin_as):
    make_demand({make_product(): 5})
    client = admin_as("manager")
    url = reverse("admin:production_bakingplan_add")
    assert client.get(url).status_code == 200

    response = client.post(url, {"date": "2026-11-25", "notes": "Market"})

    assert response.status_code == 302
    plan = BakingPlan.objects.get()
    assert (plan.date, plan.notes, plan.items.get().planned) == (DAY, "Market", 5)
    assert PlanEdition.objects.get().user == plan.planned_by
    again = client.post(url, {"date": "2026-11-25", "notes": ""})
    assert "already exists" in again.content.decode()
    assert BakingPlan.objects.count() == 1


def test_a_baker_does_not_plan(admin_as):
    assert admin_as("baker").get(reverse("admin:production_bakingplan_add")).status_code == 403


def test_a_manager_refreshes_and_a_refusal_is_told(admin_as):
    bread = make_product()
    make_demand({bread: 5})
    plan, done = make_plan(), make_plan(day=DAY.replace(day=26))
    BakingPlan.objects.filter(pk=done.pk).update(status="done")
    make_demand({bread: 2})

    page = act(admin_as("manager"), "refresh", plan, done).content.decode()

    plan.refresh_from_db()
    assert (plan.edition, plan.items.get().planned) == (2, 7)
    assert "2026-11-25: version 2 is planned." in page
    assert "2026-11-26: A list that is done cannot become planned" in page


def test_a_baker_starts_and_finishes_but_does_not_refresh(admin_as):
    plan = make_plan()
    client = admin_as("baker")

    for action, status in (("refresh", "planned"), ("start", "in_progress"), ("finish", "done")):
        act(client, action, plan)
        plan.refresh_from_db()
        assert (plan.status, plan.edition) == (status, 1)
    page = act(client, "start", plan).content.decode()
    assert "A list that is done cannot become in_progress" in page


def test_tomorrows_list_is_one_click_away(admin_as):
    client = admin_as("baker")
    page = client.get(LIST).content.decode()
    assert "Tomorrow" in page

    response = client.get(reverse("admin:production_bakingplan_tomorrow"))

    tomorrow = clock.today().toordinal() + 1
    assert response.url == reverse("admin:production_bakingplan_wall", args=[DAY.fromordinal(tomorrow).isoformat()])


# The paper on the wall


def test_the_wall_shows_a_day_that_is_not_planned_yet(admin_as):
    make_demand({make_product(name="<b>Bread</b>", category=make_category(name="Loaves"), batch_size=12): 20})

    page = admin_as("baker").get(WALL).content.decode()

    assert "Preview" in page
    assert "Wednesday, 25 November 2026" in page
    assert "Loaves" in page
    assert "&lt;b&gt;Bread&lt;/b&gt;" in page
    assert "2 × 12" in page
    assert "24 pieces" in page


def test_the_wall_shows_a_plan_what_it_lacks_and_who_bakes(admin_as):
    bread, nothing = make_product(name="Bread"), make_product(name="Nothing")
    make_demand({bread: 20})
    order = make_demand({nothing: 2})
    plan = make_plan(notes="Market day")
    plan.items.filter(product=bread).update(assigned_to=make_user(role="baker", first_name="Ada", last_name="Crumb"))
    plan.items.filter(product=nothing).update(planned=0, planned_for=0)
    move(order, "cancelled")
    make_demand({bread: 4})

    page = admin_as("baker").get(WALL).content.decode()

    assert "Version 1, planned." in page
    assert "(4 short)" in page
    assert "Ada Crumb" in page
    assert "Market day" in page
    assert "Nothing" not in page


@pytest.mark.parametrize("day", ["2026-02-30", "tomorrow", "0001-01-01", "9999-12-31"])
def test_the_wall_has_no_page_for_what_is_no_day(admin_as, day):
    url = reverse("admin:production_bakingplan_wall", args=[day])

    assert admin_as("baker").get(url).status_code == 404


def test_the_wall_costs_the_same_queries_whatever_is_baked(admin_as, queries_do_not_grow):
    make_plan()
    client = admin_as("baker")

    def add_rows():
        product = make_product()
        make_demand({product: 3})
        item = BakingPlan.objects.get().items
        item.create(product=product, planned=3, planned_for=3, assigned_to=make_user(role="baker"))

    queries_do_not_grow(client, WALL, add_rows)


def test_the_page_of_a_plan_costs_the_same_queries_whatever_stands_on_it(admin_as, queries_do_not_grow):
    plan = make_plan()
    client = admin_as("manager")
    url = reverse("admin:production_bakingplan_change", args=[plan.pk])

    def add_rows():
        plan.items.create(product=make_product(), planned=3, planned_for=3, assigned_to=make_user(role="baker"))

    queries_do_not_grow(client, url, add_rows)


def test_a_row_of_a_plan_is_headed_by_no_numbers(admin_as):
    product = make_product(name="Rye")
    make_demand({product: 16})
    plan = make_plan()

    page = admin_as("manager").get(reverse("admin:production_bakingplan_change", args=[plan.pk])).content.decode()

    assert "Rye" in page
    assert f"16 × {product.pk}" not in page
