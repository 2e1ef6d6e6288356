"""Idempotency-Key: the same request again gives the first answer again, and changes nothing."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from bakery.api.renderers import EnvelopeRenderer
from bakery.errors import Conflict
from bakery.models import IdempotencyKey

_KEPT_HEADERS = ("Location", "ETag")


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"


def idempotent(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a handler of POST. The key's row is written in the transaction of the effect.

    A second request with the same key waits for that transaction and then gets its answer; a refusal rolls
    the row back with everything else, so it uses no key up.
    """

    @wraps(handler)
    def answer_once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not (1 <= len(key) <= 128 and key.isascii() and key.isprintable()):
            raise ValidationError({"Idempotency-Key": "Must be 1 to 128 printable characters."}, code="invalid")
        caller = f"user:{request.user.pk}" if request.user.is_authenticated else "guest"
        same = {"path": request.path.rstrip("/"), "body_hash": hashlib.sha256(request.body).hexdigest()}
        with transaction.atomic():
            fresh = IdempotencyKey(caller=caller, key=key, **same)
            IdempotencyKey.objects.bulk_create([fresh], ignore_conflicts=True)
            row = IdempotencyKey.objects.select_for_update().get(caller=caller, key=key)
            if row.status:
                return _replay(row, same)
            response = handler(view, request, *args, **kwargs)
            row.status = response.status_code
            row.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
            row.body = EnvelopeRenderer().render(response.data, None, {"response": response})
            row.save(update_fields=["status", "headers", "body"])
        return response

    answer_once.is_idempotent = True  # type: ignore[attr-defined]  # the schema shows the header
    return answer_once


def _replay(row: IdempotencyKey, same: dict[str, str]) -> HttpResponse:
    if {"path": row.path, "body_hash": row.body_hash} != same:
        raise IdempotencyMismatch("This Idempotency-Key was used for another request.")
    headers = {**row.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(bytes(row.body), status=row.status, headers=headers, content_type="application/json")
