"""Several people at one register, each at a server process of their own or the same."""

from collections import Counter
from functools import partial

import pytest

from tests.client import at_once

pytestmark = pytest.mark.servers

AT_ONCE = 8


def test_of_eight_who_close_a_session_at_once_one_does(manager, cashier):
    stall = {"register": "stall"}
    assert manager.post("cash/registers", {"name": "stall"}).status == 201
    session = cashier.post("cash/sessions", {"float": "150.00", **stall}).data
    sale = {"type": "sale", "amount": "37.00", "method": "cash", **stall}
    close = {"counted": "187.00", "note": "It rained in."}

    booked = at_once([partial(cashier.post, "cash", sale)] * AT_ONCE)
    found = at_once([partial(cashier.post, f"cash/sessions/{session['id']}/close", close)] * AT_ONCE)

    assert {answer.status for answer in booked} == {201}
    assert sorted(answer.data["number"] for answer in booked) == list(range(1, AT_ONCE + 1))
    assert Counter((answer.status, *answer.codes) for answer in found) == {(200,): 1, (409, "session_closed"): 7}
    assert [answer.data["expected"] for answer in found if answer.status == 200] == ["446.00"]
