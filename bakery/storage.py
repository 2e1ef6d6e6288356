"""Where uploaded pictures are kept: files in DATA_DIR, or a bucket that speaks S3."""

import mimetypes
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# For how long browsers and caches may keep a picture: another one has another name.
FOR_GOOD = "public, max-age=31536000, immutable"
PICTURES = frozenset({".jpg", ".png", ".webp"})
mimetypes.add_type("image/webp", ".webp")  # Python 3.11 learns it from the system alone, where that knows it

# Over one of the same name: thumbnails may be made twice.
IN_FILES = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"allow_overwrite": True}}

_SCHEMES = {"s3": "https", "s3+http": "http"}


class Bucket(NamedTuple):
    """Where a bucket is, and the address below which everybody may read what is in it."""

    endpoint: str
    name: str
    folder: str
    region: str
    key: str
    secret: str
    address: str


def read(url: str) -> Bucket | None:
    """Read s3://KEY:SECRET@HOST:PORT/BUCKET/FOLDER?region=…&address=https://…; nothing means no bucket.

    Raises ValueError, KeyError for anything else.
    """
    if not url:
        return None
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    endpoint = f"{_SCHEMES[parts.scheme]}://{parts.netloc.rpartition('@')[2]}"
    name, _, folder = parts.path.strip("/").partition("/")
    address = options.pop("address", f"{endpoint}/{parts.path.strip('/')}")
    region = options.pop("region", "us-east-1")
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    if options or not (parts.hostname and name) or bool(key) != bool(secret) or not _is_web_address(address):
        raise ValueError(url)
    return Bucket(endpoint, name, folder, region, key, secret, f"{address.rstrip('/')}/")


def _is_web_address(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.query or parts.fragment)


def of(bucket: Bucket) -> dict[str, Any]:
    """Return the entry of STORAGES for a bucket. Raises ImproperlyConfigured where its packages are not installed."""
    if not find_spec("storages"):
        raise ImproperlyConfigured("MEDIA_STORAGE needs further packages: bin/setup s3 installs them.")
    return {"BACKEND": "bakery.s3.BucketStorage", "OPTIONS": {"bucket": bucket}}
