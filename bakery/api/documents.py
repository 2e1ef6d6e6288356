"""The OpenAPI document, and the page that shows it without any asset from outside."""

from functools import cache
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import get_lib_doc_excludes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from bakery.api.caching import HotListMixin
from bakery.api.conditional import is_known, not_modified, tag_of_body
from bakery.api.fields import ModelSerializer
from bakery.api.negotiation import AnyAccept
from bakery.api.permissions import ANYONE
from bakery.api.renderers import dump
from bakery.api.viewsets import METHODS, ApiViewSet, TaggedListMixin


def what_speaks_to_its_readers() -> list[type]:
    """Return the classes whose docstrings are no words for those who read the document."""
    theirs: list[type] = get_lib_doc_excludes()  # type: ignore[no-untyped-call]
    return [*theirs, ApiViewSet, HotListMixin, TaggedListMixin, ModelSerializer]


@cache
def document() -> bytes:
    """Return the OpenAPI document as JSON; it does not change while the process runs."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return dump(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@extend_schema(exclude=True)
class DocumentViewSet(ViewSet):
    http_method_names = METHODS
    permissions: ClassVar[dict[str, str]] = {"openapi": ANYONE, "docs": ANYONE}
    content_negotiation_class = AnyAccept

    def openapi(self, request: Request) -> object:
        body = document()
        etag = tag_of_body(body)
        if is_known(request, etag):
            return not_modified(etag)
        return HttpResponse(body, content_type="application/json", headers={"ETag": etag})

    def docs(self, request: Request) -> HttpResponse:
        page = SpectacularSwaggerView.as_view(url_name="schema")(request._request)
        page.render()
        return HttpResponse(page.content, content_type="text/html; charset=utf-8")
