"""Waiting for what is sold out, and getting it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import pytest
from django.core import mail
from django.db import transaction

from accounts.models import User
from accounts.tests.factories import make_user
from bakery import clock, jobs, privacy
from bakery.errors import DomainError
from bakery.models import OpeningHours
from orders import services
from orders.models import Notice, Order, OrderItem, StandingOrder, Wish
from orders.services import erasing
from orders.tests.factories import make_order, make_standing_order, move, on
from products.models import CapacityGroup, CapacityOverride
from products.tests.factories import make_product
from tests.at_once import ON_POSTGRES, at_once, elsewhere, wait_until_somebody_waits

URL = "/api/waiting-list"
EVERYONE = [None, "customer", "cashier", "baker", "driver", "manager", "admin"]


def tomorrow():
    return clock.today() + timedelta(days=1)


def sold_out(capacity=5, **fields):
    """Make a product of which tomorrow's pieces are all in one order; return both."""
    product = make_product(daily_capacity=capacity, **fields)
    return product, make_order(items=[{"product": product.pk, "quantity": capacity}])


def wait(product, quantity=1, *, actor=None, email="ada@example.com", **details):
    details = details if actor else {"customer_email": email, **details}
    return services.wait_for(actor=actor, product=product.pk, date=tomorrow(), quantity=quantity, **details)


def cancel(order):
    services.change_status(order_id=order.pk, to="cancelled", actor=make_user(role="manager"))


def body(product, **changes):
    return {"product": product.pk, "date": tomorrow().isoformat(), "quantity": 2, **changes}


pytestmark = pytest.mark.django_db


def test_who_waits_is_shown_as_they_wait(api_as):
    product, _ = sold_out()
    customer = make_user()
    client = api_as(customer)

    made = client.post(URL, body(product), format="json")

    assert made.status_code == 201
    wish = Wish.objects.get()
    assert made.json()["data"] == {
        "id": wish.pk, "customer": customer.pk, "customer_name": "", "customer_email": "", "customer_phone": "",
        "product": product.pk, "product_name": product.name, "date": tomorrow().isoformat(), "quantity": 2,
        "due_time": "12:00", "order": None, "created_at": clock.local(wish.created_at).isoformat(),
    }  # fmt: skip
    assert client.get(URL).json()["data"] == [made.json()["data"]]
    assert client.delete(f"{URL}/{wish.pk}").status_code == 204
    assert client.get(URL).json()["data"] == []


def test_a_guest_leaves_an_address(api_as):
    product, _ = sold_out()
    guest = api_as(None)

    refused = guest.post(URL, body(product), format="json")
    made = guest.post(URL, body(product, customer_email="ada@example.com", due_time="09:30"), format="json")

    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [("customer_email", "required")]
    assert made.status_code == 201
    assert made.json()["data"]["due_time"] == "09:30"
    assert Wish.objects.count() == 1


def test_nobody_waits_twice_for_the_same(api_as):
    product, _ = sold_out()
    client = api_as("customer")

    answers = [client.post(URL, body(product), format="json") for _ in range(2)]
    guests = [api_as(None).post(URL, body(product, customer_email="a@b.example"), format="json") for _ in range(2)]

    for first, second in (answers, guests):
        assert (first.status_code, second.status_code) == (201, 409)
        assert second.json()["errors"][0]["code"] == "already_exists"
    assert Wish.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "change", "code"),
    [
        ({"daily_capacity": 5}, {}, "not_sold_out"),
        ({}, {}, "not_sold_out"),
        ({"daily_capacity": 0, "weekdays": []}, {}, "product_unavailable"),
        ({"daily_capacity": 0, "lead_time_hours": 90}, {}, "too_late"),
        ({"daily_capacity": 0}, {"date": "2001-01-01"}, "too_late"),
        ({"daily_capacity": 0}, {"due_time": "23:00"}, "shop_closed"),
    ],
)
def test_nobody_waits_in_vain(api_as, fields, change, code):
    OpeningHours.objects.create(weekday=tomorrow().isoweekday(), opens=time(6), closes=time(18))
    product = make_product(
        **{**fields, "weekdays": [tomorrow().isoweekday() % 7 + 1]} if "weekdays" in fields else fields
    )

    refused = api_as("customer").post(URL, body(product, **change), format="json")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, code)
    assert not Wish.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"product": 10**9}, "product", "does_not_exist"),
        ({"product": 10**19 - 1}, "product", "does_not_exist"),
        ({"date": "tomorrow"}, "date", "invalid"),
        ({"quantity": 0}, "quantity", "min_value"),
        ({"quantity": 10_001}, "quantity", "max_value"),
    ],
)
def test_a_bad_field_is_named(api_as, change, field, code):
    refused = api_as("customer").post(URL, body(make_product(daily_capacity=0)) | change, format="json")

    assert refused.status_code == 400
    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [(field, code)]


