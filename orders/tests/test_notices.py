"""E-mails about an order: owed in its transaction, sent by the worker once, tried again when the server is down."""

import pytest
from django.core import mail
from django_tasks_db.models import DBTaskResult

from accounts.tests.factories import make_user
from bakery import clock, jobs
from bakery.models import Shop
from orders import services
from orders.errors import CapacityExceeded
from orders.models import Notice
from orders.tasks import send_notice
from orders.tests.factories import make_order, move, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db


def kinds():
    return list(Notice.objects.values_list("kind", flat=True))


def test_the_customer_is_told_what_was_ordered():
    Shop.objects.create(pk=1, name="Mill Lane Bakery", address="1 Mill Lane", phone="0123", email="hello@example.com")
    cake = make_product(name="Cake & Co", price="12.50")
    order = make_order(
        items=[{"product": cake.pk, "quantity": 2, "note": "Happy <birthday>"}],
        customer_name="Ada",
        customer_email="ada@example.com",
        due_at=on(1, 9, 30),
    )

    jobs.run_due()

    [message] = mail.outbox
    assert (message.subject, message.to, message.reply_to) == (
        f"We have your order {order.code}",
        ["ada@example.com"],
        ["hello@example.com"],
    )
    assert message.body == (
        "Hello Ada,\n\nthank you for your order. We will tell you when it is confirmed.\n\n"
        f"Order {order.code}\n2 × Cake & Co  25.00 EUR (Happy <birthday>)\nTotal 25.00 EUR\n"
        f"To be picked up on {on(1):%A} {on(1).day} {on(1):%B %Y}, 09:30\n\n"
        "Mill Lane Bakery\n1 Mill Lane\n0123\n\n"
    )
    assert order.tracking_token not in str(message.message())


def test_a_notice_goes_out_at_each_step_that_concerns_the_customer():
    order = make_order(customer_email="ada@example.com", fulfilment="delivery", status="completed")
    cancelled = make_order(customer_email="ada@example.com", status="cancelled")

    jobs.run_due()

    assert [message.subject.replace(order.code, "1").replace(cancelled.code, "2") for message in mail.outbox] == [
        "We have your order 1",
        "Your order 1 is confirmed",
        "Your order 1 is ready",
        "We have your order 2",
        "Your order 2 is cancelled",
    ]
    assert "will be on its way soon" in mail.outbox[2].body
    assert not Notice.objects.filter(sent_at=None).exists()


def test_without_an_address_nobody_is_owed_a_mail():
    make_order(customer_phone="0123", status="ready")
    services.sell(actor=make_user(role="cashier"), items=[{"product": make_product().pk, "quantity": 1}], method="cash")

    assert kinds() == []
    assert not DBTaskResult.objects.exists()


def test_an_order_that_is_refused_owes_no_mail():
    with pytest.raises(CapacityExceeded):
        make_order(
            items=[{"product": make_product(daily_capacity=0).pk, "quantity": 1}], customer_email="ada@example.com"
        )

    assert kinds() == []
    assert not DBTaskResult.objects.exists()


def test_a_job_that_runs_twice_sends_once():
    make_order(customer_email="ada@example.com")
    jobs.run_due()

    send_notice.func(Notice.objects.get().pk)
    send_notice.func(10**9)

    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_down_loses_and_delays_no_order(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    order = make_order(customer_email="ada@example.com")
    jobs.run_due()
    move(order, "confirmed")
    jobs.run_due()
    assert list(Notice.objects.values_list("kind", "sent_at")) == [("received", None), ("confirmed", None)]

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for _ in range(3):
        DBTaskResult.objects.update(run_after=clock.now())
        jobs.run_due()

    assert sorted(message.subject for message in mail.outbox) == [
        f"We have your order {order.code}",
        f"Your order {order.code} is confirmed",
    ]
    assert not Notice.objects.filter(sent_at=None).exists()


def test_a_second_try_is_the_same_mail():
    make_order(customer_email="ada@example.com")
    jobs.run_due()
    Notice.objects.update(sent_at=None)
    send_notice.func(Notice.objects.get().pk)

    first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
    assert first == second


@pytest.mark.parametrize("sender", ["Bakery <shop@example.com>", "shop@example.com"])
def test_the_id_of_a_mail_names_the_senders_domain_alone(settings, sender):
    settings.DEFAULT_FROM_EMAIL = sender
    order = make_order(customer_email="ada@example.com")
    jobs.run_due()

    message_id = mail.outbox[0].message()["Message-ID"]
    assert message_id == f"<notice-{Notice.objects.get().pk}.{order.code}@example.com>"


def test_no_mail_goes_to_an_address_that_was_taken_back():
    order = make_order(customer_email="ada@example.com")
    services.edit_order(order_id=order.pk, actor=make_user(role="cashier"), changes={"customer_email": ""})

    jobs.run_due()

    assert mail.outbox == []
