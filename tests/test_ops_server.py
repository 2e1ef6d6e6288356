"""How connections are divided among the processes and threads of the web server."""

import json
import re
import socket
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.server import a_shop
from tests.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.servers, pytest.mark.django_db]

PROCESSES, THREADS, ROUNDS = 2, 4, 5
CLIENTS = PROCESSES * THREADS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with a_shop(tmp_path_factory.mktemp("shop")) as shop:
        shop.serve()
        yield shop


def test_connections_that_come_at_once_are_shared_by_both_processes(tmp_path):
    with a_shop(tmp_path) as shop:
        shop.serve("tests.unhurried:application")
        for _ in range(ROUNDS):  # once it may be so by chance
            (shop.folder / "go").unlink(missing_ok=True)
            with ExitStack() as stack:
                clients = [stack.enter_context(closing(HTTPConnection("127.0.0.1", shop.port))) for _ in range(CLIENTS)]
                for client in clients:
                    client.connect()
                for client in clients:
                    client.request("GET", "/stay")
                wait_until(lambda: sum(held_by_process(shop.port)) == CLIENTS, shop.log)
                assert held_by_process(shop.port) == [THREADS] * PROCESSES
                (shop.folder / "go").touch()
                assert {client.getresponse().status for client in clients} == {404}


def test_connections_that_say_nothing_keep_nobody_waiting(tmp_path):
    with a_shop(tmp_path) as shop, ExitStack() as stack:
        shop.serve()
        for _ in range(16 * CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", shop.port)))

        # A thread that waits for a first byte does so for five seconds, eight of them for eighty.
        assert seconds_to_be_answered(shop.port) < 60


def test_who_stops_in_the_midst_of_a_request_is_let_go(tmp_path):
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with a_shop(tmp_path) as shop, ExitStack() as stack:
        shop.serve()
        for sent in [head, head + b'Content-Length: 50\r\n\r\n{"user'] * 6:  # more than there are threads
            stack.enter_context(socket.create_connection(("127.0.0.1", shop.port))).sendall(sent)

        # Nobody else would send them away.
        seconds_to_be_answered(shop.port)


def test_who_takes_no_answer_is_let_go(tmp_path):
    with a_shop(tmp_path) as shop, ExitStack() as stack:
        shop.serve("tests.unhurried:application")
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", shop.port)))
            client.sendall(b"GET /api/schema HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 1000)

        # Nobody else would send them away.
        wait_until(lambda: not established(shop.port), shop.log)


def test_who_has_the_answer_and_does_not_hang_up_keeps_nobody_waiting(tmp_path):
    with a_shop(tmp_path) as shop, ExitStack() as stack:
        shop.serve()
        for _ in range(16 * CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", shop.port), timeout=PATIENCE))
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")

        # A process that waits for each of them does so for two seconds, half of them for two minutes.
        assert seconds_to_be_answered(shop.port) < 60
        client.settimeout(PATIENCE)
        answered = b"".join(iter(lambda: client.recv(4096), b""))
        assert answered.startswith(b"HTTP/1.0 200 ")
        wait_until(lambda: is_let_go(client), shop.log)


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"GET /api/products?search=" + b"a" * 9000 + b" HTTP/1.1", 414, "too_large"),
        (b"GET /api/products HTTP/1.1\r\nX-Words: " + b"a" * 9000, 431, "too_large"),
        (b"GET /api/products HTTP/1.1\r\nContent-Length: two", 400, "parse_error"),
        (b"GET /api/br\xf6tchen HTTP/1.1", 400, "parse_error"),
        (b"good morning", 400, "parse_error"),
    ],
)
def test_what_is_no_request_is_refused_in_the_envelope(server, head, status, code):
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head + b"\r\nHost: localhost\r\n\r\n")
        with closing(HTTPResponse(connection)) as response:
            response.begin()
            body = json.loads(response.read())

    assert (response.status, response.headers["Content-Type"]) == (status, "application/json")
    (problem,) = body["errors"]
    assert (body["success"], body["data"], problem["code"], problem["field"]) == (False, None, code, None)
    assert body["message"] == problem["message"]
    assert body["meta"]["request_id"] == response.headers["X-Request-ID"]
    assert body["meta"]["request_id"] in server.log()


def test_who_is_answered_before_a_broken_body_is_not_answered_twice(server):
    """What came next would be taken for the answer to the next request, of whoever shares the connection."""
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head + b"zz\r\nbroken")
        answered = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answered.startswith(b"HTTP/1.1 400 ")
    assert answered.count(b"HTTP/1.1") == 1


def test_a_long_address_gets_as_far_as_the_api(server):
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as client:
        client.request("GET", f"/api/products?search={'a' * 8000}")
        assert json.loads(client.getresponse().read())["errors"][0]["code"] == "max_length"


def seconds_to_be_answered(port):
    started = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
        client.request("GET", "/healthz")
        assert client.getresponse().status == 200
    return time.monotonic() - started


def is_let_go(client):
    """Whether nobody listens to it any more."""
    try:
        client.sendall(b"?")
    except OSError:
        return True
    return False


def established(port):
    """Return the sockets of the connections to `port`, also of those that nobody has taken yet."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}


def held_by_process(port):
    """Return how many connections to `port` each process holds that has any."""
    sockets = established(port)
    held = []
    for process in Path("/proc").iterdir():
        if re.fullmatch(r"\d+", process.name):
            try:
                links = [str(file.readlink()) for file in (process / "fd").iterdir()]
            except OSError:
                continue
            if count := len(sockets.intersection(links)):
                held.append(count)
    return held
