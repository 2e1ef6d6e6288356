"""The OpenAPI document: drf-spectacular's, with our envelope, our headers and our errors."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_basic_type
from drf_spectacular.types import OpenApiTypes
from rest_framework.serializers import ListSerializer

from bakery.api.permissions import is_open_to_guests

_ERRORS = {
    400: (
        "BadRequest",
        "The body or a parameter is not valid; every bad field is named.",
        "min_value",
        "items.0.quantity",
    ),
    401: ("NotSignedIn", "No token, or one that is expired, revoked or forged.", "not_authenticated", None),
    403: ("NotAllowed", "The role may not do this.", "permission_denied", None),
    404: ("NotFound", "No such object, or one that this user may not know of.", "not_found", None),
    406: ("NotAcceptable", "Only JSON is to be had here.", "not_acceptable", None),
    409: (
        "Conflict",
        "The request is well formed, but the state forbids it.",
        "illegal_transition",
        "status",
    ),
    412: ("Stale", "If-Match names a version that is no longer the stored one.", "stale", None),
    413: ("TooLarge", "The body is too large.", "too_large", None),
    415: (
        "UnsupportedMediaType",
        "The body is not in a form that is read here.",
        "unsupported_media_type",
        None,
    ),
    429: (
        "TooManyRequests",
        "Asked too often; Retry-After says in how many seconds to come back.",
        "throttled",
        None,
    ),
    500: ("ServerError", "Our fault; the request_id finds it in our logs.", "server_error", None),
    503: (
        "Unavailable",
        "The database or the store of pictures is busy or away; try again after Retry-After seconds.",
        "unavailable",
        None,
    ),
}
_ALWAYS = {400, 401, 404, 406, 429, 500, 503}  # 400: any parameter may be one that is not known
_WRITES = {"post", "put", "patch", "delete"}

_STRING = {"type": "string"}
_HEADERS = {
    "ETag": "The version of what is shown, for If-Match and If-None-Match.",
    "Location": "The address of what was created.",
    "Idempotent-Replayed": "true where this is the first answer again.",
    "Retry-After": "In how many seconds to come back.",
}
_ERROR = {
    "type": "object",
    "required": ["code", "field", "message"],
    "properties": {
        "code": {**_STRING, "description": "Stable, for machines."},
        "field": {
            "type": "string",
            "nullable": True,
            "description": "A dotted path into the request, or null.",
        },
        "message": {**_STRING, "description": "For people."},
    },
    "additionalProperties": False,
}
_PAGE_META = {
    "type": "object",
    "required": ["pagination"],
    "properties": {
        "pagination": {
            "type": "object",
            "required": ["page", "page_size", "total", "pages", "next", "previous"],
            "properties": {
                **{name: {"type": "integer"} for name in ("page", "page_size", "total", "pages")},
                **{name: {"type": "string", "format": "uri", "nullable": True} for name in ("next", "previous")},
            },
        }
    },
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "bakery.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class EnvelopeSchema(AutoSchema):
    """Describe each answer as it really is: wrapped, with its headers."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        rule = getattr(self.view, "permissions", {}).get(getattr(self.view, "action", None))
        return [{"bearer": []}, {}] if is_open_to_guests(rule) else [{"bearer": []}]

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(field, ListSerializer) and direction == "request":
            schema |= {} if field.allow_empty else {"minItems": 1}
            most = getattr(field, "max_length", None)
            schema |= {"maxItems": most} if most else {}
        return _may_be_blank(schema) if direction == "response" and isinstance(schema, dict) else schema

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        if field.read_only:
            _may_be_blank(schema)

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        if self._is_marked("is_idempotent"):
            parameters.append(_header("Idempotency-Key", "The same key again gives the first answer again."))
        if self._is_marked("honours_if_match"):
            parameters.append(_header("If-Match", "The ETag that was read; another one changes nothing (412)."))
        if self._is_remembered():
            parameters.append(_header("If-None-Match", "The ETag that was read; the same one is not sent again (304)."))
        return parameters

    def _is_marked(self, mark: str) -> bool:
        """Whether the handler was decorated so."""
        handler = getattr(self.view, getattr(self.view, "action", "") or "", None)
        return bool(getattr(handler, mark, False))

    def _tells(self) -> tuple[str, ...]:
        """The headers of a good answer."""
        told: tuple[str, ...] = getattr(self.view, "tells", {}).get(getattr(self.view, "action", None), ())
        return (*told, "Idempotent-Replayed") if self._is_marked("is_idempotent") else told

    def _is_remembered(self) -> bool:
        return self.method == "GET" and "ETag" in self._tells() and not getattr(self.view, "live", False)

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self._is_remembered():
            bodies["304"] = {"description": "If-None-Match names what would be answered.", **_headers("ETag")}
        return bodies

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> dict[str, Any]:
        response: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
        content = response.get("content", {})
        if str(status_code).startswith("2"):
            response |= _headers(*self._tells())
        if str(status_code).startswith("2") and "application/json" in content:
            schema = content["application/json"].get("schema", {})
            paged = self._is_list_view(serializer) and getattr(self.view, "pagination_class", None) is not None
            content["application/json"]["schema"] = _envelope(schema, paged=paged)
            for example in content["application/json"].get("examples", {}).values():
                example["value"] = {
                    "success": True,
                    "message": "",
                    "data": example["value"],
                    "errors": [],
                    "meta": {},
                }
        return response


