"""The demo shop has something to show for everybody who signs in."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from accounts.models import User
from bakery import clock
from orders.models import Order


def seeded():
    call_command("loaddata", "demo", verbosity=0)
    call_command("seed_demo", verbosity=0)


@pytest.mark.django_db
def test_the_driver_has_something_to_deliver_today_and_tomorrow(api_as, client, time_machine):
    time_machine.move_to(datetime(2026, 11, 24, 9, tzinfo=UTC))
    seeded()
    driver, today = User.objects.get(username="driver"), clock.today()

    due = api_as(driver).get(f"/api/orders?due_date={today}&ordering=due_at").json()["data"]

    assert [order["status"] for order in due] == ["out_for_delivery", "ready", "confirmed"]
    assert [order["allowed_statuses"] for order in due] == [["completed"], ["out_for_delivery"], []]
    assert {order["payment_status"] for order in due} == {"paid", "unpaid"}
    done = Order.objects.filter(fulfilment="delivery", due_on=today - timedelta(days=1))
    assert set(done.values_list("status", flat=True)) == {"completed"}
    client.force_login(driver)
    for day in (today, today + timedelta(days=1)):
        page = client.get(f"/admin/orders/order/deliveries/?day={day}").content.decode()
        assert "3 stops" in page
    call_command("doctor", verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize("now", [datetime(2026, 12, 26, 22, 30, tzinfo=UTC), datetime(2026, 11, 28, 4, tzinfo=UTC)])
def test_it_can_be_seeded_on_a_closed_day_and_in_the_night(time_machine, now):
    time_machine.move_to(now)
    seeded()
    assert Order.objects.filter(fulfilment="delivery").exists()
