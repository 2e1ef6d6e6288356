"""Every route of the API says who may use it."""

from django.urls import URLPattern, URLResolver, get_resolver


def routes(patterns, prefix=""):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("api/"):
            yield path, pattern.callback


def test_no_route_escapes_the_permission_table():
    found = list(routes(get_resolver().url_patterns))
    assert len(found) > 20

    bare = [
        f"{method} {path}"
        for path, view in found
        for method, action in getattr(view, "actions", {"?": "?"}).items()
        if action not in getattr(getattr(view, "cls", None), "permissions", {})
    ]

    assert bare == []


def test_no_table_names_an_action_that_is_not_there():
    stale = {
        f"{view.cls.__name__}.{action}"
        for _, view in routes(get_resolver().url_patterns)
        for action in view.cls.permissions
        if not hasattr(view.cls, action)
    }

    assert stale == set()


def test_each_route_tolerates_a_slash_at_its_end(client, db):
    assert client.get("/api/products").json() == client.get("/api/products/").json()
