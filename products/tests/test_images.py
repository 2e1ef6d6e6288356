"""Pictures of products: PUT and DELETE /api/products/{id}/image."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from products.selectors import checks
from products.tests.factories import make_product
from products.tests.pictures import drawn, files, put


@pytest.fixture(autouse=True)
def media(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    return b"".join([b"\x89PNG\r\n\x1a\n", *chunks, chunk(b"IEND", b"")])


HEADER = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
PIXELS = chunk(b"IDAT", zlib.compress(bytes(52)))


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises more than it holds."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return png(header, chunk(b"IDAT", zlib.compress(bytes(1000))))


@pytest.mark.parametrize(
    ("form", "mode", "suffix"),
    [("JPEG", "RGB", "jpg"), ("JPEG", "CMYK", "jpg"), ("JPEG", "L", "jpg"), ("PNG", "RGBA", "png"),
     ("PNG", "P", "png"), ("WEBP", "RGB", "webp")],
)  # fmt: skip
def test_a_picture_is_stored_and_served_under_a_random_name(api_as, manager, media, form, mode, suffix):
    product = make_product()

    answer = put(manager, product, drawn(form, mode=mode), "../../evil name.PHP")

    assert answer.status_code == 200
    address = answer.json()["data"]["image"]
    [path] = files(media)
    assert address == f"http://testserver/media/products/{path.name}"
    assert (len(path.stem), path.suffix) == (32, f".{suffix}")
    served = api_as(None).get(address)
    assert (served.status_code, served["X-Content-Type-Options"]) == (200, "nosniff")
    with Image.open(io.BytesIO(b"".join(served.streaming_content))) as picture:
        assert (picture.size, picture.format) == ((6, 4), form)


def test_a_picture_is_drawn_anew_upright_and_without_what_it_was_told(manager, media):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "secret place"
    content = drawn("JPEG", exif=exif, comment=b"secret note") + b"<script>alert(1)</script>"

    put(manager, make_product(), content)

    [path] = files(media)
    stored = path.read_bytes()
    assert b"secret" not in stored
    assert b"script" not in stored
    with Image.open(path) as picture:
        assert (picture.size, dict(picture.getexif())) == ((4, 6), {})


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script></html>",
        drawn("GIF", mode="P"),
        drawn("BMP"),
        drawn("PNG", size=(100, 100))[:-40],
        drawn("JPEG", size=(100, 100))[:300],
        drawn("WEBP")[:20],
        bomb(12_000, 12_000),
        bomb(60_000, 60_000),
        bomb(4473, 4473),
        bomb(4001, 5000),
        png(chunk(b"IHDR", HEADER), chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000_000), 9)), PIXELS),
        b"\x89PNG\r\n\x1a\n",
        bytes(100),
    ],
    ids=["svg", "html", "gif", "bmp", "cut png", "cut jpeg", "cut webp", "bomb", "huge bomb", "20,012,929 pixels",
         "20,005,000 pixels", "bomb of text", "head", "zeros"],
)  # fmt: skip
def test_what_is_no_good_picture_is_refused_and_not_stored(manager, media, content):
    product = make_product()

    answer = put(manager, product, content)

    assert answer.status_code == 400
    assert [(e["code"], e["field"]) for e in answer.json()["errors"]] == [("invalid_image", "file")]
    product.refresh_from_db()
    assert (product.image.name, product.version, files(media)) == ("", 1, [])


def test_a_file_above_5_mib_is_too_large(manager):
    answer = put(manager, make_product(), drawn("JPEG") + bytes(5 * 1024 * 1024))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_large")


@pytest.mark.parametrize("body", [{}, {"file": "text"}])
def test_a_picture_must_be_sent(manager, body):
    answer = manager.put(f"/api/products/{make_product().pk}/image", body, format="multipart")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "file")


def test_a_new_picture_takes_the_place_of_the_old(manager, media, django_capture_on_commit_callbacks):
    product = make_product(image_source="https://example.com/a.png")
    url = f"/api/products/{product.pk}"
    with django_capture_on_commit_callbacks(execute=True):
        put(manager, product, drawn("JPEG"))
        second = put(manager, product, drawn("PNG"))

    assert [path.suffix for path in files(media)] == [".png"]
    with django_capture_on_commit_callbacks(execute=True):
        assert manager.delete(f"{url}/image", headers={"If-Match": '"1"'}).status_code == 412
        assert manager.delete(f"{url}/image", headers={"If-Match": second["ETag"]}).status_code == 204
    assert files(media) == []
    # Where none is uploaded, the address that an import brought is shown.
    assert manager.get(url).json()["data"]["image"] == "https://example.com/a.png"
    assert manager.delete(f"{url}/image").status_code == 204


def test_a_stale_picture_is_not_kept(manager, media):
    answer = put(manager, make_product(), drawn("JPEG", size=(400, 400)), headers={"If-Match": '"7"'})

    assert (answer.status_code, files(media)) == (412, [])


def test_the_picture_goes_with_its_product(manager, media, django_capture_on_commit_callbacks):
    product = make_product()
    put(manager, product, drawn("JPEG"))
    with django_capture_on_commit_callbacks(execute=True):
        manager.delete(f"/api/products/{product.pk}")

    assert files(media) == []


def test_no_path_leads_out_of_the_pictures(api_as, media):
    (media.parent / "secret-key").write_text("x")

    for path in ("/media/../secret-key", "/media/%2e%2e/secret-key", "/media/products", "/media/"):
        assert api_as(None).get(path).status_code in (400, 404)


def test_a_picture_that_is_gone_is_a_drift(manager, media):
    product = make_product(name="Roll")
    put(manager, product, drawn("JPEG"))
    assert checks() == []
    [path] = files(media)
    path.unlink()

    assert checks() == [f"The picture products/{path.name} of Roll is not there."]
