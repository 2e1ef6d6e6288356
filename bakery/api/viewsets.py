"""What every view of ours shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from django.db.models import Model
from rest_framework import status
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from bakery.api import conditional
from bakery.api.filters import refuse_nul
from bakery.api.renderers import EnvelopeRenderer

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import User
    from bakery.api.throttling import Limit

M = TypeVar("M", bound=Model)


class ApiViewSet(GenericViewSet[M], Generic[M]):
    """A viewset whose `permissions` table says what each action needs, and `limits` how often it may be called."""

    permissions: ClassVar[dict[str, str]] = {}
    limits: ClassVar[dict[str, Limit]] = {}
    orderings: ClassVar[dict[str, str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_nul(request)

    @property
    def actor(self) -> User:
        """The signed-in user, for services that record who acted."""
        return cast("User", self.request.user)

    def parse(self, serializer_class: type[BaseSerializer[Any]], *, partial: bool = False, **context: Any) -> Any:
        """Return the validated body, or raise a 400 with every bad field."""
        serializer = serializer_class(
            data=self.request.data, partial=partial, context={**self.get_serializer_context(), **context}
        )
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def show(self, instance: Any, *, code: int = status.HTTP_200_OK, **headers: str) -> Response:
        """Answer with the object as clients read it; a versioned one carries its ETag."""
        if hasattr(instance, "version"):
            headers.setdefault("ETag", self.etag(instance))
        return Response(self.get_serializer(instance).data, status=code, headers=headers)

    def etag(self, instance: Any) -> str:
        return conditional.etag_of(instance.version)

    def expected_versions(self) -> frozenset[int] | None:
        """The versions that the caller's If-Match allows; None allows any."""
        return conditional.expected_versions(self.request)


class TaggedListMixin(ListModelMixin):
    """A list that carries a tag made of its own bytes."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        etag = conditional.tag_of_body(EnvelopeRenderer().render(response.data, None, {"response": response}))
        if conditional.is_known(request, etag):
            return conditional.not_modified(etag)
        response["ETag"] = etag
        return response
