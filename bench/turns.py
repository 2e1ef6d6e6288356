"""Two shops, a small and a large one, that are asked the same in turns: what benchmarks of growth share."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Shop:
    """A running shop; `headers` go with every question."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers: dict[str, str] = {}

    def wait(self) -> None:
        for _ in range(300):
            try:
                self.connection.request("GET", "/healthz")
                self.connection.getresponse().read()
            except OSError:
                time.sleep(0.1)
            else:
                return
            finally:
                self.connection.close()
        raise SystemExit("A server did not start.")

    def send(self, method: str, path: str, body: object = None) -> dict:
        headers = {"Content-Type": "application/json", **self.headers}
        self.connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
        answer = self.connection.getresponse()
        read = answer.read()
        assert answer.status == 200, read
        return json.loads(read)

    def ask(self, path: str) -> tuple[float, int]:
        """Return the milliseconds that a list took, and how many rows it says there are."""
        start = time.perf_counter()
        answer = self.send("GET", path)
        return (time.perf_counter() - start) * 1000, answer["meta"]["pagination"]["total"]


@contextmanager
def running(url: str, folder: Path, port: int, fill: list[str]) -> Iterator[Shop]:
    """Migrate an empty database, fill it by the command `fill`, and run a server on it."""
    environment = os.environ | {
        "DATABASE_URL": url, "DATA_DIR": str(folder), "SECRET_KEY": "for-benchmarks-only-" * 4, "HTTPS_ONLY": "off",
        "THROTTLING": "off", "ALLOWED_HOSTS": "127.0.0.1", "DEBUG": "off", "WORKERS": "1", "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    run = {"cwd": ROOT, "env": environment}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, **run)
    subprocess.run([sys.executable, *fill], check=True, **run)
    if url.startswith("postgres"):
        # As autovacuum leaves a shop that came to its rows one by one.
        settle = "from django.db import connection; connection.cursor().execute('VACUUM ANALYZE')"
        subprocess.run([sys.executable, "manage.py", "shell", "-v0", "-c", settle], check=True, **run)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:bakery.gunicorn", "bakery.wsgi:application"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, **run, stdout=log, stderr=log)
        try:
            yield Shop(port)
        finally:
            server.terminate()
            server.wait()


@contextmanager
def two_shops(sizes: tuple[int, int], urls: list[str], fill: Callable[[int], list[str]]) -> Iterator[list[Shop]]:
    """Run a shop of each size: on the empty databases `urls`, or without them on SQLite in a temporary folder."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        shops = []
        for number, size in enumerate(sizes):
            folder = Path(place, str(size))
            folder.mkdir()
            url = urls[number] if urls else f"sqlite:///{folder}/shop.sqlite3"
            shops.append(stack.enter_context(running(url, folder, 8731 + number, fill(size))))
        for shop in shops:
            shop.wait()
        yield shops


def row(kind: str, found: str, small: list[float], large: list[float]) -> str:
    """Return a line of a table: the medians of both, their ratio, and what one in twenty exceeds in the large one."""
    few, many = statistics.median(small), statistics.median(large)
    slow = statistics.quantiles(large, n=20)[-1]
    return f"| {kind} | {found} | {few:.1f} ms | {many:.1f} ms | {many / few:.2f} | {slow:.1f} ms |"
