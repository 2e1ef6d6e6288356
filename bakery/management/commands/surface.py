from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator


class Command(BaseCommand):
    help = "Print the API's surface, one line per operation: METHOD path permission → what goes in → what comes out."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        for line in surface():
            self.stdout.write(line)


def surface() -> list[str]:
    """Return the lines of docs/api-surface.txt, in order of path and method."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    lines = []
    for path, _, method, view in generator._get_paths_and_endpoints():  # type: ignore[no-untyped-call]
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            permission = view.permissions.get(view.action, "nobody")
            into, out = _named(operation.get("requestBody", {})), _answer(operation)
            lines.append(f"{path} {method:6} {permission.replace(' ', '-')}{into and f' → {into}'} → {out}")
    return [_method_first(line) for line in sorted(lines)]


def _method_first(line: str) -> str:
    path, method, rest = line.split(maxsplit=2)
    return f"{method:6} {path} {rest}"


def _answer(operation: dict[str, Any]) -> str:
    """The success statuses, each with the serializer that it shows."""
    return " | ".join(
        f"{status} {_named(response)}".strip()
        for status, response in sorted(operation["responses"].items())
        if status < "300"
    )


def _named(body: dict[str, Any]) -> str:
    """The component or kind that a request or response holds, in each of its media types."""
    names = {_schema_name(content.get("schema", {}), media) for media, content in body.get("content", {}).items()}
    return "|".join(sorted(names))


def _schema_name(schema: dict[str, Any], media: str) -> str:
    inner = schema.get("properties", {}).get("data", schema)
    if inner.get("type") == "array":
        return f"[{_schema_name(inner['items'], media)}]"
    references = list(_references(inner))
    return references[0] if references else (media if inner.get("format") == "binary" else inner.get("type", media))


def _references(schema: dict[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])):
        if "$ref" in part:
            yield part["$ref"].rsplit("/", 1)[-1]
