"""Uploaded pictures: checked before they are decoded, stored only as drawn anew, and in smaller sizes beside it."""

import io
import secrets
from typing import IO, NamedTuple

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from bakery.errors import Unavailable
from products.errors import BadPicture

log = structlog.get_logger("products.pictures")

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 20_000_000
# Of the thumbnails, in pixels. None is made of a picture that is no wider: the picture itself is that size then.
WIDTHS = (320, 640, 1280)
FOLDER = "products"
# Phones write JPEG files that hold further pictures; Pillow calls them MPO.
_SUFFIXES = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
_MODES = {"jpg": ("RGB", "L"), "png": ("RGB", "RGBA", "L", "LA"), "webp": ("RGB", "RGBA")}
# A thumbnail of a picture that is higher still is narrower, since WebP has no room for more than 16,383 lines.
_HIGHEST = 4


class Drawn(NamedTuple):
    """A picture that may be stored: its name, its width in pixels, and the content of each of its files."""

    name: str
    width: int
    files: dict[str, bytes]


def draw(upload: IO[bytes]) -> Drawn:
    """Return the picture in `upload` drawn anew, without its metadata and whatever is hidden in its file.

    Its name tells nothing and cannot be guessed. Raises BadPicture unless it is a whole JPEG, PNG or WebP of at most
    5 MiB and 20 megapixels.
    """
    if upload.seek(0, io.SEEK_END) > MOST_BYTES:
        raise BadPicture(f"The picture is too large; at most {MOST_BYTES >> 20} MiB are possible.", field="file")
    try:
        with Image.open(upload, formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height <= MOST_PIXELS:
                suffix = _SUFFIXES[picture.format or ""]
                upright = _upright(picture, suffix)
                name = f"{FOLDER}/{secrets.token_hex(16)}.{suffix}"
                files = {name: _encoded(upright, {"jpg": "JPEG"}.get(suffix, suffix)), **_thumbnails(name, upright)}
                return Drawn(name, upright.width, files)
    except Exception as error:  # Pillow has no common error for what is wrong with a file
        raise BadPicture("This is no picture in JPEG, PNG or WebP, or a damaged one.", field="file") from error
    raise BadPicture(f"The picture has more than {MOST_PIXELS // 1_000_000} megapixels.", field="file")


def draw_thumbnails(name: str) -> Drawn:
    """Return the thumbnails alone of the stored picture `name`. Raises whatever storage and Pillow do."""
    with default_storage.open(name) as file, Image.open(file, formats=("JPEG", "PNG", "WEBP")) as picture:
        return Drawn(name, picture.width, _thumbnails(name, picture))


def _upright(picture: Image.Image, suffix: str) -> Image.Image:
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in _MODES[suffix]:
        upright = upright.convert("RGBA" if upright.has_transparency_data and suffix != "jpg" else "RGB")
    upright.info = {}
    return upright


def _thumbnails(name: str, picture: Image.Image) -> dict[str, bytes]:
    """Return the content of each thumbnail by its name; the largest first, since each is made of the one before."""
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    files = {}
    for width in sorted(WIDTHS, reverse=True):
        if picture.width > width:
            small.thumbnail((width, width * _HIGHEST))
            files[thumbnail(name, width)] = _encoded(small, "webp")
    return files


def _encoded(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, quality=85)
    return out.getvalue()


def thumbnail(picture: str, width: int) -> str:
    """Return the name of a thumbnail where `picture` is a name, and its address where it is an address."""
    return f"{picture.rpartition('.')[0]}-{width}.webp"


def sizes(picture: str, width: int) -> dict[str, str]:
    """Return name or address for each of WIDTHS, of a picture that is `width` wide, without a look at any file."""
    return {str(size): thumbnail(picture, size) if width > size else picture for size in WIDTHS}


def store(files: dict[str, bytes]) -> None:
    """Store each file under its very name. Raises Unavailable; some may be there then."""
    try:
        for name, content in files.items():
            default_storage.save(name, ContentFile(content))
    except Exception as error:  # each storage has errors of its own
        log.warning("a picture could not be stored", exc_info=error)
        raise Unavailable("Pictures cannot be stored at the moment. Try again later.") from error


def delete(name: str) -> None:
    """Delete a picture and its thumbnails, those that are there."""
    for file in (name, *(thumbnail(name, width) for width in WIDTHS)):
        default_storage.delete(file)


def stored() -> set[str]:
    """Return the names of all files that are there, at the cost of one look."""
    try:
        return {f"{FOLDER}/{file}" for file in default_storage.listdir(FOLDER)[1]}
    except FileNotFoundError:
        return set()
