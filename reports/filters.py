"""How reports read their parameters."""

from collections.abc import Collection

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


def read_choice(request: Request, name: str, among: Collection[str], default: str) -> str:
    """Read one of a few words; raise a 400 that names the parameter and what it may be."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value not in among:
        raise ValidationError({name: f"Must be one of {', '.join(among)}."}, code="invalid_choice")
    return value
