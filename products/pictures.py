"""Uploaded pictures: checked before they are decoded, and stored only as drawn anew."""

import io
import secrets
from typing import IO

from PIL import Image, ImageOps

from products.errors import BadPicture

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 20_000_000
# Phones write JPEG files that hold further pictures; Pillow calls them MPO.
_SUFFIXES = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
_MODES = {"jpg": ("RGB", "L"), "png": ("RGB", "RGBA", "L", "LA"), "webp": ("RGB", "RGBA")}


def reencode(upload: IO[bytes]) -> tuple[str, bytes]:
    """Return (suffix, content) of the picture in `upload`, without its metadata and whatever is hidden in its file.

    Raises BadPicture unless it is a whole JPEG, PNG or WebP of at most 20 megapixels.
    """
    try:
        with Image.open(upload, formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height <= MOST_PIXELS:
                suffix = _SUFFIXES[picture.format or ""]
                return suffix, _draw(picture, suffix)
    except Exception as error:  # Pillow has no common error for what is wrong with a file
        raise BadPicture("This is no picture in JPEG, PNG or WebP, or a damaged one.", field="file") from error
    raise BadPicture(f"The picture has more than {MOST_PIXELS // 1_000_000} megapixels.", field="file")


def _draw(picture: Image.Image, suffix: str) -> bytes:
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in _MODES[suffix]:
        upright = upright.convert("RGBA" if upright.has_transparency_data and suffix != "jpg" else "RGB")
    upright.info = {}
    drawn = io.BytesIO()
    upright.save(drawn, {"jpg": "JPEG"}.get(suffix, suffix), quality=85)
    return drawn.getvalue()


def random_name(suffix: str) -> str:
    """Return a file name that tells nothing and cannot be guessed."""
    return f"{secrets.token_hex(16)}.{suffix}"
