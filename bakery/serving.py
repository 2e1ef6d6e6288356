"""How the web server gives its threads to connections, and refuses what is no request."""

import selectors
import socket
import struct
import time
import uuid
from collections import deque
from functools import partial
from http import HTTPStatus
from itertools import takewhile
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.http.unreader import SocketUnreader
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

_TOO_LARGE = {
    LimitRequestLine: (HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long."),
    LimitRequestHeaders: (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large."),
}


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
    stops in the midst of a request is let go after `SILENCE` seconds. Who takes nothing of a long answer is let go
    after `PAUSE` seconds. Nor does who has the last answer and does not hang up keep one: for `FAREWELL` seconds what
    they still send is read, since to close earlier could lose them the answer.
    """

    PATIENCE = 0.02
    SILENCE = 10
    PAUSE = 30
    FAREWELL = 2
    _accepted_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leaving: deque[Any] = deque()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        # Who has only just come is about to ask.
        just_now = time.monotonic() + self.cfg.keepalive - self.PATIENCE
        newcomers = sum(1 for _ in takewhile(lambda conn: conn.timeout > just_now, reversed(self.pending_conns)))
        idle = len(self.keepalived_conns) + len(self.pending_conns) + len(self._leaving)
        busy = self.nr_conns - idle + newcomers
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
            # The kernel's own limits are for standing still alone: a whole answer may take long to fetch.
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", self.SILENCE, 0))
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", self.PAUSE, 0))
            conn.init()
            conn.parser.unreader = ImpatientReader(conn.sock)
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Let a connection go without waiting for it: gunicorn does so here, where all others wait as well."""
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        conn.timeout = time.monotonic() + self.FAREWELL
        self._leaving.append(conn)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_leaving_socket_readable, conn))
        except (OSError, ValueError):  # they have hung up
            self._close(conn)

    def on_leaving_socket_readable(self, conn: Any, client: Any) -> None:
        try:
            is_there = client.recv(65536) != b""
        except OSError:
            is_there = False
        if not is_there:
            self.poller.unregister(client)
            self._close(conn)

    def murder_pending(self) -> None:
        super().murder_pending()
        while self._leaving and self._leaving[0].timeout <= time.monotonic():
            self.poller.unregister(self._leaving[0].sock)
            self._close(self._leaving[0])

    def _close(self, conn: Any) -> None:
        self._leaving.remove(conn)
        self.nr_conns -= 1
        conn.close()

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        """Let go who sends a broken body after they were answered: a second answer would be taken for the next one."""
        try:
            return super()._keepalive_after(conn, keepalive)
        except ParseException as error:
            self.log.debug("Closing connection. %s", error)
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Refuse what is no request as the API refuses: who calls it reads no page."""
        if req is not None or not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        # Importable once the application is loaded.
        from bakery.api.exceptions import refusal
        from bakery.errors import Problem

        status, problem = HTTPStatus.BAD_REQUEST, Problem("parse_error", "The request is not well formed.")
        if type(exc) in _TOO_LARGE:
            status, message = _TOO_LARGE[type(exc)]
            problem = Problem("too_large", message)
        request_id = uuid.uuid4().hex
        self.log.warning("Refused request %s: %s", request_id, exc)
        body = refusal(request_id, problem)
        head = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"X-Request-ID: {request_id}",
        ]
        write_nonblock(client, "\r\n".join([*head, "", ""]).encode() + body)
