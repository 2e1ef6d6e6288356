"""What every view of ours shares."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from django.db.models import Model
from django.http import HttpResponse
from rest_framework import status
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ModelSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from bakery.api import conditional
from bakery.api.caching import tag_of
from bakery.api.filters import refuse_nul
from bakery.api.parsers import refuse_unmeasured
from bakery.api.renderers import EnvelopeRenderer

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import User
    from bakery.api.throttling import Limit

M = TypeVar("M", bound=Model)

# Not OPTIONS: what a browser asks before it asks from another origin is answered before it comes to a view.
METHODS = ["get", "post", "put", "patch", "delete", "head"]


class ApiViewSet(GenericViewSet[M], Generic[M]):
    """A viewset whose `permissions` table says what each action needs, and `limits` how often it may be called.

    `tells` names the headers of its good answers for the schema: {"create": ("ETag", "Location")}. What is read with
    an ETag is not sent again to whoever has it, unless it is `live`: then it changes under the same tag.
    """

    permissions: ClassVar[dict[str, str]] = {}
    tells: ClassVar[dict[str, tuple[str, ...]]] = {}
    live: ClassVar[bool] = False
    limits: ClassVar[dict[str, Limit]] = {}
    orderings: ClassVar[dict[str, str]] = {}
    http_method_names = METHODS

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_nul(request)
        refuse_unmeasured(request)

    @property
    def actor(self) -> User:
        """The signed-in user, for services that record who acted."""
        return cast("User", self.request.user)

    def parse(self, serializer_class: type[BaseSerializer[Any]], *, partial: bool = False, **context: Any) -> Any:
        """Return the validated body, or raise a 400 with every bad field."""
        context = {**self.get_serializer_context(), **context}
        serializer = _reader_of(serializer_class, self.request.data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def show(self, instance: Any, *, code: int = status.HTTP_200_OK, **headers: str) -> Response:
        """Answer with the object as clients read it; a versioned one carries its ETag."""
        if hasattr(instance, "version") and "ETag" not in headers:
            headers["ETag"] = self.etag(instance)
        return Response(self.get_serializer(instance).data, status=code, headers=headers)

    def show_unless_known(self, instance: Any) -> Response:
        """Answer with the object, or say that the caller has it: for what looks but one way under its tag."""
        etag = self.etag(instance)
        if conditional.is_known(self.request, etag):
            return conditional.not_modified(etag)
        return self.show(instance, ETag=etag)

    def etag(self, instance: Any, *variant: Any) -> str:
        """Return the tag of the stored version; `variant` is all else that the answer depends on."""
        # After a backup is restored the versions of that time come again, with what is written then.
        return tag_of(instance.version, instance.updated_at.timestamp(), *variant)

    def expected_versions(self) -> frozenset[int] | None:
        """The versions that the caller's If-Match allows; None allows any."""
        return conditional.expected_versions(self.request)


def _reader_of(
    serializer_class: type[BaseSerializer[Any]], data: Any, *, partial: bool, context: dict[str, Any]
) -> BaseSerializer[Any]:
    """Return a serializer that reads `data`. Its fields are those of the first one of its class.

    To copy them for every body, as a serializer does, takes longer than to read the body. The reader itself knows its
    context, its fields do not. A class that decides about its fields case by case (`get_fields`), and fields that read
    a form, get a serializer of their own.
    """
    if hasattr(data, "getlist") or serializer_class.get_fields not in _FIELDS_OF_THE_CLASS:  # type: ignore[attr-defined]
        return serializer_class(data=data, partial=partial, context=context)
    reader = copy(_first_of(serializer_class, partial))  # type: ignore[arg-type]  # a class can be hashed
    reader.initial_data = data
    reader._context = context
    return reader


_FIELDS_OF_THE_CLASS = (Serializer.get_fields, ModelSerializer.get_fields)


@cache
def _first_of(serializer_class: type[BaseSerializer[Any]], partial: bool) -> BaseSerializer[Any]:
    first = serializer_class(partial=partial)
    len(first.fields)  # type: ignore[attr-defined]  # made now, so that all copies share them
    return first


class TaggedListMixin(ListModelMixin):
    """A list that carries a tag made of its own bytes."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response | HttpResponse:  # type: ignore[override]
        response = super().list(request, *args, **kwargs)
        body = EnvelopeRenderer().render(response.data, None, {"response": response})
        etag = conditional.tag_of_body(body)
        if conditional.is_known(request, etag):
            return conditional.not_modified(etag)
        return HttpResponse(body, content_type="application/json", headers={"ETag": etag})
