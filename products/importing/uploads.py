"""Files that are uploaded in the admin. Small ones go on at once, large ones with the worker."""

from datetime import timedelta
from io import BytesIO
from typing import BinaryIO

from django.db import transaction

from accounts.models import User
from bakery import clock
from bakery.errors import DomainError, NotFound
from products import tasks
from products.errors import ImportIsOver, PlanOutdated
from products.importing import review
from products.models import ImportFile, ImportState, ProductImport
from products.reader import MAX_BYTES, has_more_records

# A file with more rows is the worker's.
AT_ONCE = 1000
A_MINUTE = timedelta(minutes=1)


def receive(*, upload: BinaryIO, filename: str, user: User | None) -> ProductImport:
    """Take a file in and see to it that its import is planned. Raises DomainError above 20 MiB."""
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DomainError("The file is too large; at most 20 MiB are possible.", field="import_file", code="too_large")
    is_large = has_more_records(BytesIO(content), filename=filename, than=AT_ONCE)
    with transaction.atomic():
        record = ProductImport.objects.create(
            file_name=filename[-255:], user=user, state=ImportState.READING, begun_at=clock.now()
        )
        ImportFile.objects.create(product_import=record, content=content)
        _hand_over(record, is_large)
    return _after(record, is_large)


def confirm(*, import_id: int, shown: str, user: User | None) -> ProductImport:
    """See to it that the plan is carried out whose fingerprint was `shown`.

    Raises PlanOutdated where the upload has another plan by now; ImportIsOver, NotFound.
    """
    with transaction.atomic():
        record = _locked(import_id, ImportState.REVIEW)
        if record.plan != shown:
            raise PlanOutdated(review.LOOK_AGAIN)
        record.state, record.user, record.note, record.begun_at = ImportState.IMPORTING, user, "", clock.now()
        record.save()
        is_large = sum(record.counts.values()) > AT_ONCE
        _hand_over(record, is_large)
    return _after(record, is_large)


@transaction.atomic
def drop(*, import_id: int) -> None:
    """Forget an upload that came to nothing. Raises ImportIsOver for one that was confirmed, NotFound."""
    _locked(import_id, ImportState.REVIEW, ImportState.REFUSED, ImportState.FAILED).delete()


def _hand_over(record: ProductImport, is_large: bool) -> None:
    """Leave an upload to the worker: a large one now, a small one in case this process is killed over it."""
    wait = timedelta() if is_large else A_MINUTE
    tasks.advance_upload.using(run_after=clock.now() + wait).enqueue(record.pk)


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
