"""Gunicorn's configuration: `gunicorn --config python:bakery.gunicorn bakery.wsgi`."""

import gc
import os
import selectors
import shutil
import socket
import struct
import tempfile
import time
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

from bakery import env, logs


class ImpatientReader(SocketUnreader):  # type: ignore[misc]  # it has no types
    """Takes a client that has been silent for too long for one that has hung up."""

    def chunk(self, size_hint: int | None = None) -> Any:
        try:
            return super().chunk(size_hint)
        except BlockingIOError:
            return b""


class FairWorker(ThreadWorker):  # type: ignore[misc]  # it has no types
    """Gunicorn's threaded worker, which takes new connections only while one of its threads is free.

    Otherwise whoever wakes first takes them all and keeps them, and one process works while the other waits. So that
    connections that are kept busy shut nobody out, one more is let in every `PATIENCE` seconds all the same.

    Who says nothing keeps no thread: a connection waits for its first byte with those that are kept alive, and who
    stops in the midst of a request is let go after `SILENCE` seconds.
    """

    PATIENCE = 0.02
    SILENCE = 10
    _accepted_at = 0.0

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        # Who has only just come is about to ask.
        just_now = time.monotonic() + self.cfg.keepalive - self.PATIENCE
        newcomers = sum(1 for _ in takewhile(lambda conn: conn.timeout > just_now, reversed(self.pending_conns)))
        busy = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns) + newcomers
        full = busy >= self.cfg.threads and time.monotonic() - self._accepted_at < self.PATIENCE
        if self._accepting and full:
            self.set_accept_enabled(False)
            timeout = min(timeout, self.PATIENCE)
        super().wait_for_and_dispatch_events(timeout)

    def accept(self, listener: Any) -> None:
        self._accepted_at = time.monotonic()
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        if conn.initialized or conn.wait_for_data(0):
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        if not conn.initialized:
            # The kernel's own limit is one for reading alone: an answer may take long to fetch.
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", self.SILENCE, 0))
            conn.init()
            conn.parser.unreader = ImpatientReader(conn.sock)
        return super().handle(conn)


bind = f"{env.text('HOST', '127.0.0.1')}:{env.count('PORT', 8000)}"
workers = env.count("WORKERS", 2)
worker_class = FairWorker
threads = 4
# Loaded once, before the workers are forked: they start faster and share memory.
preload_app = True
timeout = 60
graceful_timeout = 30
keepalive = 5
# Whom to believe about the caller's address and scheme is decided in one place: bakery.middleware.
forwarded_allow_ips = ""
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a heartbeat, not data

# Our own middleware writes the line of each request; gunicorn tells only of itself, in the same form.
accesslog = None
control_socket_disable = True
logconfig_dict = logs.config(debug=env.flag("DEBUG", default=False))
logconfig_dict["loggers"] |= {
    "gunicorn.error": {"handlers": [], "propagate": True},
    "gunicorn.access": {"handlers": [], "propagate": False},
}

# Each process writes its counts to a file of its own here, and /metrics adds them up. Not in DATA_DIR: these files
# are mapped into memory, and a full disk would kill the process that writes to one.
_metrics = tempfile.mkdtemp(prefix=f"bakery-metrics-{os.getpid()}-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics


def on_starting(_: Any) -> None:
    """Clear away what servers left that were killed."""
    for folder in Path(tempfile.gettempdir()).glob("bakery-metrics-*"):
        pid = folder.name.split("-")[2]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists() and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)


def when_ready(_: Any) -> None:
    """What is loaded by now stays: no worker need look through it for garbage, nor copy it by doing so."""
    gc.collect()
    gc.freeze()


def pre_fork(_server: Any, _worker: Any) -> None:
    """A connection that is open at the fork would be shared by all workers."""
    from django.db import connections

    connections.close_all()


def child_exit(_: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # type: ignore[no-untyped-call]


def on_exit(_: Any) -> None:
    shutil.rmtree(_metrics, ignore_errors=True)
