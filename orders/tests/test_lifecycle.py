"""PUT /api/orders/{id}/status: the whole square of steps for every role, the order of the checks, the history."""

import pytest
from django.db import transaction

from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.models import Order, Status
from orders.tests.factories import make_order

pytestmark = pytest.mark.django_db

PICKUP = {
    "pending": {"confirmed", "cancelled"},
    "confirmed": {"baking", "cancelled"},
    "baking": {"ready", "cancelled"},
    "ready": {"completed", "cancelled", "no_show"},
    "completed": set(),
    "cancelled": set(),
    "no_show": set(),
}
DELIVERY = {
    **PICKUP,
    "ready": {"out_for_delivery", "cancelled", "no_show"},
    "out_for_delivery": {"completed"},
}
ALL = {(before, after) for steps in (PICKUP, DELIVERY) for before, others in steps.items() for after in others}
MAY = {
    "customer": {("pending", "cancelled"), ("confirmed", "cancelled")},
    "cashier": {
        ("pending", "confirmed"), ("ready", "completed"), ("pending", "cancelled"), ("confirmed", "cancelled"),
    },
    "baker": {("confirmed", "baking"), ("baking", "ready")},
    "driver": {("ready", "out_for_delivery"), ("out_for_delivery", "completed")},
    "manager": ALL,
    "admin": ALL,
}  # fmt: skip


def expected(role, fulfilment, before, after):
    """Return the answer that the contract wants."""
    legal = DELIVERY if fulfilment == "delivery" else PICKUP
    if role == "driver" and fulfilment == "pickup":
        return 404
    if before == after:
        return 200
    if after not in legal[before]:
        return 409
    return 200 if (before, after) in MAY[role] else 403


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize(
    ("fulfilment", "before"),
    [("pickup", status) for status in PICKUP] + [("delivery", status) for status in DELIVERY],
)
def test_the_square(api_as, role, fulfilment, before):
    """From one status to each, as one role: what is answered is done, and what is refused leaves no trace."""
    user = make_user(role=role)
    details = {"customer": user.pk} if role == "customer" else {}
    order = make_order(actor=make_user(role="manager"), fulfilment=fulfilment, status=before, **details)
    offered = services.allowed_statuses(order, user, clock.now())
    steps, client, answers = order.history.count(), api_as(user), {}

    for after in Status.values:
        with transaction.atomic():
            response = client.put(f"/api/orders/{order.pk}/status", {"status": after, "note": "why"})
            answers[after] = response.status_code
            moved = response.status_code == 200 and before != after
            assert Order.objects.get().status == (after if moved else before)
            assert order.history.count() == steps + moved
            assert (after in offered) == moved or response.status_code == 404
            transaction.set_rollback(True)

    assert answers == {after: expected(role, fulfilment, before, after) for after in Status.values}


def test_the_answer_is_the_order(api_as):
    order = make_order()

    response = api_as("manager").put(f"/api/orders/{order.pk}/status", {"status": "confirmed", "note": "By phone"})

    read = api_as("manager").get(f"/api/orders/{order.pk}")
    assert response["ETag"] == read["ETag"]
    assert response.json()["data"] == read.json()["data"]
    assert response.json()["data"]["allowed_statuses"] == ["baking", "cancelled"]


def test_each_step_is_kept_and_shown_the_oldest_first(api_as):
    order = make_order()
    manager = make_user(role="manager")
    for status in ("confirmed", "baking", "ready", "no_show"):
        api_as(manager).put(f"/api/orders/{order.pk}/status", {"status": status, "note": f"to {status}"})

    history = api_as("baker").get(f"/api/orders/{order.pk}/history").json()["data"]

    assert [(step["from"], step["to"], step["note"], step["user"]) for step in history] == [
        (None, "pending", "", None),
        ("pending", "confirmed", "to confirmed", manager.username),
        ("confirmed", "baking", "to baking", manager.username),
        ("baking", "ready", "to ready", manager.username),
        ("ready", "no_show", "to no_show", manager.username),
    ]


def first_error(response):
    problem = response.json()["errors"][0]
    return response.status_code, problem["code"], problem["field"]


def test_the_checks_come_in_the_order_that_is_promised(api_as):
    order = make_order(status="confirmed")
    stale = {"If-Match": '"1"'}

    def put(who, body, at=order.pk, **headers):
        return first_error(api_as(who).put(f"/api/orders/{at}/status", body, headers=headers))

    assert put("baker", {"status": "nonsense"}, at=10**9) == (404, "not_found", None)
    assert put("customer", {"status": "nonsense"}) == (404, "not_found", None)
    assert put("baker", {"status": "nonsense"}, **stale) == (400, "invalid_choice", "status")
    assert put("baker", {}, **stale) == (400, "required", "status")
    assert put("baker", {"status": "confirmed"}, **stale) == (412, "stale", None)
    assert put("baker", {"status": "completed"}) == (409, "illegal_transition", "status")
    assert put("baker", {"status": "cancelled"}) == (403, "permission_denied", None)
    order.refresh_from_db()
    assert (order.status, order.version) == ("confirmed", 2)


def test_the_same_status_again_changes_nothing(api_as):
    order = make_order(status="confirmed")

    for who in ("baker", "cashier"):
        response = api_as(who).put(f"/api/orders/{order.pk}/status", {"status": "confirmed"})
        assert (response.status_code, response["ETag"][:3]) == (200, '"2-')

    assert order.history.count() == 2


def test_a_late_customer_is_refused_last_of_all(api_as):
    customer = make_user()
    order = make_order(actor=customer)
    Order.objects.update(deadline_at=clock.now())
    client = api_as(customer)

    def put(status):
        return first_error(client.put(f"/api/orders/{order.pk}/status", {"status": status}))[:2]

    assert put("completed") == (409, "illegal_transition")
    assert put("confirmed") == (403, "permission_denied")
    assert put("cancelled") == (409, "too_late")
    assert client.get(f"/api/orders/{order.pk}").json()["data"]["allowed_statuses"] == []
    assert order.history.count() == 1


@pytest.mark.parametrize("status", ["baking", "ready"])
def test_what_is_being_baked_is_cancelled_with_a_note_only(api_as, status):
    order = make_order(status=status)
    client = api_as("manager")

    bare = client.put(f"/api/orders/{order.pk}/status", {"status": "cancelled", "note": "  "})
    with_note = client.put(f"/api/orders/{order.pk}/status", {"status": "cancelled", "note": "The oven broke"})

    assert first_error(bare) == (400, "required", "note")
    assert with_note.status_code == 200


def test_whoever_acted_on_an_older_status_has_lost_the_race():
    order = make_order()
    manager = make_user(role="manager")
    services.change_status(order_id=order.pk, to="confirmed", actor=manager)

    with pytest.raises(services.lifecycle.IllegalTransition, match="became confirmed in the meantime"):
        services.change_status(order_id=order.pk, to="cancelled", actor=manager, seen="pending")

    order.refresh_from_db()
    assert order.status == "confirmed"
