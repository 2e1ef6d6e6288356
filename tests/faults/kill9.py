"""Kill a shop's server again and again while customers order and pay: nothing acknowledged is lost, nothing doubled.

    python tests/faults/kill9.py --rounds 20

The shop is made for it, on the kind of database that DATABASE_URL names (SQLite where it is not set; on PostgreSQL its
user must be allowed to make databases), and run by the production server. In each round customers place orders and pay
them, each request with an Idempotency-Key, and repeat a request until it is answered; in the midst of it the server and
all its processes get SIGKILL. What was acknowledged is then asked for once more, and must be answered as before. In the
end the database is held against what the customers know. Exits with 1, and a line for each fault, where they differ.
"""

import argparse
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Event
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from datetime import timedelta

from django.db import connection

from bakery import clock
from tests.client import Answer, Client
from tests.server import Shop, a_shop
from tests.waiting import PATIENCE

SET_UP = """
import json
from accounts.models import User
from products.tests.factories import make_category, make_product
user = User(username="cashier", email="cashier@bakery.example", role="cashier")
user.set_password("bread-and-butter-7")
user.save()
category = make_category()
limits = (None, 1_000_000, 1_000_000)
print(json.dumps([make_product(category=category, price="2.00", daily_capacity=limit).pk for limit in limits]))
"""
# The key of a request stands in the note of its order or payment, so that the table of keys is no witness of itself.
BOOKS = """
import json
from cashbook.models import CashEntry
from orders.models import Order, Payment
payments = Payment.objects.select_related("cash_entry").order_by("pk")
print(json.dumps({
    "orders": [[row.notes, row.pk, str(row.paid)] for row in Order.objects.order_by("pk")],
    "payments": [
        [row.note, row.pk, row.order_id, str(row.amount), str(row.cash_entry.amount), row.cash_entry.reference]
        for row in payments
    ],
    "entries": CashEntry.objects.count(),
}))
"""


@dataclass
class Request:
    """What a customer asks for, under a key, and the first answer to it."""

    key: str
    path: str
    body: dict[str, Any]
    answer: Answer | None = None


@dataclass
class Report:
    """What happened, and what should not have."""

    requests: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unanswered: int = 0
    recovered: int = 0
    repeated: int = 0
    outages: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        orders = sum(request.path == "orders" and request.answer is not None for request in self.requests)
        longest = max(self.outages, default=0)
        return "\n".join([
            f"Kills: {len(self.outages)}; the server answered again after {longest:.1f} s at most.",
            f"Acknowledged: {orders} orders, {len(self.requests) - orders} payments.",
            f"Requests without an answer: {self.unanswered}, of which {self.recovered} had been done all the same.",
            f"Acknowledged ones asked for again: {self.repeated}.",
            *self.faults,
            f"Faults: {len(self.faults)}.",
        ])  # fmt: skip


