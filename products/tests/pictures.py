"""Pictures to upload, and the call that uploads them."""

import io
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from products.models import Product


def drawn(form: str, *, size: tuple[int, int] = (6, 4), mode: str = "RGB", **how) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 128 if mode in "LP" else None).save(out, form, **how)
    return out.getvalue()


def put(client, product: Product, content: bytes, name: str = "a.jpg", **how):
    file = SimpleUploadedFile(name, content)
    return client.put(f"/api/products/{product.pk}/image", {"file": file}, format="multipart", **how)


def files(media: Path) -> list[Path]:
    """The thumbnails, smallest names first, and then the pictures themselves."""
    found = (path for path in media.rglob("*") if path.is_file())
    return sorted(found, key=lambda path: (path.suffix != ".webp", path.name))
