"""The envelope: the one place that knows its five keys."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


class EnvelopeRenderer(BaseRenderer):
    """Render `Response(data)` as an envelope; `meta` of a response is put beside its data."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        response = (renderer_context or {})["response"]
        if response.status_code in (204, 304):
            return b""
        if response.exception:
            return dump({"success": False, "message": data["message"], "data": None,
                         "errors": data["errors"], "meta": data["meta"]})  # fmt: skip
        meta = getattr(response, "meta", {})
        return dump({"success": True, "message": "", "data": data, "errors": [], "meta": meta})


def dump(value: Any) -> bytes:
    """Return `value` as JSON."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Promise | str):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
