"""What holds for every endpoint: the envelope, the errors, the headers."""

import io
import json
import logging
import logging.config

import pytest
import time_machine
from django.contrib.admin import AdminSite
from django.db import OperationalError
from django.middleware.csrf import CsrfViewMiddleware
from django.test import RequestFactory, override_settings

from accounts.tests.factories import make_user
from bakery import logs
from bakery.models import RateCounter

KEYS = {"success", "message", "data", "errors", "meta"}


def refusal(response):
    body = response.json()
    assert set(body) == KEYS
    assert body["success"] is False
    assert body["data"] is None
    assert body["meta"] == {"request_id": response["X-Request-ID"]}
    return response.status_code, body["errors"][0]["code"], body["errors"][0]["field"]


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/products/12/nothing", "/api", "/api/", "/api//products", "/api/products.json"]
)
def test_an_unknown_path_is_404_in_the_envelope(client, db, path):
    assert refusal(client.get(path)) == (404, "not_found", None)


def test_a_path_of_the_site_is_djangos_404(client, db):
    assert client.get("/nothing")["Content-Type"].startswith("text/html")


def test_a_wrong_method_is_405_and_names_the_right_ones(client, db):
    for method in ("delete", "options"):
        response = getattr(client, method)("/api/products")
        assert refusal(response) == (405, "method_not_allowed", None)
        assert response["Allow"] == "GET, POST, HEAD"


def test_only_json_is_answered(client, db):
    assert refusal(client.get("/api/products", headers={"accept": "application/xml"})) == (406, "not_acceptable", None)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_only_json_is_read(client, db, kind):
    assert refusal(client.post("/api/auth/login", "username=x", content_type=kind)) == (
        415,
        "unsupported_media_type",
        None,
    )


@pytest.mark.parametrize("body", ["{", '{"username": "a", "username": "b"}', "[" * 5000, '{"username": NaN}', "\x00"])
def test_a_malformed_body_is_a_parse_error(client, db, body):
    assert refusal(client.post("/api/auth/login", body, content_type="application/json")) == (400, "parse_error", None)


def test_a_body_that_comes_in_pieces_without_its_length_is_not_taken_for_an_empty_one(api_as):
    changed = api_as("customer").patch(
        "/api/auth/me", {"phone": "+33 1"}, format="json", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH=""
    )

    assert refusal(changed) == (400, "parse_error", None)
    assert "Content-Length" in changed.json()["message"]


@pytest.mark.parametrize("body", ["[]", '"text"', "1", "null", "true"])
def test_a_body_that_is_no_object_is_refused(client, db, body):
    status, _, field = refusal(client.post("/api/auth/login", body, content_type="application/json"))
    assert (status, field) in {(400, None), (400, "username")}


def test_a_body_above_a_mebibyte_is_too_large(client, db):
    body = json.dumps({"username": "x" * (1024 * 1024)})
    assert refusal(client.post("/api/auth/login", body, content_type="application/json")) == (413, "too_large", None)


def test_every_bad_field_is_named(client, db):
    body = client.post("/api/auth/login", {}, content_type="application/json").json()
    assert {(e["field"], e["code"]) for e in body["errors"]} == {("username", "required"), ("password", "required")}
    assert body["message"] == "The request has 2 errors."


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2_Z", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("é", False)]
)
def test_a_sound_request_id_is_kept_and_another_is_replaced(client, db, sent, kept):
    answered = client.get("/api/products", headers={"x-request-id": sent})["X-Request-ID"]
    assert (answered == sent) is kept
    assert answered


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=abc",
        "page=1.0",
        "page=１",
        "page_size=0",
        "page_size=201",
        "page_size=",
        "ordering=colour",
        "ordering=",
        "colour=red",
        "min_price=abc",
        "min_price=1E5",
        "available_on=2026-1-5",
    ],
)
def test_a_bad_parameter_is_named(client, db, query):
    status, _, field = refusal(client.get(f"/api/products?{query}"))
    assert (status, field) == (400, query.partition("=")[0])


def test_a_page_past_the_end_is_404(client, db):
    assert refusal(client.get("/api/products?page=2")) == (404, "not_found", None)


def test_an_empty_list_has_its_first_page(client, db):
    body = client.get("/api/products").json()
    assert body["data"] == []
    assert body["meta"]["pagination"] == {
        "page": 1, "page_size": 50, "total": 0, "pages": 1, "next": None, "previous": None,
    }  # fmt: skip


@override_settings(CORS_ALLOWED_ORIGINS=["https://shop.example"])
def test_a_listed_origin_may_send_our_headers_and_read_them(client, db):
    preflight = client.options(
        "/api/orders",
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type, idempotency-key, if-match, x-request-id",
        },
    )
    assert preflight.status_code == 200
    assert preflight["Access-Control-Allow-Origin"] == "https://shop.example"
    allowed = preflight["Access-Control-Allow-Headers"]
    assert all(name in allowed for name in ("authorization", "idempotency-key", "if-match", "if-none-match"))
    answer = client.get("/api/products", headers={"origin": "https://shop.example"})
    exposed = answer["Access-Control-Expose-Headers"]
    assert all(name in exposed for name in ("ETag", "Location", "Retry-After", "X-Request-ID", "Idempotent-Replayed"))


