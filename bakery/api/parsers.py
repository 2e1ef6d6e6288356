"""Bodies are read strictly: UTF-8 JSON, no key twice, no NaN, numbers kept as they were written."""

import codecs
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser, MultiPartParser

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
        return super().parse(stream, media_type, parser_context)


def _refuse_longer_than(most: int, context: Mapping[str, Any] | None) -> None:
    length = (context or {})["request"].META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most:
        raise TooLarge(most)


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
