import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from bakery.middleware import RequestContext


def address_seen(remote, forwarded, proxies):
    seen = {}

    def view(request):
        seen["address"] = request.META["REMOTE_ADDR"]
        seen["https"] = "HTTP_X_FORWARDED_PROTO" in request.META
        return HttpResponse()

    with override_settings(TRUSTED_PROXIES=proxies):
        request = RequestFactory().get(
            "/", REMOTE_ADDR=remote, headers={"x-forwarded-for": forwarded, "x-forwarded-proto": "https"}
        )
        RequestContext(view)(request)
    return seen["address"], seen["https"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "address"),
    [
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "", ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", "nonsense", ["10.0.0.1"], "nonsense"),
    ],
)
def test_only_trusted_proxies_are_believed(remote, forwarded, proxies, address):
    assert address_seen(remote, forwarded, proxies) == (address, bool(proxies))
