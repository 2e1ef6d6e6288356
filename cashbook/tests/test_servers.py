"""Several people at one register, each at a server process of their own or the same."""

import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.server import a_shop

pytestmark = [pytest.mark.servers, pytest.mark.django_db]

AT_ONCE = 8


def call(shop, path, body, token=""):
    """Return the status and the data, or the error codes, of a POST."""
    request = urllib.request.Request(
        f"{shop.url}/api/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)["data"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, [problem["code"] for problem in json.load(error)["errors"]]


def at_once(*acts):
    barrier = Barrier(len(acts))

    def do(act):
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


MAKE_CASHIER = """
from accounts.models import User
user = User(username="till", email="till@bakery.example", role="cashier")
user.set_password("bread-and-butter-7")
user.save()
"""


def test_of_eight_who_close_a_session_at_once_one_does(tmp_path):
    with a_shop(tmp_path) as shop:
        shop.manage("shell", "-c", MAKE_CASHIER)
        shop.serve()
        status, tokens = call(shop, "auth/login", {"username": "till", "password": "bread-and-butter-7"})
        assert status == 200, tokens
        token = tokens["access"]
        _, session = call(shop, "cash/sessions", {"float": "150.00"}, token)
        sale = {"type": "sale", "amount": "37.00", "method": "cash"}
        close = {"counted": "187.00"}

        booked = at_once(*[lambda: call(shop, "cash", sale, token)] * AT_ONCE)
        found = at_once(*[lambda: call(shop, f"cash/sessions/{session['id']}/close", close, token)] * AT_ONCE)

        assert {status for status, _ in booked} == {201}
        assert sorted(entry["number"] for _, entry in booked) == list(range(1, AT_ONCE + 1))
        assert Counter(status for status, _ in found) == {200: 1, 409: 7}
        assert [codes for status, codes in found if status == 409] == [["session_closed"]] * 7
        assert [data["expected"] for status, data in found if status == 200] == ["446.00"]
        assert shop.manage("verify_cashbook").stdout == "The cash book is as it was written.\n"
