"""A shop of its own for a test: real processes, a throwaway database, on a free port."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Shop:
    """A migrated shop in `folder`; `serve()` and `work()` start its processes."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("DJANGO_")},
            "DJANGO_SETTINGS_MODULE": "tests.patient",
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "SECRET_KEY": "of-a-shop-in-a-test-" * 3,
            "HTTPS_ONLY": "off",
            "THROTTLING": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "PORT": str(self.port),
            "WORKERS": "2",
            **environment,
        }

    def manage(self, *args: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT, env=self.environment | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr[-3000:]
        return done

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def ask(self, code: str) -> Any:
        """Run Python code among the shop's models and return the JSON that it printed."""
        return json.loads(self.manage("shell", "-v0", "-c", code).stdout)

    def serve(self, application: str = "bakery.wsgi:application") -> subprocess.Popen[bytes]:
        """Start the production server and wait until it answers."""
        process = self.start("-m", "gunicorn", "--config", "python:bakery.gunicorn", application)

        def answers() -> bool:
            assert process.poll() is None, self.log()
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5)
            except OSError:
                return False
            return True

        wait_until(answers, self.log)
        return process

    def work(self) -> subprocess.Popen[bytes]:
        """Start the worker and wait until it says so."""
        process = self.start("manage.py", "worker")
        self.wait_for_line("worker started", process)
        return process

    def wait_for_line(self, words: str, process: subprocess.Popen[bytes]) -> None:
        """Wait until the log of the processes says so; `process` is to live until then."""

        def is_told() -> bool:
            ended = process.poll() is not None
            told = words in self.log()
            assert told or not ended, self.log()
            return told

        wait_until(is_told, self.log)

    def log(self) -> str:
        return (self.folder / "processes.log").read_text(errors="replace")[-5000:]

    def stop(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
        """End a process and all that it started."""
        if process.poll() is None:
            os.killpg(process.pid, number)
        process.wait(timeout=PATIENCE)
        self.processes.remove(process)


@contextmanager
def a_shop(folder: Path, **environment: str) -> Iterator[Shop]:
    """Make a migrated, empty shop on the kind of database that the tests run on, and take it away again."""
    with _database(folder) as url:
        shop = Shop(folder, url, **environment)
        try:
            yield shop
        finally:
            for process in list(shop.processes):
                shop.stop(process, signal.SIGKILL)


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    if connection.vendor == "sqlite":
        shutil.copy(_migrated(), folder / "bakery.sqlite3")
        yield f"sqlite:///{folder / 'bakery.sqlite3'}"
        return
    name = f"shop_{uuid.uuid4().hex[:12]}"
    _as_superuser(f'CREATE DATABASE "{name}" TEMPLATE "{_migrated()}"')
    try:
        yield _url(name)
    finally:
        for made in (name, f"{name}_replaced"):
            _as_superuser(f'DROP DATABASE IF EXISTS "{made}" WITH (FORCE)')


@cache
def _migrated() -> str:
    """Make the empty shop that all others are copied from, once in a process: to migrate takes seconds."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    if connection.vendor == "sqlite":
        name = str(folder / "bakery.sqlite3")
        Shop(folder, f"sqlite:///{name}").manage("migrate", "-v0")
        return name
    name = f"shop_template_{uuid.uuid4().hex[:12]}"
    _as_superuser(f'CREATE DATABASE "{name}"')
    atexit.register(_as_superuser, f'DROP DATABASE "{name}"')
    Shop(folder, _url(name)).manage("migrate", "-v0")
    return name


def _url(name: str) -> str:
    given: dict[str, Any] = settings.DATABASES["default"]
    login = given["USER"] + (f":{given['PASSWORD']}" if given["PASSWORD"] else "")
    return f"postgres://{login}@{given['HOST'] or 'localhost'}:{given['PORT'] or 5432}/{name}"


def _as_superuser(statement: str) -> None:
    import psycopg

    given = settings.DATABASES["default"]
    with psycopg.connect(
        host=given["HOST"], port=given["PORT"] or 5432, user=given["USER"], password=given["PASSWORD"],
        dbname="postgres", autocommit=True,
    ) as server:  # fmt: skip
        server.execute(statement)
