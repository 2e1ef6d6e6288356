"""Pages, whose counts travel in the envelope's meta."""

import re
from typing import Any

from django.core.paginator import InvalidPage
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

_COUNT = re.compile(r"[1-9][0-9]{0,30}", re.ASCII)


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        return read_count(request, "page_size", default=self.page_size, most=self.max_page_size)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        number = read_count(request, "page", default=1)
        paginator = self.django_paginator_class(queryset, self.get_page_size(request))
        try:
            self.page = paginator.page(number)
        except InvalidPage as error:
            raise NotFound(f"There is no page {number}; the last one is {paginator.num_pages}.") from error
        return list(self.page)

    def get_paginated_response(self, data: Any) -> Response:
        assert self.page is not None
        response = Response(data)
        response.meta = {  # type: ignore[attr-defined]
            "pagination": {
                "page": self.page.number,
                "page_size": self.page.paginator.per_page,
                "total": self.page.paginator.count,
                "pages": self.page.paginator.num_pages,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
            }
        }
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema


def read_count(request: Request, name: str, *, default: int, most: int | None = None) -> int:
    """Read a query parameter that counts from 1; raise a 400 that names it where it is anything else."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not _COUNT.fullmatch(value) or (most is not None and int(value) > most):
        up_to = f"1 to {most}" if most else "1 or more"
        raise ValidationError({name: f"Must be a whole number, {up_to}."}, code="invalid")
    return int(value)
