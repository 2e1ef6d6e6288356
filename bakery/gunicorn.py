"""Gunicorn's configuration: `gunicorn --config python:bakery.gunicorn bakery.wsgi`."""

import gc
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from bakery import env, logs
from bakery.serving import FairWorker

bind = f"{env.text('HOST', '127.0.0.1')}:{env.count('PORT', 8000)}"
workers = env.count("WORKERS", 2)
worker_class = FairWorker
threads = 4
# Loaded once, before the workers are forked: they start faster and share memory.
preload_app = True
# The most that gunicorn can: a search with many filters is long.
limit_request_line = 8190
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
        with suppress(FileNotFoundError):  # another server that starts is as tidy
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
