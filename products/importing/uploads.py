"""Files that are uploaded in the admin. Small ones go on at once, large ones with the worker."""

from io import BytesIO
from typing import BinaryIO

from django.db import transaction

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError, NotFound
from products import tasks
from products.errors import ImportIsOver
from products.importing import review
from products.models import ImportFile, ImportState, ProductImport
from products.reader import MAX_BYTES, has_more_records

# A file with more rows is the worker's.
AT_ONCE = 1000


def receive(*, upload: BinaryIO, filename: str, user: User | None) -> ProductImport:
    """Take a file in and see to it that its import is planned. Raises DomainError above 20 MiB."""
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DomainError("The file is too large; at most 20 MiB are possible.", field="import_file", code="too_large")
    with transaction.atomic():
        record = ProductImport.objects.create(
            file_name=filename[-255:], user=user, state=ImportState.READING, begun_at=clock.now()
        )
        ImportFile.objects.create(product_import=record, content=content)
        is_large = _is_handed_over(record)
    return _after(record, is_large)


def confirm(*, import_id: int, user: User | None) -> ProductImport:
    """See to it that a plan is carried out that was looked at. Raises ImportIsOver, NotFound."""
    with transaction.atomic():
        record = _locked(import_id, ImportState.REVIEW)
        record.state, record.user, record.note, record.begun_at = ImportState.IMPORTING, user, "", clock.now()
        record.save()
        is_large = _is_handed_over(record)
    return _after(record, is_large)


@transaction.atomic
def drop(*, import_id: int) -> None:
    """Forget an upload that came to nothing. Raises ImportIsOver for one that was confirmed, NotFound."""
    _locked(import_id, ImportState.REVIEW, ImportState.REFUSED, ImportState.FAILED).delete()


def _is_handed_over(record: ProductImport) -> bool:
    """Leave a large upload to the worker, in the transaction that took it in."""
    is_large = has_more_records(BytesIO(record.file.content), filename=record.file_name, than=AT_ONCE)
    if is_large:
        tasks.advance_upload.enqueue(record.pk)
    return is_large


def _after(record: ProductImport, is_large: bool) -> ProductImport:
    if not is_large:
        review.advance(record.pk)
        record.refresh_from_db()
    return record


def _locked(import_id: int, *states: ImportState) -> ProductImport:
    for record in ProductImport.objects.select_for_update().filter(pk=import_id):
        if record.state not in states:
            raise ImportIsOver
        return record
    raise NotFound("There is no such import.")