def test_the_next_in_line_gets_what_is_cancelled_and_is_told():
    product, order = sold_out(5)
    customer = make_user(first_name="Ada", email="ada@example.com")
    first, second = wait(product, 3, actor=customer), wait(product, 3, email="bea@example.com")

    cancel(order)

    first.refresh_from_db()
    second.refresh_from_db()
    given = first.order
    assert second.order is None
    assert (given.channel, given.status, given.customer) == ("web", "pending", customer)
    assert clock.local(given.due_at).time() == time(12)
    assert [(item.product, item.quantity) for item in given.items.all()] == [(product, 3)]
    assert [event.note for event in given.history.all()] == ["From the waiting list"]
    assert list(Notice.objects.filter(order=given).values_list("kind", flat=True)) == ["waited"]
    jobs.run_due()
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]
    assert given.code in mail.outbox[0].subject


def test_who_does_not_fit_is_passed_and_keeps_their_place():
    product, order = sold_out(4)
    wishes = [wait(product, count, email=f"{count}@b.example") for count in (5, 3, 2, 1)]

    cancel(order)

    assert [bool(Wish.objects.get(pk=wish.pk).order) for wish in wishes] == [False, True, False, True]


def test_a_guest_without_a_name_goes_by_their_address():
    product, order = sold_out()
    wait(product)

    cancel(order)

    assert Order.objects.latest("pk").customer_name == "ada@example.com"


def test_an_edit_that_takes_pieces_or_the_day_back_serves_who_waits():
    product, order = sold_out(5)
    wishes = [wait(product, 2, email="a@b.example"), wait(product, 3, email="b@b.example")]
    cashier = make_user(role="cashier")

    lines = [{"product": product.pk, "quantity": 3}]
    services.edit_order(order_id=order.pk, actor=cashier, changes={"items": lines})
    assert [bool(Wish.objects.get(pk=wish.pk).order) for wish in wishes] == [True, False]

    services.edit_order(order_id=order.pk, actor=cashier, changes={"due_at": on(2)})
    assert [bool(Wish.objects.get(pk=wish.pk).order) for wish in wishes] == [True, True]


def test_who_is_not_picked_up_today_frees_it():
    now = on(0, 1)
    product = make_product(daily_capacity=2)
    order = make_order(items=[{"product": product.pk, "quantity": 2}], due_at=on(0, 23), now=now)
    wish = services.wait_for(
        actor=make_user(), product=product.pk, date=clock.today(), quantity=2, due_time=time(23), now=now
    )

    move(order, "no_show", now=now)

    wish.refresh_from_db()
    assert wish.order is not None


def test_what_shares_an_oven_is_served_too():
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=4)
    cake = make_product(capacity_group=oven, capacity_units=4)
    roll = make_product(capacity_group=oven, capacity_units=1)
    order = make_order(items=[{"product": cake.pk, "quantity": 1}])
    wish = wait(roll, 3)

    cancel(order)

    wish.refresh_from_db()
    assert wish.order is not None


def test_a_refused_change_serves_nobody(api_as):
    product, order = sold_out()
    wait(product)

    assert api_as("baker").put(f"/api/orders/{order.pk}/status", {"status": "cancelled"}).status_code == 403

    assert Order.objects.count() == 1


def test_the_clock_serves_who_waits_when_a_capacity_was_raised_and_forgets_the_past():
    product, _ = sold_out(5)
    wish, past = wait(product, 2), wait(product, 1, email="b@b.example")
    Wish.objects.filter(pk=past.pk).update(date=clock.today() - timedelta(days=1))

    services.tick(clock.now())
    assert Wish.objects.get().order is None
    CapacityOverride.objects.create(product=product, day=tomorrow(), capacity=7)
    services.tick(clock.now())

    wish.refresh_from_db()
    assert wish.order is not None


def test_what_became_an_order_is_not_taken_off_the_list(api_as):
    product, order = sold_out()
    customer = make_user()
    wish = wait(product, actor=customer)
    cancel(order)

    refused = api_as(customer).delete(f"{URL}/{wish.pk}")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "already_generated")
    assert Wish.objects.exists()


