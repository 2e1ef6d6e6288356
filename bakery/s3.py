"""Pictures in a bucket that speaks S3. Only loaded where MEDIA_STORAGE names one: its packages are optional."""

from typing import Any

from botocore.config import Config
from django.utils.encoding import filepath_to_uri
from storages.backends.s3 import S3Storage

from bakery.storage import FOR_GOOD, Bucket

# An upload waits for it: a bucket that is away must not hold up the server's threads for minutes.
_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    connect_timeout=3,
    read_timeout=15,
    retries={"mode": "standard", "total_max_attempts": 2},
    # What not every server that speaks S3 understands.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class BucketStorage(S3Storage):  # type: ignore[misc]  # it has no types
    """Stores under the very name that is asked for, and gives plain addresses: the bucket is open to readers."""

    def __init__(self, bucket: Bucket) -> None:
        self.address = bucket.address
        super().__init__(
            access_key=bucket.key or None,
            secret_key=bucket.secret or None,
            bucket_name=bucket.name,
            location=bucket.folder,
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            client_config=_CONFIG,
            object_parameters={"CacheControl": FOR_GOOD},
        )

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        return f"{self.address}{filepath_to_uri(name)}"
