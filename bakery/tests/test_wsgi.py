"""How the requests of one process wait for each other."""

import threading

from bakery.wsgi import TakingTurns
from tests.waiting import PATIENCE, wait_until


class Application:
    """Notes how many are in it at once; each stays until `leave` is set."""

    def __init__(self):
        self.inside = self.most = 0
        self.counting = threading.Lock()
        self.leave = threading.Event()

    def __call__(self, environ, start_response):
        with self.counting:
            self.inside += 1
            self.most = max(self.most, self.inside)
        if environ["fails"]:
            raise ValueError
        self.leave.wait(environ["stays"])
        with self.counting:
            self.inside -= 1
        return [b"answer"]


def ask_at_once(taking_turns, count, *, stays):
    threads = [
        threading.Thread(target=taking_turns, args=({"stays": stays, "fails": False}, None), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def test_short_requests_come_in_one_by_one():
    application = Application()

    for thread in ask_at_once(TakingTurns(application, patience=PATIENCE), 8, stays=0.005):
        thread.join()

    assert application.most == 1


def test_a_long_request_holds_nobody_up_for_longer_than_their_patience():
    application = Application()
    threads = ask_at_once(TakingTurns(application, patience=0.02), 4, stays=PATIENCE)

    wait_until(lambda: application.inside == 4)
    application.leave.set()
    for thread in threads:
        thread.join()


def test_the_turn_is_passed_on_by_a_request_that_breaks():
    application = Application()
    taking_turns = TakingTurns(application, patience=2 * PATIENCE)
    try:
        taking_turns({"stays": 0, "fails": True}, None)
    except ValueError:
        application.inside = 0
    (thread,) = ask_at_once(taking_turns, 1, stays=0)
    thread.join(PATIENCE)

    assert not thread.is_alive()


def test_the_answer_is_the_applications():
    application = Application()
    assert TakingTurns(application, patience=10)({"stays": 0, "fails": False}, None) == [b"answer"]
