"""The smaller sizes of a picture: `image_sizes`, and the files behind it."""

import io
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.urls import reverse
from django_tasks_db.models import DBTaskResult
from PIL import Image

from bakery import clock, jobs
from products.models import Product
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


def size_of(client, address: str) -> tuple[str, tuple[int, int]]:
    answer = client.get(address)
    assert answer["Content-Type"] in ("image/webp", "image/jpeg", "image/png")
    with Image.open(io.BytesIO(b"".join(answer.streaming_content))) as picture:
        assert dict(picture.getexif()) == {}
        return picture.format, picture.size


def run_jobs_of_the_next_hour():
    DBTaskResult.objects.update(run_after=clock.now() - timedelta(seconds=1))
    jobs.run_due()


@pytest.mark.parametrize(
    ("form", "mode", "size", "found"),
    [
        ("JPEG", "RGB", (1600, 800), [("WEBP", (320, 160)), ("WEBP", (640, 320)), ("WEBP", (1280, 640))]),
        ("JPEG", "CMYK", (700, 70), [("WEBP", (320, 32)), ("WEBP", (640, 64)), ("JPEG", (700, 70))]),
        ("PNG", "RGBA", (321, 642), [("WEBP", (320, 640)), ("PNG", (321, 642)), ("PNG", (321, 642))]),
        ("PNG", "L", (320, 10), [("PNG", (320, 10))] * 3),
        ("WEBP", "RGB", (5, 5), [("WEBP", (5, 5))] * 3),
        # So high that it would be higher than a WebP can be.
        ("PNG", "1", (1300, 15_000), [("WEBP", (111, 1280)), ("WEBP", (222, 2560)), ("WEBP", (444, 5120))]),
    ],
)
def test_a_picture_has_three_sizes_of_which_none_is_larger_than_itself(manager, media, form, mode, size, found):
    data = put(manager, make_product(), drawn(form, mode=mode, size=size)).json()["data"]

    assert list(data["image_sizes"]) == ["320", "640", "1280"]
    assert [size_of(manager, address) for address in data["image_sizes"].values()] == found
    assert {Path(address).name for address in data["image_sizes"].values()} | {Path(data["image"]).name} == {
        path.name for path in files(media)
    }


def test_thumbnails_are_upright_and_tell_nothing(manager, media):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "secret place"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    content = drawn("JPEG", size=(800, 400), exif=exif, comment=b"secret note")

    sizes = put(manager, make_product(), content).json()["data"]["image_sizes"]

    assert [size_of(manager, sizes[width])[1] for width in ("320", "640")] == [(320, 640), (400, 800)]
    assert not any(b"secret" in path.read_bytes() or b"Exif" in path.read_bytes() for path in files(media))


def test_thumbnails_keep_what_is_transparent(manager, media):
    put(manager, make_product(), drawn("PNG", mode="RGBA", size=(400, 400)))

    [thumbnail] = [path for path in files(media) if path.suffix == ".webp"]
    with Image.open(thumbnail) as picture:
        assert picture.mode == "RGBA"


def test_of_what_moves_the_first_picture_is_kept(manager, media):
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "blue")]
    moving = io.BytesIO()
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:], duration=100)

    assert put(manager, make_product(), moving.getvalue()).status_code == 200
    for path in files(media):
        with Image.open(path) as picture:
            assert (picture.n_frames, picture.convert("RGB").getpixel((0, 0))[2] < 20) == (1, True)


def test_exactly_20_megapixels_are_taken(manager):
    answer = put(manager, make_product(), drawn("PNG", mode="L", size=(5000, 4000), compress_level=1))

    assert answer.status_code == 200


def test_without_an_uploaded_picture_there_are_no_sizes(manager):
    product = make_product(image_source="https://example.com/a.png")

    assert manager.get(f"/api/products/{product.pk}").json()["data"]["image_sizes"] is None


def test_a_list_shows_sizes_without_a_look_at_any_file(manager, monkeypatch, queries_do_not_grow):
    def make():
        put(manager, make_product(), drawn("JPEG", size=(2000, 10)))

    queries_do_not_grow(manager, "/api/products", make)
    for look in ("exists", "open", "size", "path", "listdir"):
        monkeypatch.setattr(FileSystemStorage, look, None)
    [first, *_] = manager.get("/api/products?page_size=10").json()["data"]

    assert first["image_sizes"]["640"] == first["image"].replace(".jpg", "-640.webp")


def test_thumbnails_go_with_their_picture(manager, media, django_capture_on_commit_callbacks):
    product, other = make_product(), make_product()

    def left_after(call, *args) -> list[str]:
        with django_capture_on_commit_callbacks(execute=True):
            assert call(*args).status_code in (200, 204)
        return [path.suffix for path in files(media)]

    assert left_after(put, manager, product, drawn("JPEG", size=(2000, 20))) == [*[".webp"] * 3, ".jpg"]
    assert left_after(put, manager, product, drawn("PNG", size=(700, 20))) == [".webp", ".webp", ".png"]
    assert left_after(manager.delete, f"/api/products/{product.pk}/image") == []
    assert left_after(put, manager, other, drawn("JPEG", size=(400, 20))) == [".webp", ".jpg"]
    assert left_after(manager.delete, f"/api/products/{other.pk}") == []


