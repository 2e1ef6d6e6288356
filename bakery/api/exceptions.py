"""Every error on its way out of the API passes through here, and leaves in one shape."""

import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import set_rollback

from bakery import errors
from bakery.api.parsers import TooLarge
from bakery.db import as_already_exists
from bakery.errors import DomainError, Problem

log = structlog.get_logger("bakery.api")

_BROKEN = Problem("server_error", "Something went wrong on our side. Tell us the request_id.")
_AWAY = "The database is busy or away. Try again in a moment."
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{0}</title>
<h1>{0}</h1>
<p>Before you try again, see whether what you did was done.</p>
<p>If it comes again, tell whoever looks after the program this number: <code>{1}</code></p>
<p><a href="/admin/">Back to the start</a></p>
"""

STATUS_OF: dict[type[DomainError], HTTPStatus] = {
    errors.NotRecognised: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Stale: HTTPStatus.PRECONDITION_FAILED,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DomainError: HTTPStatus.BAD_REQUEST,
}


def to_response(exc: Exception, context: dict[str, Any]) -> Response:
    """Turn any exception into an answer in the envelope. What nobody expected becomes a 500 that tells only its id."""
    set_rollback()
    exc = _as_known(exc)
    request = context["request"]
    if isinstance(exc, DomainError):
        status = next(STATUS_OF[kind] for kind in type(exc).__mro__ if kind in STATUS_OF)
        answer = _answer(request, status, exc.problems)
        if isinstance(exc, errors.TooMany):
            answer["Retry-After"] = str(exc.retry_after)
        if isinstance(exc, errors.Unavailable):
            answer["Retry-After"] = "2"
        if isinstance(exc, errors.NotRecognised):
            answer["WWW-Authenticate"] = 'Bearer realm="api"'
        return answer
    if isinstance(exc, exceptions.ValidationError):
        return _answer(request, HTTPStatus.BAD_REQUEST, list(_flatten(exc.detail)))
    if isinstance(exc, exceptions.APIException):
        return _from_api_exception(exc, request)
    log.error("unexpected", exc_info=exc)
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, [_BROKEN])


def _as_known(exc: Exception) -> Exception:
    """Name what Django and the database raise in terms of this API."""
    match exc:
        case Http404():
            return exceptions.NotFound("There is nothing here.")
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case ProtectedError(protected_objects=blockers) | RestrictedError(restricted_objects=blockers):
            names = ", ".join(sorted({str(blocker) for blocker in blockers})[:5])
            return errors.InUse(f"It is still in use by {names}.")
        case IntegrityError():
            return as_already_exists(exc) or errors.Conflict("This contradicts what is stored.")
        case OperationalError() | InterfaceError():
            log.warning("database unavailable", exc_info=exc)
            return errors.Unavailable(_AWAY)
        case SuspiciousOperation():
            return exceptions.ParseError("The request is not well formed.")
        case DataError():
            return errors.DomainError("A value is out of range.")
        case RequestDataTooBig():
            return TooLarge(2 * 1024 * 1024)
        case ModelValidationError():
            return exceptions.ValidationError(as_serializer_error(exc))
    return exc


def _from_api_exception(exc: exceptions.APIException, request: Any) -> Response:
    code = exc.get_codes()
    if not isinstance(code, str):
        code = exc.default_code
    if isinstance(exc, exceptions.AuthenticationFailed):
        code = "token_not_valid"  # simplejwt has a code for each reason; clients need one
    detail: Any = exc.detail
    if isinstance(detail, dict):
        detail = detail.get("detail", exc.default_detail)
    answer = _answer(request, exc.status_code, [Problem(code, str(detail))])
    auth_header = getattr(exc, "auth_header", None)
    if auth_header:
        answer["WWW-Authenticate"] = auth_header
    wait = getattr(exc, "wait", None)
    if wait is not None:
        answer["Retry-After"] = str(max(1, int(wait)))
    return answer


def _answer(request: Any, status: int, problems: Iterable[Problem]) -> Response:
    return Response(_body_of(_id_of(request), problems), status=status, exception=True)


def _id_of(request: Any) -> str:
    found: str = request.META.get("bakery.request_id", "")
    return found


def _body_of(request_id: str, problems: Iterable[Problem]) -> dict[str, Any]:
    """Return what the renderer shows of `problems`: message, errors and the request's id."""
    shown = [{"code": p.code, "field": p.field, "message": str(p.message)} for p in problems]
    count = len(shown)
    message = shown[0]["message"] if count == 1 and shown[0]["field"] is None else (
        f"The request has {count} error{'s' if count != 1 else ''}."
    )  # fmt: skip
    return {"message": message, "errors": shown, "meta": {"request_id": request_id}}


def _flatten(detail: Any, path: str = "") -> Iterator[Problem]:
    """Walk the tree of a validation error and yield each leaf with its dotted path."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, path if key == "non_field_errors" else f"{path}.{key}".lstrip("."))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _flatten(value, f"{path}.{index}".lstrip(".") if nested else path)
    else:
        yield Problem(getattr(detail, "code", "invalid"), str(detail), path or None)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404: the envelope below /api, Django's page elsewhere."""
    from django.views.defaults import page_not_found  # pulls in the template engine

    if not request.path.startswith("/api"):
        return page_not_found(request, exception or Http404())
    return _outside_of_views(request, HTTPStatus.NOT_FOUND, Problem("not_found", "There is nothing here."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: for what is refused before a view, such as an unknown host."""
    from django.views.defaults import bad_request as bad_page  # pulls in the template engine

    if not request.path.startswith("/api"):
        return bad_page(request, exception)
    return _outside_of_views(request, HTTPStatus.BAD_REQUEST, Problem("parse_error", "The request is not well formed."))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: for what breaks before or after a view of the API, and in the back office."""
    is_away = isinstance(sys.exception(), OperationalError | InterfaceError)
    status = HTTPStatus.SERVICE_UNAVAILABLE if is_away else HTTPStatus.INTERNAL_SERVER_ERROR
    if request.path.startswith("/api"):
        problem = Problem(errors.Unavailable.code, _AWAY) if is_away else _BROKEN
        answer = _outside_of_views(request, status, problem)
    else:
        # No template: whatever broke may break that as well.
        title = _AWAY if is_away else "Something went wrong on our side"
        answer = HttpResponse(format_html(_PAGE, title, _id_of(request)), status=status)
    if is_away:
        answer["Retry-After"] = "2"
    return answer


def _outside_of_views(request: HttpRequest, status: HTTPStatus, problem: Problem) -> HttpResponse:
    return HttpResponse(refusal(_id_of(request), problem), status=status, content_type="application/json")


def refusal(request_id: str, problem: Problem) -> bytes:
    """Return the envelope for what does not get as far as a view."""
    from bakery.api.renderers import dump  # settings name the renderer, which imports this module

    return dump({"success": False, "data": None, **_body_of(request_id, [problem])})
