"""Hot lists: their tag is known before they are built, and their bytes, or those of their items, are kept."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any, ClassVar, TypeVar, cast

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.functional import cached_property
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

import bakery
from bakery.api import conditional
from bakery.api.filters import PAGING
from bakery.api.renderers import EnvelopeRenderer

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

# A tag never means two answers, so nothing kept here is ever wrong: time and size only bound the memory.
SECONDS = 3600
LARGEST = 128 * 1024
LARGEST_KEPT = 4 * 1024


def tag_of(version: int, *variant: Any) -> str:
    """Return the strong tag of a stored `version` in the words of this release, since the next may say it otherwise."""
    return conditional.etag_of(version, bakery.VERSION, *variant)


def remember(tag: str, make: Callable[[], T]) -> T:
    """Return what was made under `tag` before, by any process that shares the cache, or else `make()` it."""
    kept: T | None = cache.get(tag)
    if kept is None:
        kept = make()
        cache.set(tag, kept, SECONDS)
    return kept


class Renderings:
    """The JSON of objects that this process has shown before, by keys under which an object never looks otherwise.

    At most so many, none of more than LARGEST_KEPT; what was kept is not looked at any more after an hour.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Hashable, bytes] = {}
        self._since = monotonic()

    def find(self, keys: Iterable[K]) -> dict[K, bytes]:
        """Return what is kept, by key."""
        if monotonic() - self._since > SECONDS:
            self._start_anew()
        kept = self._kept
        return {key: kept[key] for key in keys if key in kept}

    def keep(self, fresh: Mapping[Any, bytes]) -> None:
        if len(self._kept) + len(fresh) > self._most:
            self._start_anew()
        self._kept.update((key, rendering) for key, rendering in fresh.items() if len(rendering) <= LARGEST_KEPT)

    def _start_anew(self) -> None:
        # With another dict, since another thread may be reading this one.
        self._kept, self._since = {}, monotonic()


class _HotPaginator(Paginator[Any]):
    """Counts the rows once per tag, since no page changes how many there are, and loads `columns` of a page alone."""

    def __init__(self, tag: str, columns: Sequence[str], rows: QuerySet[Any], *args: Any) -> None:
        super().__init__(rows, *args)
        self._tag = tag
        self._columns = columns
        self._rows = rows

    @cached_property
    def count(self) -> int:
        return remember(self._tag, self._rows.count)

    def page(self, number: int | str) -> Page[Any]:
        page = super().page(number)
        if self._columns:
            page.object_list = cast("QuerySet[Any]", page.object_list).values(*self._columns)
        return page


class HotListMixin(ListModelMixin):
    """A list that costs one query when nothing has changed since it was last asked for.

    The viewset's `list_tag` names all that the answer depends on: the revision of its tables, read before them, and
    who asks; host, path and parameters are added here. Where it names `columns`, its serializer is given dicts of
    them in place of objects.
    """

    columns: ClassVar[Sequence[str]] = ()
    paginator: Any

    def list_tag(self, request: Request) -> tuple[int, Any]:
        """Return the revision of what is listed, and whatever else the answer depends on."""
        raise NotImplementedError

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response | HttpResponse:  # type: ignore[override]
        revision, variant = self.list_tag(request)
        etag = tag_of(revision, request.build_absolute_uri(), variant)
        if conditional.names(request, etag):
            return conditional.not_modified(etag)
        body = cache.get(etag)
        if body is None:
            rows = {name: values for name, values in request.query_params.lists() if name not in PAGING}
            count_tag = tag_of(revision, "count", request.path, sorted(rows.items()), variant)
            self.paginator.django_paginator_class = partial(_HotPaginator, count_tag, self.columns)
            response = super().list(request, *args, **kwargs)
            body = EnvelopeRenderer().render(response.data, None, {"response": response})
            if len(body) <= LARGEST:
                cache.set(etag, body, SECONDS)
        if conditional.is_known(request, etag):
            return conditional.not_modified(etag)
        return HttpResponse(body, content_type="application/json", headers={"ETag": etag})
