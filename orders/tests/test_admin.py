"""Orders in the back office: to be looked at, moved along by actions, refusals told for each."""

from decimal import Decimal

import pytest

from accounts.tests.factories import make_user
from orders import services
from orders.models import Order
from orders.tests.factories import make_order, on

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


def run(client, action, *orders, note=""):
    form = {"action": action, "_selected_action": [order.pk for order in orders], "note": note}
    return client.post(LIST, form, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def codes(response):
    return {order.code for order in response.context["cl"].queryset}


def test_the_list_is_narrowed_by_day_status_payment_and_reason(office_of):
    client = office_of("manager")
    today, tomorrow = make_order(due_at=on(0, 12), now=on(0, 0)), make_order(due_at=on(1))
    later = make_order(due_at=on(9), status="confirmed")
    by_reason = make_order(actor=make_user(role="manager"), due_at=on(3), override="The mayor asked")
    services.pay(order_id=later.pk, amount=later.total, method="cash", actor=make_user(role="cashier"))

    assert codes(client.get(LIST, {"due": "today"})) == {today.code}
    assert codes(client.get(LIST, {"due": "tomorrow"})) == {tomorrow.code}
    assert codes(client.get(LIST, {"due": "week"})) == {today.code, tomorrow.code, by_reason.code}
    assert codes(client.get(LIST, {"due": "over"})) == set()
    assert codes(client.get(LIST, {"status__exact": "confirmed"})) == {later.code}
    assert codes(client.get(LIST, {"payment": "paid"})) == {later.code}
    assert codes(client.get(LIST, {"override": "yes"})) == {by_reason.code}
    assert codes(client.get(LIST, {"payment": "owing"})) == {today.code, tomorrow.code, by_reason.code}
    assert codes(client.get(LIST, {"fulfilment__exact": "delivery"})) == set()
    assert codes(client.get(LIST, {"channel__exact": "phone"})) == {by_reason.code}


def test_the_list_costs_no_more_for_many_orders(office_of, queries_do_not_grow):
    queries_do_not_grow(office_of("cashier"), LIST, make_order)


@pytest.mark.parametrize("word", ["Grace", "grace@example.com", "0123 77"])
def test_an_order_is_found_by_name_address_and_phone(office_of, word):
    make_order()
    wanted = make_order(customer_name="Grace", customer_email="grace@example.com", customer_phone="0123 77")

    assert codes(office_of("cashier").get(LIST, {"q": word})) == {wanted.code}
    assert codes(office_of("cashier").get(LIST, {"q": wanted.code.lower()})) == {wanted.code}


def test_the_page_of_an_order_shows_its_lines_money_and_history_to_be_read_only(office_of):
    order = make_order(notes="<script>alert(1)</script>", status="confirmed")
    cashier = make_user(role="cashier")
    services.pay(order_id=order.pk, amount=Decimal("1.00"), method="card", actor=cashier, note="first half")

    page = office_of("baker").get(f"{LIST}{order.pk}/change/").content.decode()

    assert order.items.get().product_name in page
    assert "first half" in page
    assert cashier.username in page
    assert "<script>alert(1)</script>" not in page
    assert 'name="_save"' not in page
    assert office_of("manager").post(f"{LIST}{order.pk}/change/", {"status": "completed"}).status_code == 403
    assert office_of("manager").get(f"{LIST}add/").status_code == 403
    assert office_of("manager").post(f"{LIST}{order.pk}/delete/", {"post": "yes"}).status_code == 403


def test_one_message_tells_which_orders_moved_and_why_others_did_not(office_of):
    ready, pending, cancelled = make_order(status="ready"), make_order(), make_order(status="cancelled")

    response = run(office_of("manager"), "hand_over", ready, pending, cancelled)

    (message,) = told(response)
    assert message == (
        f"Completed: {ready.code}. Not completed: "
        f"{pending.code}: An order that is pending can become confirmed, cancelled, not completed. "
        f"{cancelled.code}: An order that is cancelled can become nothing, not completed."
    )
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == ["completed", "pending", "cancelled"]


def test_a_message_does_not_name_orders_without_end(office_of):
    orders = [make_order() for _ in range(52)]

    message = told(run(office_of("manager"), "confirm", *orders))[0]

    assert message.endswith(f"{orders[49].code} and 2 more.")
    assert not Order.objects.exclude(status="confirmed").exists()


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("confirm", "pending", "confirmed"),
        ("start_baking", "confirmed", "baking"),
        ("make_ready", "baking", "ready"),
        ("hand_over", "ready", "completed"),
        ("cancel", "confirmed", "cancelled"),
    ],
)
def test_each_action_takes_its_step(office_of, action, before, after):
    order = make_order(status=before)

    run(office_of("manager"), action, order)

    order.refresh_from_db()
    assert order.status == after


def test_a_driver_sees_deliveries_and_takes_them_out(office_of):
    client = office_of("driver")
    pickup, delivery = make_order(status="ready"), make_order(fulfilment="delivery", status="ready")

    assert codes(client.get(LIST)) == {delivery.code}
    assert client.get(f"{LIST}{pickup.pk}/change/").status_code == 302

    run(client, "send_out", delivery, pickup)
    run(client, "hand_over", delivery)

    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == ["ready", "completed"]


def test_what_is_being_baked_is_cancelled_with_a_note_only(office_of):
    client = office_of("manager")
    order = make_order(status="baking")

    assert told(run(client, "cancel", order)) == [f"Not cancelled: {order.code}: Say why it is cancelled now."]
    assert told(run(client, "cancel", order, note="The oven broke")) == [f"Cancelled: {order.code}."]
    assert order.history.last().note == "The oven broke"


def test_actions_are_offered_to_those_who_may(office_of):
    make_order()

    def offered(role):
        page = office_of(role).get(LIST)
        return {name for name, _ in page.context["action_form"].fields["action"].choices if name}

    deliveries, slips = {"print_deliveries", "save_deliveries"}, {"print_slips", "save_slips"}
    assert offered("cashier") == {"confirm", "hand_over", "cancel"} | deliveries | slips
    assert offered("baker") == {"start_baking", "make_ready"} | deliveries | slips
    assert offered("driver") == {"send_out", "hand_over"} | deliveries
    moves = {"confirm", "start_baking", "make_ready", "send_out", "hand_over", "cancel"}
    assert offered("manager") == moves | deliveries | slips


def test_a_customer_does_not_enter(office_of):
    assert office_of("customer").get(LIST).status_code == 302


def test_an_order_has_one_history_which_is_on_its_page(office_of):
    order = make_order()

    page = office_of("manager").get(f"{LIST}{order.pk}/change/").content.decode()

    assert f"{LIST}{order.pk}/history/" not in page
    assert "history" in page.lower()
