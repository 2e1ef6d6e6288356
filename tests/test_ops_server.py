"""How connections are divided among the processes of the web server."""

import re
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.server import a_shop

pytestmark = [pytest.mark.servers, pytest.mark.django_db]

CLIENTS = 16
WRONG = '{"username": "nobody", "password": "wrong"}'


def test_connections_that_come_at_once_are_shared_by_both_processes(tmp_path):
    with a_shop(tmp_path) as shop:
        shop.serve()
        for _ in range(8):
            with ExitStack() as stack:
                clients = [stack.enter_context(closing(HTTPConnection("127.0.0.1", shop.port))) for _ in range(CLIENTS)]
                for client in clients:
                    client.connect()
                for client in clients:
                    # Slow on purpose: a name that is not known takes as long as a wrong password.
                    client.request("POST", "/api/auth/login", WRONG, {"Content-Type": "application/json"})
                for client in clients:
                    client.getresponse().read()
                shared = held_by_process(shop.port)
                # As many as a process has threads, which is what each takes before the other one is needed.
                assert sum(shared) == CLIENTS
                assert min(shared) >= 4, shared


def held_by_process(port):
    """Return how many established connections to `port` each process holds that has any."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}
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
