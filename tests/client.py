"""Customers and staff of a shop in a test: they talk to its server processes over HTTP, as many at once as is asked."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple, TypeVar

from tests.waiting import PATIENCE

T = TypeVar("T")


class Answer(NamedTuple):
    status: int
    raw: bytes
    replayed: bool

    @property
    def data(self) -> Any:
        return json.loads(self.raw)["data"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return json.loads(self.raw)["errors"]

    @property
    def codes(self) -> list[str]:
        return [problem["code"] for problem in self.errors]


class Client:
    """Somebody at the server on `url`, a guest until they log in. Each request has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url, self.headers = url, {"Content-Type": "application/json"}

    def log_in(self, username: str, password: str) -> "Client":
        answer = self.post("auth/login", {"username": username, "password": password})
        assert answer.status == 200, answer
        self.headers["Authorization"] = f"Bearer {answer.data['access']}"
        return self

    def get(self, path: str) -> Any:
        answer = self._send("GET", path)
        assert answer.status == 200, answer
        return answer.data

    def post(self, path: str, body: object, key: str | None = None) -> Answer:
        return self._send("POST", path, body, {"Idempotency-Key": key} if key else {})

    def put(self, path: str, body: object, **headers: str) -> Answer:
        return self._send("PUT", path, body, headers)

    def patch(self, path: str, body: object) -> Answer:
        return self._send("PATCH", path, body)

    def _send(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """Return the answer. Raises OSError or http.client.HTTPException where there is none."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers=self.headers | (headers or {}),
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return Answer(response.status, response.read(), "Idempotent-Replayed" in response.headers)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.read(), replayed=False)


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Do all of it at the same moment; return what came of each."""
    barrier = Barrier(len(acts))

    def do(act: Callable[[], T]) -> T:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def by_clients(count: int, acts: Sequence[Callable[[], T]]) -> list[T]:
    """Have `count` clients do all of it, each one thing after the other; return what came of each act."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda act: act(), acts))