def test_what_a_killed_upload_left_is_deleted_and_nothing_else(manager, media):
    kept, gone = make_product(), make_product()
    for product in (kept, gone):
        put(manager, product, drawn("JPEG", size=(400, 20)))
    Product.objects.filter(pk=gone.pk).update(image="")
    run_jobs_of_the_next_hour()

    kept.refresh_from_db()
    assert {path.name.partition(".")[0].partition("-")[0] for path in files(media)} == {Path(kept.image.name).stem}


def test_files_that_could_not_be_deleted_are_deleted_later(
    manager, media, monkeypatch, django_capture_on_commit_callbacks
):
    def fail(*_):
        raise OSError("away")

    product = make_product()
    put(manager, product, drawn("JPEG", size=(400, 20)))
    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(FileSystemStorage, "delete", fail)
        assert manager.delete(f"/api/products/{product.pk}/image").status_code == 204
    assert len(files(media)) == 2

    run_jobs_of_the_next_hour()
    assert files(media) == []


def test_a_store_that_is_away_is_a_503_and_leaves_nothing(manager, media, monkeypatch):
    save = FileSystemStorage._save
    monkeypatch.setattr(
        FileSystemStorage, "_save", lambda self, name, content: save(self, name, content) if "-" not in name else 1 / 0
    )
    product = make_product()

    answer = put(manager, product, drawn("JPEG", size=(2000, 20)))

    assert (answer.status_code, answer.json()["errors"][0]["code"], answer["Retry-After"]) == (503, "unavailable", "2")
    product.refresh_from_db()
    assert (product.image.name, product.version, files(media)) == ("", 1, [])


@pytest.fixture
def old_pictures(manager, media, monkeypatch) -> list[Product]:
    """Products whose pictures were uploaded before there were thumbnails; of the second the file is gone."""
    products = [make_product(name=name) for name in ("Roll", "Bun", "Cake")]
    for product in products:
        put(manager, product, drawn("JPEG", size=(700, 20)))
        product.refresh_from_db()
    Product.objects.update(image_width=0)
    for path in files(media):
        if path.suffix == ".webp" or path.stem in products[1].image.name:
            path.unlink()
    monkeypatch.setattr("products.tasks.AT_A_TIME", 2)
    return products


def test_older_pictures_get_thumbnails_by_themselves(manager, media, old_pictures):
    roll = f"/api/products/{old_pictures[0].pk}"
    before = manager.get(roll)
    assert before.json()["data"]["image_sizes"] is None
    listed = manager.get("/api/products")

    for _ in range(2):
        call_command("migrate", verbosity=0)
        run_jobs_of_the_next_hour()

    after = manager.get(roll, headers={"If-None-Match": before["ETag"]})
    sizes = after.json()["data"]["image_sizes"]
    assert [size_of(manager, address)[1][0] for address in sizes.values()] == [320, 640, 700]
    assert manager.get("/api/products", headers={"If-None-Match": listed["ETag"]}).status_code == 200
    assert len(files(media)) == 6
    assert list(Product.objects.order_by("pk").values_list("image_width", flat=True)) == [700, 0, 700]
    assert checks() == [f"The picture {old_pictures[1].image.name} of Bun is not there."]


def test_a_thumbnail_that_is_gone_is_a_drift(manager, media):
    put(manager, make_product(name="Roll"), drawn("JPEG", size=(400, 20)))
    assert checks() == []
    [thumbnail] = [path for path in files(media) if path.suffix == ".webp"]
    thumbnail.unlink()

    assert checks() == [f"The picture products/{thumbnail.name} of Roll is not there."]


def test_pictures_may_be_kept_for_good_and_nothing_else_is_served(manager, media):
    address = put(manager, make_product(), drawn("JPEG")).json()["data"]["image"]
    (media / "products" / "page.html").write_text("<script>")

    served = manager.get(address)
    assert b"".join(served.streaming_content)
    assert served["Cache-Control"] == "public, max-age=31536000, immutable"
    assert manager.get("/media/products/page.html").status_code == 404


def test_the_admin_lists_the_smallest_size(client, manager, media):
    from accounts.tests.factories import make_user

    client.force_login(make_user(role="manager"))
    address = put(manager, make_product(), drawn("JPEG", size=(400, 20))).json()["data"]["image_sizes"]["320"]
    make_product()

    page = client.get(reverse("admin:products_product_changelist")).content.decode()

    assert page.count(f'<img src="{address.removeprefix("http://testserver")}"') == 1


def test_the_doctor_tells_of_files_that_no_product_names_and_finds_no_fault_in_it(manager, media):
    out = StringIO()
    put(manager, make_product(), drawn("JPEG", size=(400, 20)))
    call_command("doctor", stdout=out)
    assert "no product names" not in out.getvalue()

    (media / "products" / "a-320.webp").touch()
    (media / "products" / "b.jpg").touch()
    call_command("doctor", stdout=out)

    assert "(pictures: 2 files that no product names, such as products/a-320.webp; " in out.getvalue()
