"""Pictures in a bucket that speaks S3: MEDIA_STORAGE=s3://…, against a server that knows the few calls we make."""

import io
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from PIL import Image

from bakery import storage
from products.models import Product
from products.selectors import checks
from products.tests.factories import make_product
from products.tests.pictures import drawn, put


class Bucket(BaseHTTPRequestHandler):
    """Objects by path; who wants to write or to list must have signed, and reading is free to all."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.is_full:
            return self.reply(507, b"<Error><Code>Full</Code></Error>")
        if not re.match("AWS4-HMAC-SHA256 Credential=a/key/", self.headers.get("Authorization", "")):
            return self.reply(403)
        assert "aws-chunked" not in self.headers.get("Content-Encoding", "")
        self.server.objects[unquote(self.path)] = (body, self.headers["Content-Type"], self.headers["Cache-Control"])
        return self.reply(200, ETag='"x"')

    def do_DELETE(self):
        self.server.objects.pop(unquote(self.path), None)
        self.reply(204)

    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if "prefix" in query:
            start = f"{parts.path}/{query['prefix'][0]}"
            keys = [key.removeprefix(f"{parts.path}/") for key in self.server.objects if key.startswith(start)]
            entries = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
            return self.reply(200, f"<ListBucketResult>{entries}</ListBucketResult>".encode())
        if parts.path not in self.server.objects:
            return self.reply(404)
        body, kind, _ = self.server.objects[parts.path]
        return self.reply(200, body, Content_Type=kind, ETag='"x"')

    def do_HEAD(self):
        self.do_GET()


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        server.objects, server.is_full = {}, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bucket(server, settings):
    found = storage.read(f"s3+http://a%2Fkey:hunter2@127.0.0.1:{server.server_port}/shop/pictures?region=eu-west-3")
    settings.MEDIA_URL = found.address
    settings.STORAGES = {**settings.STORAGES, "default": storage.of(found)}
    return found


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def test_pictures_are_stored_shown_and_deleted(server, bucket, manager, django_capture_on_commit_callbacks):
    product = make_product()

    shown = put(manager, product, drawn("JPEG", size=(700, 350))).json()["data"]

    product.refresh_from_db()
    stem = product.image.name.removesuffix(".jpg")
    assert shown["image"] == f"{bucket.address}{stem}.jpg"
    assert shown["image_sizes"]["640"] == f"{bucket.address}{stem}-640.webp"
    assert {key: found[1:] for key, found in server.objects.items()} == {
        f"/shop/pictures/{stem}{ending}": (kind, storage.FOR_GOOD)
        for ending, kind in ((".jpg", "image/jpeg"), ("-640.webp", "image/webp"), ("-320.webp", "image/webp"))
    }
    with Image.open(io.BytesIO(server.objects[f"/shop/pictures/{stem}-320.webp"][0])) as picture:
        assert picture.size == (320, 160)
    assert manager.get("/api/products").json()["data"][0]["image_sizes"] == shown["image_sizes"]
    with django_capture_on_commit_callbacks(execute=True):
        manager.delete(f"/api/products/{product.pk}/image")
    assert server.objects == {}


def test_older_pictures_get_thumbnails(server, bucket, manager):
    from bakery import jobs

    put(manager, make_product(), drawn("PNG", size=(400, 40)))
    Product.objects.update(image_width=0)
    [thumbnail] = [key for key in server.objects if key.endswith(".webp")]
    server.objects.pop(thumbnail)

    call_command("migrate", verbosity=0)
    jobs.run_due()

    assert thumbnail in server.objects
    assert Product.objects.get().image_width == 400


def test_the_doctor_finds_what_is_gone(server, bucket, manager):
    put(manager, make_product(name="Roll"), drawn("PNG"))
    assert checks() == []
    server.objects.clear()

    assert checks() == [f"The picture {Product.objects.get().image.name} of Roll is not there."]


@pytest.mark.parametrize("fault", ["full", "away", "wrong key"])
def test_a_bucket_that_takes_nothing_is_a_503_and_changes_nothing(server, bucket, manager, settings, fault):
    server.is_full = fault == "full"
    if fault == "away":
        bucket = bucket._replace(endpoint="http://127.0.0.1:9")
    if fault == "wrong key":
        bucket = bucket._replace(key="another")
    settings.STORAGES = {**settings.STORAGES, "default": storage.of(bucket)}
    product = make_product()

    answer = put(manager, product, drawn("JPEG"))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "unavailable")
    product.refresh_from_db()
    assert (product.image.name, product.version, server.objects) == ("", 1, {})


def test_tags_change_with_the_place_of_pictures(server, bucket, manager, settings):
    product = make_product()
    put(manager, product, drawn("JPEG"))
    urls = ("/api/products", f"/api/products/{product.pk}")
    before = [manager.get(url) for url in urls]

    settings.MEDIA_URL = "https://pictures.example/"
    settings.STORAGES = {**settings.STORAGES, "default": storage.of(bucket._replace(address=settings.MEDIA_URL))}

    for url, old in zip(urls, before, strict=True):
        new = manager.get(url, headers={"If-None-Match": old["ETag"]})
        assert b"https://pictures.example/products/" in new.content


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("s3://k:s@s3.eu-west-3.amazonaws.com/shop?region=eu-west-3",
         ("https://s3.eu-west-3.amazonaws.com", "shop", "", "eu-west-3", "k", "s",
          "https://s3.eu-west-3.amazonaws.com/shop/")),
        ("s3+http://minio:9000/shop/a/b/?address=https://cdn.example/x",
         ("http://minio:9000", "shop", "a/b", "us-east-1", "", "", "https://cdn.example/x/")),
    ],
)  # fmt: skip
def test_an_address_is_read(url, found):
    assert storage.read(url) == found


def test_without_its_packages_a_bucket_stops_the_start(monkeypatch):
    monkeypatch.setattr(storage, "find_spec", lambda _: None)

    with pytest.raises(ImproperlyConfigured, match="bin/setup s3"):
        storage.of(storage.read("s3://host/shop"))
