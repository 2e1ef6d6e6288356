"""Hot lists: their tag is known before they are built, and their bytes are kept under it."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.http import HttpResponse
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from bakery.api import conditional
from bakery.api.renderers import EnvelopeRenderer

T = TypeVar("T")

# A tag never means two answers, so nothing kept here is ever wrong: time and size only bound the memory.
SECONDS = 3600
LARGEST = 128 * 1024


def remember(tag: str, make: Callable[[], T]) -> T:
    """Return what was made under `tag` before, by any process that shares the cache, or else `make()` it."""
    kept: T | None = cache.get(tag)
    if kept is None:
        kept = make()
        cache.set(tag, kept, SECONDS)
    return kept


class HotListMixin(ListModelMixin):
    """A list that costs one query when nothing has changed since it was last asked for.

    The viewset's `list_tag` names all that the answer depends on: the revision of its tables, read before them, and
    who asks. Path, host and parameters are added here.
    """

    def list_tag(self, request: Request) -> tuple[int, Any]:
        """Return the revision of what is listed, and whatever else the answer depends on."""
        raise NotImplementedError

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response | HttpResponse:  # type: ignore[override]
        revision, variant = self.list_tag(request)
        etag = conditional.etag_of(revision, request.build_absolute_uri(), variant)
        if conditional.names(request, etag):
            return conditional.not_modified(etag)
        body = cache.get(etag)
        if body is None:
            response = super().list(request, *args, **kwargs)
            body = EnvelopeRenderer().render(response.data, None, {"response": response})
            if len(body) <= LARGEST:
                cache.set(etag, body, SECONDS)
        if conditional.is_known(request, etag):
            return conditional.not_modified(etag)
        return HttpResponse(body, content_type="application/json", headers={"ETag": etag})
