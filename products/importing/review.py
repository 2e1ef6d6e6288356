"""Uploads of the admin: what each means is kept page by page for somebody to look at, and then carried out."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import Any

from django.db import transaction

from products.errors import BadProductFile, ImportIsOver, PlanOutdated
from products.importing import apply
from products.importing.plan import Plan, SourceFile, plan_import, read_file
from products.models import ImportFile, ImportPage, ImportState, ProductImport

LOOK_AGAIN = "The catalogue has changed since you looked, so nothing was imported. This is what the file means now."


def advance(import_id: int) -> None:
    """Plan an upload that is new, and carry out one that is confirmed; to do so twice does no harm."""
    record = ProductImport.objects.filter(pk=import_id).first()
    if record and record.state == ImportState.IMPORTING:
        _carry_out(record)
        record.refresh_from_db(fields=["state"])
    if record and record.state == ImportState.READING:
        _plan(record)


def _plan(record: ProductImport) -> None:
    tell = _teller(record)
    try:
        tell("Reading")
        file = _read(record)
        tell("Comparing")
        found: Plan | BadProductFile = plan_import(file)
    except BadProductFile as refusal:
        found = refusal
    _keep(record, found)


@transaction.atomic
def _keep(record: ProductImport, found: Plan | BadProductFile) -> None:
    record = ProductImport.objects.select_for_update().get(pk=record.pk)
    if record.state != ImportState.READING:
        return
    record.step = ""
    if isinstance(found, Plan):
        record.state = ImportState.REVIEW
        for name, value in found.on_record().items():
            setattr(record, name, value)
    else:
        record.state, record.errors = ImportState.REFUSED, len(found.errors)
        ImportFile.objects.filter(product_import=record).delete()
    record.pages.all().delete()
    ImportPage.objects.bulk_create(_pages(record, found), batch_size=100)
    record.save()


def _pages(record: ProductImport, found: Plan | BadProductFile) -> Iterator[ImportPage]:
    rows: Iterable[Any] = found.changes() if isinstance(found, Plan) else found.errors
    remaining = iter(rows)
    number = 0
    while some := list(islice(remaining, ImportPage.SIZE)):
        number += 1
        yield ImportPage(product_import=record, number=number, rows=[_as_json(one) for one in some])


def _as_json(one: Any) -> dict[str, Any]:
    if hasattr(one, "_asdict"):
        return dict(one._asdict())
    return {"line": one.line, "column": one.column, "code": one.code, "message": one.message}


def _carry_out(record: ProductImport) -> None:
    tell = _teller(record)
    try:
        tell("Reading")
        apply.import_products(_read(record), user=record.user, reviewed=record.plan, waiting=record.pk, progress=tell)
    except ImportIsOver:
        return
    except (PlanOutdated, BadProductFile):
        at_work = ProductImport.objects.filter(pk=record.pk, state=ImportState.IMPORTING)
        at_work.update(state=ImportState.READING, note=LOOK_AGAIN)


def _read(record: ProductImport) -> SourceFile:
    return read_file(BytesIO(record.file.content), filename=record.file_name)


def _teller(record: ProductImport) -> Callable[..., None]:
    """Return what writes down the step at hand, for those who wait; inside a transaction nobody would see it."""
    last = ""

    def tell(step: str, *_: int) -> None:
        nonlocal last
        if step != last:
            last = step
            ProductImport.objects.filter(pk=record.pk).update(step=step)

    return tell