@pytest.mark.parametrize("role", EVERYONE)
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("get", URL, set(EVERYONE) - {None}),
        ("post", URL, {None, "customer", "cashier", "manager", "admin"}),
        ("delete", URL + "/{own}", {"customer", "cashier", "manager", "admin"}),
        ("delete", URL + "/{other}", {"cashier", "manager", "admin"}),
    ],
)
def test_access(api_as, method, path, allowed, role):
    product, _ = sold_out()
    customer = make_user()
    own, other = wait(product, actor=customer), wait(product)
    client = api_as(customer if role == "customer" else role)
    another = body(sold_out()[0], customer_email="carl@example.com")

    address = path.format(own=own.pk, other=other.pk)
    answer = client.get(address) if method == "get" else getattr(client, method)(address, another, format="json")

    if role in allowed:
        assert answer.status_code in (200, 201, 204)
        if method == "get":
            assert len(answer.json()["data"]) == {"customer": 1, "driver": 0}.get(role, 2)
        return
    hidden = role == "customer" and "{other}" in path
    assert answer.status_code == (401 if role is None else 404 if hidden else 403)
    assert Wish.objects.count() == 2


def test_a_list_costs_the_same_however_long(api_as, queries_do_not_grow):
    product, _ = sold_out()
    queries_do_not_grow(api_as("cashier"), URL, lambda: wait(product, actor=make_user()))


def test_the_list_is_narrowed(api_as):
    product, order = sold_out(5)
    served, waiting = wait(product, 5), wait(product, 5, email="b@b.example")
    cancel(order)
    cashier = api_as("cashier")

    def listed(query):
        return [row["id"] for row in cashier.get(f"{URL}?{query}").json()["data"]]

    assert listed("is_waiting=true") == [waiting.pk]
    assert listed("is_waiting=false") == [served.pk]
    assert listed(f"date={tomorrow()}&product={product.pk}") == [served.pk, waiting.pk]
    assert listed("date=2031-01-01") == []


def test_who_was_deactivated_is_passed_over():
    product, order = sold_out(5)
    first, second = wait(product, 5, actor=make_user()), wait(product, 5)
    User.objects.filter(pk=first.customer_id).update(is_active=False)

    cancel(order)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.order is None
    assert second.order is not None


def test_the_admin_shows_who_waits(client):
    wait(sold_out()[0])
    client.force_login(User.objects.get(pk=make_user(role="manager").pk))

    assert "ada@example.com" in client.get("/admin/orders/wish/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_racing_cancellations_and_orders_never_give_more_than_there_is():
    product = make_product(daily_capacity=8)
    orders = [make_order(items=[{"product": product.pk, "quantity": 2}]) for _ in range(4)]
    for number in range(6):
        wait(product, 2, email=f"{number}@b.example")
    manager = make_user(role="manager")
    acts = [
        lambda order=order: services.change_status(order_id=order.pk, to="cancelled", actor=manager)
        for order in orders[:3]
    ] + [lambda: make_order(items=[{"product": product.pk, "quantity": 2}])] * 3
    told = at_once(*acts)

    assert set(told) <= {"done", "capacity_exceeded"}
    assert told[:3] == ["done"] * 3
    held = OrderItem.objects.filter(order__in=Order.objects.holding_capacity()).values_list("quantity", flat=True)
    assert sum(held) == 8
    # What is freed goes to who waits, in the same transaction: no order that comes by gets it.
    assert [wish.order_id is None for wish in Wish.objects.order_by("pk")] == [False] * 3 + [True] * 3


def forget(customer):
    privacy.erase(privacy.Person(customer.pk, customer.email))


def cancel_what_they_wait_for(customer):
    product, order = sold_out()
    wait(product, actor=customer)
    yield
    cancel(order)


def reach_the_date_of_a_standing_order(customer):
    make_standing_order(customer=customer, fulfilment="delivery", address="1 Mill Lane")
    yield
    services.generate(clock.now())


def order_by_themselves(customer):
    product = make_product()
    yield
    make_order(actor=customer, items=[{"product": product.pk, "quantity": 1}], fulfilment="delivery", address="Mill")


def have_an_order_made_theirs(customer):
    order = make_order(customer_name="Ada")
    yield
    changes = {"customer": customer.pk}
    services.edit_order(order_id=order.pk, actor=make_user(role="cashier"), changes=changes)


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "cause",
    [
        cancel_what_they_wait_for,
        reach_the_date_of_a_standing_order,
        order_by_themselves,
        have_an_order_made_theirs,
    ],
)
def test_an_order_that_came_about_while_its_customer_was_being_erased_tells_nothing_of_them(cause):
    customer = make_user(first_name="Ada", email="ada@example.com")
    steps = cause(customer)
    next(steps)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            next(steps, None)
            erasing = pool.submit(elsewhere, lambda: forget(customer))
            wait_until_somebody_waits()
        erasing.result()

    told = Order.objects.filter(customer=customer).values_list("customer_name", "customer_email", "address")
    assert told
    assert not {"Ada", "ada@example.com", "1 Mill Lane", "Mill"} & {value for row in told for value in row}
    assert not Wish.objects.exists()
    assert not Notice.objects.exists()


