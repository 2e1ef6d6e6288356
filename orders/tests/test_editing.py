"""PATCH /api/orders/{id}: what may be changed, what stays, what is checked anew, what the history tells."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from bakery.errors import NotFound
from bakery.models import Closure
from orders import services
from orders.models import Order
from orders.selectors import checks
from orders.tests.factories import make_order, on
from products.models import VatRate
from products.tests.factories import make_product, make_vat_class, make_vat_rate

pytestmark = pytest.mark.django_db


def line(product, quantity=1, **more):
    return {"product": product.pk, "quantity": quantity, **more}


@pytest.fixture
def patch(api_as):
    """Send a PATCH as a cashier, or as somebody else."""

    def send(order, changes, who="cashier", **headers):
        return api_as(who).patch(f"/api/orders/{order.pk}", changes, headers=headers)

    return send


def refusal(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def unchanged(order):
    stored = Order.objects.get(pk=order.pk)
    return stored.version == order.version and stored.history.count() == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda order, actor: services.edit_order(order_id=order.pk, actor=actor, changes={"notes": "Mine"}),
        lambda order, actor: services.change_status(order_id=order.pk, actor=actor, to="cancelled"),
    ],
)
def test_an_order_that_became_another_customers_meanwhile_is_neither_changed_nor_shown(act):
    order = make_order(actor=make_user())
    Order.objects.filter(pk=order.pk).update(customer=make_user())
    with pytest.raises(NotFound):
        act(order, order.customer)

    assert unchanged(order)


def test_the_details_are_changed_and_the_history_tells_each(patch, api_as):
    order = make_order(notes="before")
    cashier = make_user(role="cashier")

    response = patch(
        order,
        {"notes": "after", "customer_name": "Grace", "fulfilment": "delivery", "address": "2 Mill Lane", "code": "X"},
        who=cashier,
    )

    assert response.status_code == 200
    assert response["ETag"].startswith('"2-')
    data = response.json()["data"]
    assert (data["notes"], data["customer_name"], data["address"], data["code"]) == (
        "after", "Grace", "2 Mill Lane", order.code,
    )  # fmt: skip
    event = api_as("cashier").get(f"/api/orders/{order.pk}/history").json()["data"][-1]
    assert event == {
        "at": clock.local(order.history.last().at).isoformat(),
        "user": cashier.username,
        "from": "pending",
        "to": "pending",
        "note": "",
        "changes": {
            "customer_name": ["Ada", "Grace"],
            "fulfilment": ["pickup", "delivery"],
            "address": ["", "2 Mill Lane"],
            "notes": ["before", "after"],
        },
        "override": None,
    }


def test_nothing_changes_where_nothing_is_new(patch):
    order = make_order()

    read = patch(order, {}).json()["data"]
    back = patch(order, {name: value for name, value in read.items() if name != "notes"})

    assert back.json()["data"] == read
    assert unchanged(order)


def test_lines_are_replaced(patch):
    bread, cake, tart = make_product(price="2.00"), make_product(price="3.00"), make_product(price="5.00")
    order = make_order(items=[line(bread), line(cake, note="Happy birthday")])
    kept = order.items.get(product=cake)

    data = patch(order, {"items": [line(tart, 2), line(cake, 4)]}).json()["data"]

    assert [(item["product"], item["quantity"], item["note"], item["line_total"]) for item in data["items"]] == [
        (cake.pk, 4, "", "12.00"),
        (tart.pk, 2, "", "10.00"),
    ]
    assert data["items"][0]["id"] == kept.pk
    assert data["total"] == "22.00"
    assert order.history.last().changes == {
        "items": [
            [
                {"product": bread.pk, "product_name": bread.name, "quantity": 1, "note": ""},
                {"product": cake.pk, "product_name": cake.name, "quantity": 1, "note": "Happy birthday"},
            ],
            [
                {"product": cake.pk, "product_name": cake.name, "quantity": 4, "note": ""},
                {"product": tart.pk, "product_name": tart.name, "quantity": 2, "note": ""},
            ],
        ],
        "total": ["5.00", "22.00"],
    }


def test_lines_that_stay_keep_price_name_and_rate_and_new_ones_take_todays(patch):
    bread = make_vat_class(takeaway="5.50")
    old, new = make_product(price="1.00", vat_class=bread), make_product(price="1.00", vat_class=bread)
    order = make_order(items=[line(old)])
    for product in (old, new):
        product.price = Decimal("9.00")
        product.save()
    VatRate.objects.update(rate=20)

    by_product = patch(order, {"items": [line(old, 2), line(new)]}).json()["data"]["items"]
    by_id = patch(order, {"items": [line(old, 3, id=by_product[0]["id"]), line(old, 1)]}).json()["data"]["items"]

    assert [(item["unit_price"], item["vat_rate"]) for item in by_product] == [("1.00", "5.50"), ("9.00", "20.00")]
    assert [(item["unit_price"], item["vat_rate"], item["quantity"]) for item in by_id] == [
        ("1.00", "5.50", 3),
        ("1.00", "5.50", 1),
    ]


def test_the_id_of_a_line_does_not_lend_its_price_to_another_product(patch):
    cheap, dear = make_product(price="1.00"), make_product(price="50.00")
    order = make_order(items=[line(cheap)])

    items = patch(order, {"items": [line(dear, id=order.items.get().pk)]}).json()["data"]["items"]

    assert [(item["product"], item["unit_price"]) for item in items] == [(dear.pk, "50.00")]


def test_two_lines_of_a_product_are_told_apart_by_their_ids(patch):
    cake = make_product()
    order = make_order(items=[line(cake, note="Ada"), line(cake, note="Grace")])
    first, second = order.items.all()

    items = patch(
        order, {"items": [line(cake, 2, id=second.pk, note="Grace"), line(cake, 3, id=first.pk, note="Ada")]}
    ).json()["data"]["items"]

    assert [(item["id"], item["quantity"], item["note"]) for item in items] == [
        (first.pk, 3, "Ada"),
        (second.pk, 2, "Grace"),
    ]


def test_another_place_means_its_rate_of_the_day_it_was_ordered(patch):
    order = make_order(items=[line(make_product(vat_class=make_vat_class(takeaway="7.00", eat_in="19.00")))])

    data = patch(order, {"consumption": "eat_in"}).json()["data"]

    assert [bucket["rate"] for bucket in data["vat"]] == ["19.00"]
    assert data["vat_total"] == "0.21"


def test_what_is_added_while_the_place_changes_has_the_rate_of_today(patch):
    bread = make_vat_class(takeaway="7.00", eat_in="19.00")
    kept, added = make_product(vat_class=bread), make_product(vat_class=bread)
    order = make_order(items=[line(kept)], due_at=on(9))
    Order.objects.update(created_at=on(-5))
    make_vat_rate(vat_class=bread, place="eat_in", rate="10.00", valid_from=clock.today())

    data = patch(order, {"consumption": "eat_in", "items": [line(kept), line(kept), line(added)]}).json()["data"]

    assert [(item["product"], item["vat_rate"]) for item in data["items"]] == [
        (kept.pk, "19.00"), (kept.pk, "19.00"), (added.pk, "10.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"items": []}, "empty", "items"),
        ({"items": [{"quantity": 1}]}, "required", "items.0.product"),
        ({"items": [{"product": 10**9, "quantity": 1}]}, "does_not_exist", "items.0.product"),
        ({"due_at": None}, "null", "due_at"),
        ({"fulfilment": "delivery"}, "required", "address"),
        ({"customer_name": ""}, "required", "customer_name"),
        ({"customer_phone": ""}, "required", "customer_email"),
        ({"customer": 10**9}, "does_not_exist", "customer"),
        ({"customer": 10**19 - 1}, "does_not_exist", "customer"),
        ({"items": [{"product": 10**19 - 1, "quantity": 1}]}, "does_not_exist", "items.0.product"),
        ({"items": [{"id": 10**19 - 1, "product": 1, "quantity": 1}]}, "does_not_exist", "items.0.id"),
    ],
)
def test_what_is_wrong_is_named(patch, changes, code, field):
    order = make_order()

    assert refusal(patch(order, changes)) == (400, code, field)
    assert unchanged(order)


def test_a_line_of_another_order_is_unknown(patch):
    order, other = make_order(), make_order()
    item = other.items.get()

    answer = patch(order, {"items": [line(item.product, id=item.pk)]})

    assert refusal(answer) == (400, "does_not_exist", "items.0.id")
    assert unchanged(order)


def test_a_stale_condition_changes_nothing(patch):
    order = make_order()

    assert refusal(patch(order, {"notes": "!"}, **{"If-Match": '"7"'})) == (412, "stale", None)
    assert unchanged(order)
    assert patch(order, {"notes": "!"}, **{"If-Match": '"1"'}).status_code == 200
    assert refusal(patch(order, {"notes": "?"}, **{"If-Match": '"1"'})) == (412, "stale", None)
    assert patch(order, {"notes": "?"}, **{"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("status", ["baking", "ready", "completed", "cancelled", "no_show"])
def test_what_is_being_baked_is_not_changed(patch, status):
    order = make_order(actor=(customer := make_user()), status=status)
    version = order.version

    for who in ("manager", customer):
        assert refusal(patch(order, {"notes": "!"}, who=who)) == (409, "illegal_transition", None)
    order.refresh_from_db()
    assert (order.version, order.notes) == (version, "")


def test_a_customer_edits_their_own_order_and_stays_its_customer(patch):
    customer, other = make_user(), make_user()
    order = make_order(actor=customer, status="confirmed")

    assert patch(order, {"notes": "!", "customer": other.pk}, who=customer).json()["data"]["customer"] == customer.pk
    assert refusal(patch(order, {"notes": "!"}, who=other))[0] == 404


def test_after_the_cut_off_customers_are_too_late_and_staff_are_not(patch):
    customer = make_user()
    cake = make_product(lead_time_hours=48)
    order = make_order(actor=customer, items=[line(cake)], due_at=on(1), now=clock.now() - timedelta(days=3))

    assert refusal(patch(order, {"items": [line(cake, 2)]}, who=customer)) == (409, "too_late", None)
    assert unchanged(order)
    assert patch(order, {"items": [line(cake, 2)]}).status_code == 200


def test_what_is_added_needs_its_lead_time(patch):
    order = make_order(due_at=on(1))
    cake = make_product(lead_time_hours=200)

    assert refusal(patch(order, {"items": [line(cake)]})) == (409, "too_late", "due_at")
    assert unchanged(order)


def test_moving_an_order_up_is_checked_for_every_line(patch):
    order = make_order(items=[line(make_product(lead_time_hours=24 * 4))], due_at=on(9))

    assert refusal(patch(order, {"due_at": on(2).isoformat()})) == (409, "too_late", "due_at")
    assert refusal(patch(order, {"due_at": "2020-01-01T10:00:00"})) == (409, "too_late", "due_at")
    assert unchanged(order)
    moved = patch(order, {"due_at": on(8).isoformat()}).json()["data"]
    assert moved["deadline_at"] == (on(8) - timedelta(days=4)).astimezone(clock.shop_zone()).isoformat()


def test_moving_to_a_day_without_the_product_or_the_shop_is_refused(patch):
    there = on(2).isoweekday()
    order = make_order(items=[line(make_product(weekdays=[there, there % 7 + 1]))], due_at=on(2))
    day = clock.shop_day(on(3))
    Closure.objects.create(first_day=day, last_day=day)

    assert refusal(patch(order, {"due_at": on(4).isoformat()})) == (409, "product_unavailable", "items.0.product")
    assert refusal(patch(order, {"due_at": on(3).isoformat()})) == (409, "shop_closed", "due_at")
    assert unchanged(order)


def test_what_an_edit_leaves_alone_is_not_held_against_it(patch):
    """The shop closed that day and a product was retired since: a customer may still change the rest."""
    retired, bread = make_product(), make_product()
    order = make_order(items=[line(retired, 2), line(bread)])
    retired.is_active = False
    retired.save()
    day = clock.shop_day(on(1))
    Closure.objects.create(first_day=day, last_day=day)

    assert patch(order, {"notes": "!"}).status_code == 200
    assert patch(order, {"items": [line(retired, 1), line(bread, 5)]}).status_code == 200
    assert refusal(patch(order, {"items": [line(retired, 2), line(bread)]})) == (
        409, "product_unavailable", "items.0.product",
    )  # fmt: skip


def test_the_total_does_not_fall_below_what_is_paid(patch):
    cake = make_product(price="10.00")
    order = make_order(items=[line(cake, 3)])
    services.pay(order_id=order.pk, amount=Decimal("20.00"), method="card", actor=make_user(role="cashier"))

    assert refusal(patch(order, {"items": [line(cake, 1)]})) == (409, "exceeds_balance", "items")
    assert order.items.get().quantity == 3
    assert patch(order, {"items": [line(cake, 2)]}).json()["data"]["payment_status"] == "paid"


@pytest.fixture
def bread_and_coffee():
    bread = make_product(price="10.00", vat_class=make_vat_class(takeaway="7.00", eat_in="19.00"))
    return bread, make_product(price="10.00", vat_class=make_vat_class(takeaway="19.00"))


def test_what_is_booked_at_a_rate_is_given_back_before_the_rate_changes(patch, bread_and_coffee):
    bread, coffee = bread_and_coffee
    order, cashier = make_order(items=[line(bread)]), make_user(role="cashier")
    services.pay(order_id=order.pk, amount=Decimal("10.00"), method="card", actor=cashier)

    assert refusal(patch(order, {"consumption": "eat_in"})) == (409, "exceeds_balance", "consumption")
    assert refusal(patch(order, {"items": [line(coffee)]})) == (409, "exceeds_balance", "items")
    assert refusal(patch(order, {"items": [line(coffee, 5)]})) == (409, "exceeds_balance", "items")
    assert order.history.count() == 1
    assert order.items.get().product == bread
    services.pay(order_id=order.pk, amount=Decimal("10.00"), method="card", actor=cashier, kind="refund")
    assert patch(order, {"consumption": "eat_in"}).status_code == 200
    services.pay(order_id=order.pk, amount=Decimal("10.00"), method="card", actor=cashier)
    assert checks() == []


def test_a_paid_order_may_grow_by_another_rate_and_be_noted_on(patch, bread_and_coffee):
    bread, coffee = bread_and_coffee
    order, cashier = make_order(items=[line(bread, 2)]), make_user(role="cashier")
    services.pay(order_id=order.pk, amount=Decimal("7.00"), method="cash", actor=cashier)

    assert patch(order, {"items": [line(bread), line(coffee)]}).status_code == 200
    services.pay(order_id=order.pk, amount=Decimal("13.00"), method="cash", actor=cashier)
    assert patch(order, {"items": [line(bread), line(coffee, 2)], "notes": "Sliced"}).status_code == 200
    services.pay(order_id=order.pk, amount=Decimal("10.00"), method="cash", actor=cashier)
    assert checks() == []


def test_staff_say_whose_order_it_is(patch):
    customer = make_user()
    order = make_order()

    assert patch(order, {"customer": customer.pk}).json()["data"]["customer"] == customer.pk
    assert patch(order, {"customer": None}).json()["data"]["customer"] is None
    assert [event.changes for event in order.history.all()] == [
        {},
        {"customer": [None, customer.pk]},
        {"customer": [customer.pk, None]},
    ]


def test_only_managers_go_over_the_rules(patch):
    order = make_order(actor=(customer := make_user()))
    slow = make_product(lead_time_hours=500)

    for who in (customer, "cashier"):
        answer = patch(order, {"items": [line(slow)], "override": "please"}, who=who)
        assert refusal(answer) == (403, "permission_denied", "override")
    assert unchanged(order)
    assert patch(order, {"items": [line(slow)], "override": "It is there"}, who="manager").status_code == 200
    order.refresh_from_db()
    assert order.override_reason == "It is there"


def test_a_line_may_be_named_by_its_id_alone(patch):
    order = make_order()
    old = order.items.get()

    shown = patch(order, {"items": [{"id": old.pk, "quantity": 4}]}).json()["data"]

    assert [(item["id"], item["product"], item["quantity"]) for item in shown["items"]] == [(old.pk, old.product_id, 4)]


@pytest.mark.parametrize(
    ("named", "expected"),
    [({}, ("required", "items.0.product")), ({"id": 10**9}, ("does_not_exist", "items.0.id"))],
)
def test_a_line_that_names_nothing_we_know_is_refused(patch, named, expected):
    order = make_order()

    error = patch(order, {"items": [{**named, "quantity": 4}]}).json()["errors"][0]

    assert (error["code"], error["field"]) == expected
    assert order.items.get().quantity != 4


def test_a_customer_who_takes_their_details_off_an_order_is_still_to_be_found(patch):
    customer = make_user(role="customer", first_name="Ada", last_name="L", email="ada@example.org", phone="+33 1")
    order = make_order(actor=customer, customer_name="Grace", customer_phone="+33 2")

    response = patch(order, {"customer_name": "", "customer_email": "", "customer_phone": ""}, who=customer)

    assert response.status_code == 200
    data = response.json()["data"]
    assert [data[name] for name in ("customer_name", "customer_email", "customer_phone")] == [
        "Ada L", "ada@example.org", "+33 1",
    ]  # fmt: skip


def test_what_the_account_says_meanwhile_is_not_taken_by_another_change(patch):
    customer = make_user(role="customer", phone="")
    order = make_order(actor=customer)
    customer.phone = "+33 1"
    customer.save()

    assert patch(order, {"notes": "after"}, who=customer).json()["data"]["customer_phone"] == ""
