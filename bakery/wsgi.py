import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bakery.settings")

Application = Callable[..., Iterable[bytes]]


class TakingTurns:
    """Let one request in at a time, as long as each is short; whoever has waited for `patience` seconds goes in, too.

    Threads that compete for the interpreter pass it on at every query, and each time it costs them both: a process
    answers more when they take turns. A long request, such as an export, makes each other one wait once, and briefly.
    """

    def __init__(self, application: Application, *, patience: float = 0.03) -> None:
        self._application = application
        self._patience = patience
        self._turn = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        has_turn = self._turn.acquire(timeout=self._patience)
        try:
            return self._application(environ, start_response)
        finally:
            if has_turn:
                self._turn.release()


application: Application = get_wsgi_application()
if connection.vendor == "sqlite":  # which works in our process; another database does so while we see to the next one
    application = TakingTurns(application)
# All views and pages, before workers are forked: each would load them for itself at its first request.
get_resolver().url_patterns  # noqa: B018
