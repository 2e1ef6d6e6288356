"""ETag, If-None-Match and If-Match."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

Handler = TypeVar("Handler", bound=Callable[..., Any])

_NO_VERSION = frozenset({-1})


def etag_of(version: int, *variant: Any) -> str:
    """Return the strong tag of a stored `version`; `variant` is all else that the answer depends on."""
    if not variant:
        return f'"{version}"'
    digest = hashlib.blake2b(repr(variant).encode(), digest_size=8).hexdigest()
    return f'"{version}-{digest}"'


def tag_of_body(body: bytes) -> str:
    """Return a strong tag made of the answer itself."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def expected_versions(request: Request) -> frozenset[int] | None:
    """Return the versions that If-Match names, or None where anything goes (no header, or `*`)."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    heads = [tag.strip('"').partition("-")[0] for tag in parse_etags(header) if not tag.startswith("W/")]
    return (
        frozenset(int(head) for head in heads if head.isdecimal() and head.isascii() and len(head) < 19) or _NO_VERSION
    )


def names(request: Request, etag: str) -> bool:
    """Whether the caller names this very tag, and so was given it for a good request."""
    return etag in {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}


def is_known(request: Request, etag: str) -> bool:
    """Whether the caller already has the answer with this tag, or wants none that is there (`*`)."""
    return names(request, etag) or request.headers.get("If-None-Match", "").strip() == "*"


def not_modified(etag: str) -> Response:
    """Return the 304 that says so."""
    return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})


def honours_if_match(handler: Handler) -> Handler:
    """Decorate a handler that passes `expected_versions()` on to its service, so that the schema shows the header."""
    handler.honours_if_match = True  # type: ignore[attr-defined]
    return handler
