"""The pages of the counter: the days at a glance, an order taken by telephone, an order changed."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client

from accounts.tests.factories import make_user
from bakery import clock
from orders import selectors, services
from orders.models import Order
from orders.tests.factories import make_order, move, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
TODAY = f"{LIST}today/"
TAKE = f"{LIST}take/"
PLACE = f"{TAKE}place/"
GOODS = f"{TAKE}goods/"
CUSTOMERS = f"{TAKE}customers/"


def send(client, order, *, key="k-0", url=PLACE):
    return client.post(url, json.dumps(order), content_type="application/json", headers={"Idempotency-Key": key})


def wanted(*products, quantity=1, **details):
    items = [{"product": product.pk, "quantity": quantity, "note": ""} for product in products]
    return {"customer_name": "Ada", "due_at": f"{on(1):%Y-%m-%dT%H:%M}", "items": items, **details}


def problems(response):
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


# The days at a glance


@time_machine.travel(datetime(2026, 11, 24, 9, tzinfo=UTC), tick=False)
def test_each_day_tells_how_many_there_are_what_is_next_and_what_is_owed(office_of):
    late = make_order(due_at=clock.now() - timedelta(minutes=1), now=clock.now() - timedelta(hours=1))
    soon = make_order(due_at=clock.now() + timedelta(minutes=1), status="ready", customer_name="Zoë")
    paid = make_order(due_at=on(1, 9), status="confirmed")
    services.pay(order_id=paid.pk, amount=paid.total, method="cash", actor=make_user(role="cashier"))
    delivery = make_order(due_at=on(1, 8), fulfilment="delivery", address="5 Canal Street")
    gone = make_order(due_at=on(1), status="cancelled")

    response = office_of("cashier").get(TODAY)
    shown = response.content.decode()
    (_, _, today), (_, _, tomorrow) = response.context["days"]

    assert today.counts == {"pending": 1, "ready": 1}
    assert (today.unpaid, today.owed, today.pickups) == (2, late.total + soon.total, [late, soon])
    assert tomorrow.counts == {"pending": 1, "confirmed": 1, "cancelled": 1}
    assert (tomorrow.unpaid, tomorrow.owed) == (1, delivery.total)
    assert (tomorrow.pickups, tomorrow.deliveries) == ([paid], [delivery])
    assert response.context["next"] == soon
    assert shown.count('class="late"') == 1
    for told in ("Zoë", "5 Canal Street"):
        assert told in shown
    assert gone.code not in shown


@time_machine.travel(datetime(2026, 11, 24, 9, tzinfo=UTC), tick=False)
def test_each_figure_leads_to_the_orders_behind_it(office_of, monkeypatch):
    monkeypatch.setattr(selectors.counter, "MOST_SHOWN", 0)
    for status in ("pending", "pending", "ready", "completed", "cancelled"):
        make_order(due_at=clock.now() + timedelta(hours=1), status=status)
    services.sell(actor=make_user(role="cashier"), items=[{"product": make_product().pk, "quantity": 1}], method="cash")
    client = office_of("cashier")

    shown = client.get(TODAY).content.decode()

    figure = r'href="([^"]*\?due=today[^"]*)">(?:<b>(\d+)</b> ([a-z ]+)|and (\d+) (more))'
    figures = {
        (name or more): (int(count or left), client.get(unescape(link)).context["cl"].result_count)
        for link, count, name, left, more in re.findall(figure, shown)
    }
    assert figures == {
        "pending": (2, 2), "ready": (1, 1), "completed": (1, 1), "cancelled": (1, 1), "to be paid": (4, 4),
        "more": (3, 3),
    }  # fmt: skip


def test_a_driver_sees_the_deliveries_alone_and_takes_no_orders(office_of):
    pickup, delivery = make_order(), make_order(fulfilment="delivery")

    shown = office_of("driver").get(TODAY).content.decode()

    assert delivery.code in shown
    assert pickup.code not in shown
    assert TAKE not in shown
    assert f"{LIST}slips/" not in shown


def test_the_glance_costs_no_more_for_many_orders(office_of, queries_do_not_grow):
    assert queries_do_not_grow(office_of("cashier"), TODAY, make_order) <= 10


def test_a_busy_day_is_not_shown_without_end(office_of, monkeypatch):
    monkeypatch.setattr(selectors.counter, "MOST_SHOWN", 2)
    for _ in range(3):
        make_order()

    assert "and 1 more" in office_of("cashier").get(TODAY).content.decode()


# Who may


@pytest.mark.parametrize(
    ("role", "today", "take", "edit"),
    [
        ("admin", 200, 200, 200),
        ("manager", 200, 200, 200),
        ("cashier", 200, 200, 200),
        ("baker", 200, 403, 403),
        ("driver", 200, 403, 403),
        ("customer", 302, 302, 302),
    ],
)
def test_who_may_open_which_page(office_of, role, today, take, edit):
    order, client = make_order(), office_of(role)

    assert client.get(TODAY).status_code == today
    assert client.get(TAKE).status_code == take
    assert client.get(f"{LIST}{order.pk}/edit/").status_code == edit


@pytest.mark.parametrize("role", ["baker", "driver", "customer"])
def test_who_may_not_take_orders_gets_nothing_by_the_page_s_other_addresses(office_of, role):
    order, client = make_order(), office_of(role)
    refused = {302} if role == "customer" else {403}
    save = f"{LIST}{order.pk}/edit/save/"

    assert {
        send(client, wanted(make_product())).status_code,
        client.get(GOODS, {"day": "2026-01-05"}).status_code,
        client.get(CUSTOMERS, {"q": "ad"}).status_code,
        client.patch(save, '{"notes": "x"}', content_type="application/json").status_code,
    } == refused
    assert list(Order.objects.all()) == [order]
    order.refresh_from_db()
    assert order.notes == ""


def test_an_order_is_not_placed_from_another_site():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(role="cashier"))

    assert send(client, wanted(make_product())).status_code == 403
    assert not Order.objects.exists()


# An order by telephone


def test_staff_place_an_order_for_a_customer_with_an_account(office_of):
    customer = make_user(first_name="Grace", last_name="Hopper", phone="+1 555")
    product = make_product(price="2.40")
    order = wanted(product, quantity=3, customer=customer.pk, customer_name="", notes="By the back door")

    answer = send(office_of("cashier"), order)

    placed = Order.objects.get()
    assert (answer.status_code, answer.json()["data"]["code"]) == (201, placed.code)
    assert (placed.customer, placed.customer_name, placed.customer_phone) == (customer, "Grace Hopper", "+1 555")
    assert (placed.channel, placed.placed_by.role, str(placed.total)) == ("phone", "cashier", "7.20")


def test_the_same_form_sent_twice_is_one_order_and_another_is_refused(office_of):
    client, product = office_of("cashier"), make_product()

    first, again = (send(client, wanted(product)) for _ in range(2))
    other = send(client, wanted(product, quantity=2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["data"] == again.json()["data"]
    assert problems(other) == [(None, "idempotency_mismatch")]
    assert Order.objects.count() == 1


def test_a_refusal_names_the_field_and_uses_no_key_up(office_of):
    client, product = office_of("cashier"), make_product(daily_capacity=2)

    refused = send(client, wanted(product, quantity=3))

    assert problems(refused) == [("items.0.quantity", "capacity_exceeded")]
    assert "only 2 are left" in refused.json()["errors"][0]["message"]
    assert not Order.objects.exists()
    assert send(client, wanted(product, quantity=2)).status_code == 201


def test_a_manager_goes_over_the_rules_with_a_reason_and_nobody_else(office_of):
    over = wanted(make_product(daily_capacity=2), quantity=3, override="The mayor asked")

    assert problems(send(office_of("cashier"), over)) == [("override", "permission_denied")]
    assert 'name="override"' not in office_of("cashier").get(TAKE).content.decode()
    assert 'name="override"' in office_of("manager").get(TAKE).content.decode()
    assert send(office_of("manager"), over).status_code == 201
    assert Order.objects.get().override_reason == "The mayor asked"


def goods(client, day=1, **query):
    answer = client.get(GOODS, {"day": on(day).date().isoformat(), **query})
    assert answer.status_code == 200
    return [(row["name"], row["price"], row["left"], row["why_not"]) for row in answer.json()["data"]]


def test_products_are_found_with_their_price_and_what_is_left_that_day(office_of):
    client = office_of("cashier")
    rye = make_product(name="Rye loaf", sku="R1", price="4.20", daily_capacity=5)
    make_product(name="Wheat loaf", price="3.00")
    make_product(name="Old loaf", is_active=False)
    make_product(name="Wedding loaf", price="90.00", lead_time_hours=72)
    make_order(items=[{"product": rye.pk, "quantity": 3}])

    assert goods(client, q="loaf") == [
        ("Rye loaf", "4.20", 2, ""),
        ("Wheat loaf", "3.00", None, ""),
        ("Wedding loaf", "90.00", 0, "too late for this day"),
    ]
    assert goods(client, q="r1", day=2) == [("Rye loaf", "4.20", 5, "")]
    assert goods(client, id=[rye.pk, 987654]) == [("Rye loaf", "4.20", 2, "")]
    assert goods(client, q="no such thing") == []


def test_what_an_order_holds_is_its_own_to_keep_on_its_day(office_of):
    rye = make_product(name="Rye loaf", price="4.20", daily_capacity=3)
    order = make_order(items=[{"product": rye.pk, "quantity": 3}])
    client = office_of("cashier")

    assert goods(client, id=rye.pk) == [("Rye loaf", "4.20", 0, "sold out")]
    assert goods(client, id=rye.pk, order=order.pk) == [("Rye loaf", "4.20", 3, "")]
    assert goods(client, id=rye.pk, order=order.pk, day=2) == [("Rye loaf", "4.20", 3, "")]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400), ({"day": "soon"}, 400), ({"day": "2026-01-05", "id": "x"}, 400),
        ({"day": "2026-01-05", "id": "9" * 30}, 400), ({"day": "2026-01-05", "q": "\x00"}, 400),
        ({"day": "2026-01-05", "order": "77"}, 404),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_up_is_refused(office_of, query, status):
    assert office_of("cashier").get(GOODS, query).status_code == status


def test_a_search_costs_no_more_for_many_products(office_of, queries_do_not_grow):
    url = f"{GOODS}?day={on(1).date()}&q=Product"
    assert queries_do_not_grow(office_of("cashier"), url, lambda: make_product(daily_capacity=1)) <= 11


def test_customers_are_found_by_name_and_phone_and_staff_are_not(office_of):
    client = office_of("cashier")
    make_user(first_name="Grace", last_name="Hopper", phone="+33 1 77", email="g@example.com")
    make_user(first_name="Grace", last_name="Kelly", is_active=False)
    make_user(first_name="Grace", last_name="Baker", role="baker")

    def found(words):
        return [row["name"] for row in client.get(CUSTOMERS, {"q": words}).json()["data"]]

    assert found("grace hop") == ["Grace Hopper"]
    assert found("1 77") == ["Grace Hopper"]
    assert found("grace") == ["Grace Hopper"]
    assert found("") == []


# An order that is changed


def change(client, order, changes, *, version=None):
    return client.patch(
        f"{LIST}{order.pk}/edit/save/",
        json.dumps(changes),
        content_type="application/json",
        headers={"If-Match": f'"{version or order.version}"'},
    )


def test_lines_and_time_are_changed_and_the_history_tells_from_what_to_what(office_of):
    roll, cake = make_product(name="Roll", price="1.00"), make_product(name="Cake", price="10.00")
    order = make_order(items=[{"product": roll.pk, "quantity": 2}])
    line, client = order.items.get(), office_of("cashier")
    assert f'"id": {line.pk}' in client.get(f"{LIST}{order.pk}/edit/").content.decode()

    items = [{"id": line.pk, "product": roll.pk, "quantity": 5, "note": "dark"}, {"product": cake.pk, "quantity": 1}]
    assert change(client, order, {"due_at": f"{on(2, 11):%Y-%m-%dT%H:%M}", "items": items}).status_code == 200

    shown = client.get(f"{LIST}{order.pk}/change/").content.decode()
    assert f"due at: {on(1):%Y-%m-%d %H:%M} → {on(2, 11):%Y-%m-%d %H:%M}" in shown
    assert "items: 2 × Roll → 5 × Roll (dark), 1 × Cake" in shown
    assert "total: 2.00 → 15.00" in shown


def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(office_of):
    order = make_order()
    services.edit_order(order_id=order.pk, actor=make_user(role="cashier"), changes={"notes": "first"})

    assert change(office_of("cashier"), order, {"notes": "second"}).status_code == 412
    order.refresh_from_db()
    assert order.notes == "first"


def test_what_is_being_baked_is_not_changed(office_of):
    order = make_order(status="baking")
    client = office_of("manager")

    page = client.get(f"{LIST}{order.pk}/edit/", follow=True)

    assert page.redirect_chain[-1][0] == f"{LIST}{order.pk}/change/"
    assert [str(told) for told in page.context["messages"]] == [f"{order.code} can no longer be changed: it is baking."]
    assert problems(change(client, order, {"notes": "late"})) == [(None, "illegal_transition")]


@pytest.mark.parametrize("name", ["987654", "nothing"])
def test_there_is_no_page_to_change_an_order_that_is_not_there(office_of, name):
    assert office_of("manager").get(f"{LIST}{name}/edit/").status_code == 404


def test_the_page_of_an_order_offers_to_change_it_to_those_who_may(office_of):
    order = make_order()
    move(order, "confirmed")

    assert f"{LIST}{order.pk}/edit/" in office_of("cashier").get(f"{LIST}{order.pk}/change/").content.decode()
    assert f"{LIST}{order.pk}/edit/" not in office_of("baker").get(f"{LIST}{order.pk}/change/").content.decode()