@override_settings(CORS_ALLOWED_ORIGINS=["https://shop.example"])
def test_another_origin_may_not(client, db):
    answer = client.get("/api/products", headers={"origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer


def test_an_unexpected_error_tells_only_its_id(client, db, monkeypatch):
    from products.views import ProductViewSet

    def broken(*_, **__):
        raise RuntimeError("SELECT secret FROM somewhere")

    monkeypatch.setattr(ProductViewSet, "list", broken)
    client.raise_request_exception = False
    response = client.get("/api/products")
    assert refusal(response) == (500, "server_error", None)
    assert b"secret" not in response.content


def test_an_unexpected_error_of_the_back_office_is_a_page_that_tells_its_id(client, db, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("SELECT secret FROM somewhere")

    monkeypatch.setattr(AdminSite, "each_context", broken)
    client.force_login(make_user(role="manager"))
    client.raise_request_exception = False

    response = client.get("/admin/", headers={"X-Request-ID": "a-b.7"})

    assert (response.status_code, response["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert (response["X-Request-ID"], "<code>a-b.7</code>" in response.content.decode()) == ("a-b.7", True)
    assert b"secret" not in response.content


def test_a_database_that_is_away_is_a_503_in_the_back_office_too(client, db, monkeypatch):
    def away(*_, **__):
        raise OperationalError("database is locked")

    monkeypatch.setattr(AdminSite, "each_context", away)
    client.force_login(make_user(role="manager"))
    client.raise_request_exception = False

    response = client.get("/admin/")

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "busy or away" in response.content.decode()
    assert response["X-Request-ID"] in response.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "code"), [(OperationalError, 503, "unavailable"), (RuntimeError, 500, "server_error")]
)
def test_what_breaks_around_a_view_of_the_api_is_told_in_the_envelope(client, db, monkeypatch, error, status, code):
    def broken(*_):
        raise error

    monkeypatch.setattr(CsrfViewMiddleware, "process_view", broken)
    client.raise_request_exception = False

    response = client.get("/api/products")

    assert refusal(response) == (status, code, None)
    assert response.get("Retry-After") == ("2" if status == 503 else None)


@override_settings(THROTTLING=True)
@time_machine.travel("2026-11-25T08:00:10+01:00", tick=False)  # all of them within one minute
def test_a_limit_lets_through_exactly_as_many_as_it_says(client, db):
    answers = [
        client.post(
            "/api/auth/login", {"username": f"u{n}", "password": "x"}, content_type="application/json"
        ).status_code
        for n in range(32)
    ]
    assert answers == [401] * 30 + [429] * 2
    assert RateCounter.objects.filter(name__startswith="login").exists()


def test_a_key_that_stands_twice_is_found_among_many(client, db):
    """By the square of their number, looking for it would take this test minutes."""
    keys = ",".join(f'"{n}":1' for n in range(80_000))

    answer = client.post("/api/auth/login", f'{{{keys},"79999":2}}', content_type="application/json")

    assert refusal(answer) == (400, "parse_error", None)


@pytest.mark.parametrize("value", [r"\ud800", r"\uDC00x"])
def test_half_a_character_is_no_text(client, db, value):
    body = f'{{"username": "{value}", "password": "x", "fulfilment": "{value}"}}'
    for path in ("/api/auth/login", "/api/orders"):
        assert refusal(client.post(path, body, content_type="application/json")) == (400, "parse_error", None)


def test_a_whole_character_may_be_written_in_two_halves(client, db):
    answer = client.post(
        "/api/auth/login", r'{"username": "\ud83e\udd50", "password": "x"}', content_type="application/json"
    )
    assert refusal(answer) == (401, "invalid_credentials", None)


@pytest.mark.parametrize("tag", ['"' + "9" * 5000 + '"', "W/", '"', "'", '"1', "1", ",,,", '"é"'])
def test_an_odd_if_match_is_stale(api_as, tag):
    from products.tests.factories import make_product

    product = make_product()
    answer = api_as("admin").patch(f"/api/products/{product.pk}", {"name": "Other"}, HTTP_IF_MATCH=tag)
    assert refusal(answer) == (412, "stale", None)


def test_no_token_of_a_tracking_page_is_logged(client, db, caplog):
    with override_settings(SECURE_SSL_REDIRECT=True):
        client.get("/api/orders/track/a-very-secret-token")
    client.get("/api/orders/track/a-very-secret-token/")

    assert "/track/<token>" in caplog.text
    assert "a-very-secret" not in caplog.text


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/", "/api/shop/"])
def test_documents_tolerate_a_slash_at_their_end(client, db, path):
    assert client.get(path).status_code == 200


def test_an_unknown_host_is_refused_in_the_envelope(client, db):
    assert refusal(client.get("/api/products", headers={"host": "evil.example"})) == (400, "parse_error", None)


def test_an_empty_search_box_seeks_everything(client, db):
    assert client.get("/api/products?search=").status_code == 200


def test_a_page_far_past_the_end_is_404(client, db):
    assert refusal(client.get(f"/api/products?page={'9' * 25}")) == (404, "not_found", None)


def test_what_others_log_holds_no_query_and_no_token():
    config = logs.config(debug=False)
    stream = io.StringIO()
    config["handlers"]["stderr"]["stream"] = stream
    saved = logging.getLogger().handlers[:]
    try:
        logging.config.dictConfig(config)
        request = RequestFactory().get("/api/orders/track/very-secret?token=SECRET")
        logging.getLogger("django.security.csrf").warning("Bad: %s", request.path, extra={"request": request})
    finally:
        logging.getLogger().handlers = saved
    assert "/track/<token>" in stream.getvalue()
    assert "secret" not in stream.getvalue().lower()


def test_a_path_out_of_the_media_is_not_there(client, db):
    assert client.get("/media/../../etc/passwd").status_code == 404
