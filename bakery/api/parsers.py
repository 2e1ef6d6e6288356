"""Bodies are read strictly: UTF-8 JSON, no key twice, no NaN, numbers kept as they were written."""

import codecs
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request

MOST_JSON = 1024 * 1024
MOST_FILE = 20 * 1024 * 1024
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is larger than {most // (1024 * 1024)} MiB.")


class NumberText(str):
    """A JSON number that is no plain integer, as it was written: `1.50`, `1E5`, `-0`."""

    __slots__ = ()


class StrictJSONParser(JSONParser):
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _refuse_longer_than(MOST_JSON, parser_context)
        raw = stream.read(MOST_JSON + 1)
        if len(raw) > MOST_JSON:
            raise TooLarge(MOST_JSON)
        try:
            value = json.loads(
                codecs.decode(raw, "utf-8"),
                object_pairs_hook=_unique_keys,
                parse_constant=_no_constant,
                parse_float=NumberText,
                parse_int=_integer,
            )
            if _SURROGATE.search(raw):
                json.dumps(value, ensure_ascii=False).encode()  # half a character fits into no answer and no column
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        return value


class FileParser(MultiPartParser):
    """Multipart, for the endpoints that take a file."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _refuse_longer_than(MOST_FILE + 64 * 1024, parser_context)
        counted = _Counted(stream)
        parsed = super().parse(counted, media_type, parser_context)  # type: ignore[arg-type]  # it does no more than read
        if counted.count < _length(parser_context):
            # What came before the break reads like a shorter form: an import without its `dry_run`.
            raise ParseError("The body broke off.")
        return parsed


class _Counted:
    """A stream that knows how much of it was read."""

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._stream.read(size)
        self.count += len(piece)
        return piece


def _refuse_longer_than(most: int, context: Mapping[str, Any] | None) -> None:
    if _length(context) > most:
        raise TooLarge(most)


def _length(context: Mapping[str, Any] | None) -> int:
    """Return how long the body is said to be."""
    length = (context or {})["request"].META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0


def refuse_unmeasured(request: Request) -> None:
    """Raise a 400 for a body in pieces of which nobody said how long they are: to Django it would be an empty one."""
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise ParseError("Send the length of the body (Content-Length).")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:50]!r} stands there twice")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _integer(text: str) -> int | NumberText:
    # Longer ones fit no column, and Python is slow to read thousands of digits.
    return NumberText(text) if len(text) > 19 or text == "-0" else int(text)