def _may_be_blank(schema: dict[str, Any]) -> dict[str, Any]:
    """Take the format off an e-mail address that is answered: it is "" where there is none."""
    if schema.get("format") == "email":
        del schema["format"]
    return schema


def _header(name: str, description: str) -> dict[str, Any]:
    schema = build_basic_type(OpenApiTypes.STR)
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _headers(*names: str) -> dict[str, Any]:
    described = {name: {"description": _HEADERS[name], "schema": _STRING} for name in names}
    return {"headers": described} if described else {}


def _envelope(data: dict[str, Any], *, paged: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["success", "message", "data", "errors", "meta"],
        "properties": {
            "success": {"type": "boolean", "enum": [True]},
            "message": _STRING,
            "data": data,
            "errors": {"type": "array", "maxItems": 0, "items": {"$ref": "#/components/schemas/Error"}},
            "meta": _PAGE_META if paged else {"type": "object"},
        },
        "additionalProperties": False,
    }


def only_the_api(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Keep the paths below /api, without the tolerated slash at their end."""
    return [
        (path.removesuffix("?").rstrip("/"), regex, method, view)
        for path, regex, method, view in endpoints
        if path.startswith("/api/")
    ]


def describe_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to each operation the errors that it can answer with."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR
    components["schemas"]["Failure"] = {
        "type": "object",
        "required": ["success", "message", "data", "errors", "meta"],
        "properties": {
            "success": {"type": "boolean", "enum": [False]},
            "message": _STRING,
            "data": {"type": "object", "nullable": True, "enum": [None]},
            "errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Error"}},
            "meta": {"type": "object", "required": ["request_id"], "properties": {"request_id": _STRING}},
        },
        "additionalProperties": False,
    }
    components["responses"] = {name: _response(*about) for name, *about in _ERRORS.values()}  # type: ignore[arg-type]
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status in sorted(_possible(method, operation)):
                reference = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
                operation["responses"].setdefault(str(status), reference)
    return result


def _possible(method: str, operation: dict[str, Any]) -> set[int]:
    codes = set(_ALWAYS)
    if {} not in operation.get("security", []):
        codes.add(403)
    if method in _WRITES:
        codes |= {403, 409, 413, 415}
    if any(p["name"] == "If-Match" for p in operation.get("parameters", [])):
        codes.add(412)
    return codes


def _response(description: str, code: str, field: str | None) -> dict[str, Any]:
    example = {
        "success": False,
        "message": "The request has 1 error." if field else description,
        "data": None,
        "errors": [{"code": code, "field": field, "message": description}],
        "meta": {"request_id": "5f0c6e1c9d3b4a8f"},
    }
    schema = {"$ref": "#/components/schemas/Failure"}
    return {
        "description": description,
        **(_headers("Retry-After") if code in ("throttled", "unavailable") else {}),
        "content": {"application/json": {"schema": schema, "example": example}},
    }
