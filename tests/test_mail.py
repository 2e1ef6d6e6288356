"""Customers hear of their order, once each, also when the mail server was away in between."""

import json
import urllib.request
from datetime import timedelta
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller

from bakery import clock
from tests.server import a_shop, free_port
from tests.waiting import PATIENCE, wait_until


class Inbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        self.mails.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content)["Message-ID"]))
        return "250 OK"

    def wait_for(self, count):
        wait_until(lambda: len(self.mails) >= count, self.addresses)
        return self.addresses()

    def addresses(self):
        return sorted(address for address, _ in self.mails)


def open_for(inbox, port):
    server = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE)
    server.start()
    return server


def jobs_by(shop, field):
    """Return how many jobs there are of each value of a field."""
    return shop.ask(
        "import json; from collections import Counter; from django_tasks_db.models import DBTaskResult;"
        f"print(json.dumps(Counter(DBTaskResult.objects.values_list({field!r}, flat=True))))"
    )


def all_is_sent(shop):
    return jobs_by(shop, "status").keys() == {"SUCCESSFUL"}


def order(shop, address):
    due = (clock.local(clock.now()) + timedelta(days=2)).replace(hour=10, minute=0)
    body = {
        "customer_name": "Ada", "customer_email": address, "due_at": due.isoformat(timespec="seconds"),
        "items": [{"product": 1, "quantity": 1}],
    }  # fmt: skip
    request = urllib.request.Request(
        f"{shop.url}/api/orders", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    assert urllib.request.urlopen(request).status == 201


@pytest.mark.servers
def test_each_notice_arrives_once_whatever_the_mail_server_does(db, tmp_path):
    port, inbox = free_port(), Inbox()
    with a_shop(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{port}") as shop:
        shop.manage("loaddata", "demo")
        shop.manage("shell", "-c", "from bakery.models import OpeningHours; OpeningHours.objects.all().delete()")
        shop.serve()
        shop.work()
        server = open_for(inbox, port)
        order(shop, "first@mail.example")
        assert inbox.wait_for(1) == ["first@mail.example"]
        wait_until(lambda: all_is_sent(shop), shop.log)
        server.stop()

        order(shop, "second@mail.example")
        order(shop, "third@mail.example")
        wait_until(lambda: jobs_by(shop, "exception_class_path").get("builtins.ConnectionRefusedError") == 2, shop.log)
        server = open_for(inbox, port)
        try:
            everyone = ["first@mail.example", "second@mail.example", "third@mail.example"]
            assert inbox.wait_for(3) == everyone
            wait_until(lambda: all_is_sent(shop), shop.log)
            assert inbox.addresses() == everyone
        finally:
            server.stop()
