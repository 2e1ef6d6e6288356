"""The character NUL, which PostgreSQL takes in no text, in an address."""

import pytest


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/categories/%00"),
        ("patch", "/api/categories/bread%00"),
        ("delete", "/api/categories/%00"),
        ("post", "/api/vat-classes/%00/rates"),
        ("get", "/api/orders/track/%00"),
        ("get", "/api/production/%00"),
    ],
)
def test_there_is_nothing_behind_it_in_a_path(api_as, method, path):
    answer = getattr(api_as("admin"), method)(path)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/products", "search"),
        ("/api/products", "category"),
        ("/api/products", "ordering"),
        ("/api/products/export", "as"),
        ("/api/categories", "search"),
        ("/api/orders", "search"),
        ("/api/users", "search"),
        ("/api/cash", "register"),
        ("/api/cash", "reference"),
        ("/api/cash/summary", "register"),
        ("/api/cash/export", "register"),
        ("/api/cash/sessions", "register"),
        ("/api/cash/sessions/current", "register"),
        ("/api/chat", "channel"),
    ],
)
def test_a_query_with_it_is_refused_by_name(api_as, path, field):
    answer = api_as("admin").get(f"{path}?{field}=%00")

    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        [{"code": "control_character", "field": field, "message": "It holds a control character."}],
    )