class Run:
    """A shop, its customers, and what they saw."""

    def __init__(self, shop: Shop, *, seed: int, clients: int, application: str) -> None:
        self.shop, self.clients, self.application = shop, clients, application
        self.chance, self.report = random.Random(seed), Report()
        self.products = shop.ask(SET_UP)
        self.due_at = (clock.local(clock.now()) + timedelta(days=2)).replace(microsecond=0).isoformat()

    def go(self, rounds: int) -> Report:
        server = self.shop.serve(self.application)
        for number in range(rounds):
            server = self.one_round(number, server)
        self.shop.stop(server)
        self.report.faults += [*audit(self.report.requests, self.shop.ask(BOOKS)), *self.auditors()]
        return self.report

    def one_round(self, number: int, server: Any) -> Any:
        customer = Client(self.shop.url).log_in("cashier", "bread-and-butter-7")
        closed = Event()
        with ThreadPoolExecutor(self.clients) as pool:
            shopping = [
                pool.submit(self.buy, customer, f"{number}-{who}", self.chance.random(), closed)
                for who in range(self.clients)
            ]
            self.wait_for(self.chance.randint(30, 90))
            time.sleep(self.chance.uniform(0, 0.05))
            before = list(self.report.requests)
            self.shop.stop(server, signal.SIGKILL)
            killed = time.monotonic()
            server = self.shop.serve(self.application)
            self.report.outages.append(time.monotonic() - killed)
            self.wait_for(2 * self.clients)
            closed.set()
            for customer_done in shopping:
                customer_done.result()
            of_round = [request for request in before if request.key.startswith(f"{number}-")]
            list(pool.map(partial(self.ask_again, customer), of_round))
        return server

    def wait_for(self, count: int) -> None:
        """Wait until so many more requests are acknowledged."""
        enough, until = len(self.report.requests) + count, time.monotonic() + PATIENCE
        while len(self.report.requests) < enough and time.monotonic() < until:
            time.sleep(0.005)

    def buy(self, customer: Client, name: str, seed: float, closed: Event) -> None:
        """Place orders and pay them, one after the other, until the shop is closed."""
        chance = random.Random(seed)
        for number in itertools.count():
            if closed.is_set():
                return
            key = f"{name}-{number}"
            items = [{"product": pk, "quantity": 1} for pk in chance.sample(self.products, chance.randint(1, 3))]
            order = Request(f"{key}-order", "orders", {"due_at": self.due_at, "notes": f"{key}-order", "items": items})
            answer = self.settle(customer, order)
            if answer is None:
                continue
            pay = {"amount": "2.00", "method": chance.choice(["cash", "card"]), "note": f"{key}-payment"}
            self.settle(customer, Request(f"{key}-payment", f"orders/{answer.data['id']}/payments", pay))

    def settle(self, customer: Client, request: Request) -> Answer | None:
        """Repeat the request until it is answered, and note what was acknowledged."""
        tries, until = 0, time.monotonic() + PATIENCE
        while True:
            try:
                answer = customer.post(request.path, request.body, request.key)
            except (OSError, HTTPException):
                tries += 1
                if time.monotonic() > until:
                    self.report.faults.append(f"{request.key}: no answer within {PATIENCE} seconds")
                    return None
                time.sleep(0.05)
            else:
                break
        self.report.unanswered += bool(tries)
        self.report.recovered += bool(tries) and answer.replayed
        if answer.status != 201:
            self.report.faults.append(f"{request.key}: answered {answer.status} {answer.raw[:200]!r}")
            return None
        request.answer = answer
        self.report.requests.append(request)
        return answer

    def ask_again(self, customer: Client, request: Request) -> None:
        again = customer.post(request.path, request.body, request.key)
        self.report.repeated += 1
        if request.answer is None or again.raw != request.answer.raw:
            self.report.faults.append(f"{request.key}: asked again, and answered otherwise: {again.raw[:200]!r}")

    def auditors(self) -> list[str]:
        """Return what the shop's own auditors find."""
        done = [self.shop.manage(command, check=False) for command in ("doctor", "verify_cashbook")]
        return [line for audit in done if audit.returncode for line in (audit.stdout + audit.stderr).splitlines()]


def audit(acknowledged: list[Request], books: dict[str, Any]) -> list[str]:
    """Return a line for each request that is not in the books once as it was acknowledged, and for what nobody sent."""
    orders = [request for request in acknowledged if request.path == "orders"]
    payments = [request for request in acknowledged if request.path != "orders"]
    faults = [*_once(orders, books["orders"]), *_once(payments, books["payments"])]
    for key, _, order, amount, booked, reference in books["payments"]:
        if (amount, f"order:{order}") != (booked, reference):
            faults.append(f"{key}: {amount} for order {order} is booked as {booked} for {reference}")
    if books["entries"] != len(books["payments"]):
        faults.append(f"{len(books['payments'])} payments have {books['entries']} cash entries")
    return faults


def _once(acknowledged: list[Request], rows: list[list[Any]]) -> list[str]:
    stored: dict[str, list[int]] = {}
    for key, pk, *_ in rows:
        stored.setdefault(key, []).append(pk)
    told = {request.key: request.answer.data["id"] for request in acknowledged if request.answer}
    missing = [f"{key}: acknowledged as {pk}, and missing" for key, pk in told.items() if key not in stored]
    doubled = [f"{key}: stored {len(pks)} times" for key, pks in stored.items() if len(pks) > 1]
    other = [f"{key}: acknowledged as {told[key]}, stored as {pks}" for key, pks in stored.items()
             if key in told and told[key] not in pks]  # fmt: skip
    unknown = [f"{key}: stored, and not acknowledged in the end" for key in stored.keys() - told.keys()]
    return missing + doubled + other + unknown


def run(
    shop: Shop, *, rounds: int, seed: int, clients: int = 8, application: str = "bakery.wsgi:application"
) -> Report:
    """Run `rounds` in `shop`, which is empty and not served yet; `application` is what its server runs."""
    return Run(shop, seed=seed, clients=clients, application=application).go(rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the moments and the baskets")
    parser.add_argument("--clients", type=int, default=8)
    asked = parser.parse_args()
    print(f"{connection.vendor}: {asked.rounds} rounds, {asked.clients} clients, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, a_shop(Path(folder)) as shop:
        report = run(shop, **vars(asked))
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
