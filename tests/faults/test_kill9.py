"""The server is killed in the midst of it, and no order or payment is lost or doubled; and the proof of it can fail."""

import os

import pytest

from tests.faults import kill9
from tests.server import a_shop

pytestmark = pytest.mark.servers

ROUNDS = int(os.environ.get("KILL9_ROUNDS", "2"))


def test_what_was_acknowledged_survives_and_what_was_not_is_not_doubled(tmp_path):
    with a_shop(tmp_path) as shop:
        report = kill9.run(shop, rounds=ROUNDS, seed=ROUNDS)

    print(report)
    assert report.faults == []
    assert len(report.outages) == ROUNDS
    assert len(report.requests) > report.repeated > 0
    assert report.unanswered > 0


@pytest.mark.parametrize(
    ("guard", "fault"), [("forgets_orders", "acknowledged as"), ("knows_no_keys", "stored 2 times")]
)
def test_orders_that_are_lost_or_doubled_are_found(tmp_path, guard, fault):
    """The counterproof."""
    with a_shop(tmp_path, CARELESS=guard) as shop:
        report = kill9.run(shop, rounds=1, seed=1, application="tests.careless:application")

    assert any(fault in line for line in report.faults), report
