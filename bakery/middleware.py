"""What surrounds every request: its id, the caller's true address, its log line and its figures."""

import ipaddress
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from bakery import metrics
from bakery.logs import without_secrets

log = structlog.get_logger("bakery.request")

_SOUND_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# Asked every few seconds, and of no interest afterwards.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestContext:
    """Give each request an id, taken from `X-Request-ID` where that is sound, and one log line at its end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.proxies = [ipaddress.ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        sent = request.headers.get("X-Request-ID", "")
        request_id = sent if _SOUND_ID.fullmatch(sent) else uuid.uuid4().hex
        request.META["bakery.request_id"] = request_id
        self._resolve_address(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            seconds = time.perf_counter() - started
            metrics.count(request, response, seconds)
            if request.path not in _PROBES:
                log.info(
                    "request",
                    method=request.method,
                    path=without_secrets(request.path),
                    user=_user_id(request),
                    status=response.status_code,
                    ms=round(seconds * 1000, 1),
                )
        return response

    def _resolve_address(self, request: HttpRequest) -> None:
        """Believe the forwarding headers of trusted proxies alone, and walk back to the first address that is none."""
        address = request.META.get("REMOTE_ADDR", "")
        if not self._is_proxy(address):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
            return
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            if self._is_proxy(address) and hop.strip():
                address = hop.strip()
        request.META["REMOTE_ADDR"] = address

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.proxies)


def _user_id(request: HttpRequest) -> int | None:
    """The id of the user who was signed in, without asking the database for one whom nobody asked for."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return user.pk if user else None