def get_in_line(customer):
    wait(sold_out()[0], actor=customer)


def be_given_a_standing_order(customer):
    make_standing_order(customer=customer, fulfilment="delivery", address="1 Mill Lane")


def take_over_a_standing_order(customer):
    standing = make_standing_order()
    services.change_standing_order(standing_id=standing.pk, changes={"customer": customer.pk})


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [get_in_line, be_given_a_standing_order, take_over_a_standing_order])
def test_what_a_customer_leaves_while_they_are_being_erased_goes_with_them(act):
    customer = make_user()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            act(customer)
            erasing = pool.submit(elsewhere, lambda: forget(customer))
            wait_until_somebody_waits()
        erasing.result()

    assert not Wish.objects.exists()
    assert not StandingOrder.objects.filter(customer=customer).exists()


@pytest.mark.parametrize(
    "act",
    [
        get_in_line,
        be_given_a_standing_order,
        take_over_a_standing_order,
        lambda customer: list(order_by_themselves(customer)),
        lambda customer: list(have_an_order_made_theirs(customer)),
    ],
)
def test_a_request_that_began_before_its_customer_was_erased_leaves_nothing_of_them(act):
    customer = make_user(first_name="Ada")
    forget(User.objects.get(pk=customer.pk))
    with pytest.raises(DomainError) as refused:
        act(customer)

    assert [(problem.code, problem.field) for problem in refused.value.problems] == [("account_closed", "customer")]
    for model in (Order, Wish, StandingOrder):
        assert not model.objects.filter(customer=customer).exists()


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_a_wish_that_came_about_while_its_customer_was_being_erased_becomes_no_order(monkeypatch):
    customer = make_user(first_name="Ada")
    product, order = sold_out()
    lock_account, forget_answers = erasing.lock_account, erasing._forget_answers
    late, cancelling = [lambda: wait(product, actor=customer)], []

    def lock_account_after_the_wish(user_id):
        if late:
            pool.submit(elsewhere, late.pop()).result()
        return lock_account(user_id)

    def forget_answers_while_the_order_is_cancelled(orders):
        cancelling.append(pool.submit(elsewhere, lambda: cancel(order)))
        wait_until_somebody_waits()
        forget_answers(orders)

    monkeypatch.setattr(erasing, "lock_account", lock_account_after_the_wish)
    monkeypatch.setattr(erasing, "_forget_answers", forget_answers_while_the_order_is_cancelled)
    with ThreadPoolExecutor(1) as pool:
        forget(customer)
        cancelling[0].result()

    assert not Wish.objects.exists()
    assert not Order.objects.filter(customer=customer).exists()


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["erase", "forget the past"])
def test_wishes_are_locked_in_the_order_in_which_they_are_served(act):
    customer, day = make_user(), clock.today() - timedelta(days=1 if act == "forget the past" else -1)
    products = [sold_out()[0] for _ in range(2)]
    first, second = (wait(product, actor=customer) for product in reversed(products))
    # In the index the first one lies behind the second one already; rewritten, it does on the disk, too.
    for wish in (second, first):
        Wish.objects.filter(pk=wish.pk).update(date=day)

    def do():
        forget(customer) if act == "erase" else services.tick(clock.now())

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Wish.objects.select_for_update().get(pk=first.pk)
            acting = pool.submit(elsewhere, do)
            wait_until_somebody_waits()
            # It waits for the first one, so it does not hold the second one yet.
            Wish.objects.select_for_update(nowait=True).get(pk=second.pk)
        acting.result()

    assert not Wish.objects.exists()
