"""The pages of import and export in the admin, on top of our own reader and writer."""

from io import BytesIO
from itertools import chain, islice
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.resources import Resource
from import_export.results import InvalidRow, Result, RowResult

from products import exporting
from products.errors import MOST_SHOWN, BadProductFile
from products.importing import ImportResult, Plan, Stored, import_products, plan_import, read_file
from products.models import Product
from products.reader import ProductRow

MOST_PREVIEWED = 50


class ProductFileFormat(Format):
    """Whatever our reader takes: it looks at the file itself, and at its name."""

    def __init__(self, encoding: str | None = None) -> None:
        """Take the encoding that import-export passes; the reader finds it out for itself."""

    def get_title(self) -> str:
        return "CSV, TSV or XLSX, also as .gz; exports of WooCommerce, Shopify and Square"

    def create_dataset(self, in_stream: bytes) -> bytes:
        return in_stream

    def can_import(self) -> bool:
        return True


class CsvFormat(Format):
    form = "csv"

    def get_title(self) -> str:
        return self.form.upper()

    def get_extension(self) -> str:
        return self.form

    def get_content_type(self) -> str:
        return exporting.FORMS[self.form]

    def can_export(self) -> bool:
        return True

    def export_data(self, dataset: QuerySet[Product], **kwargs: Any) -> bytes:
        with exporting.export_products(dataset, self.form) as file:
            return file.read()


class XlsxFormat(CsvFormat):
    form = "xlsx"


class ProductResource(Resource):
    sku = Field(column_name="sku")
    name = Field(column_name="name")
    category = Field(column_name="category")
    price = Field(column_name="price")
    image = Field(column_name="image")
    description = Field(column_name="description")
    active = Field(column_name="active")

    @classmethod
    def get_display_name(cls) -> str:
        return "Products"

    def import_data(self, dataset: bytes, dry_run: bool = False, **kwargs: Any) -> "ProductResult":
        """Preview what is in the bytes `dataset`, or import it; what is wrong becomes invalid rows."""
        try:
            file = read_file(BytesIO(dataset), filename=kwargs["file_name"])
            if dry_run:
                return ProductResult(plan=plan_import(file), skipped=file.skipped)
            return ProductResult(done=import_products(file, user=kwargs["user"]))
        except BadProductFile as refusal:
            return ProductResult(refusal=refusal)


class ProductResult(Result):
    """What the pages of import-export show: the first rows of a plan, or the faults of a file."""

    def __init__(
        self,
        *,
        plan: Plan | None = None,
        skipped: int = 0,
        done: ImportResult | None = None,
        refusal: BadProductFile | None = None,
    ) -> None:
        super().__init__()
        self.done = done
        self.summary = ""
        self.diff_headers = list(exporting.HEADER)
        if plan:
            self._preview(plan)
            self.summary = (
                f"{len(plan.creates)} new, {len(plan.updates)} changed, {plan.unchanged} unchanged, {skipped} skipped."
            )
        for error in refusal.errors[:MOST_SHOWN] if refusal else ():
            problem = ValidationError({error.column or NON_FIELD_ERRORS: [error.message]})
            self.invalid_rows.append(InvalidRow(error.line, problem, ()))

    def _preview(self, plan: Plan) -> None:
        fresh = ((RowResult.IMPORT_TYPE_NEW, None, row) for row in plan.creates)
        changed = ((RowResult.IMPORT_TYPE_UPDATE, stored, row) for stored, row in plan.updates)
        for kind, stored, row in islice(chain(changed, fresh), MOST_PREVIEWED):
            result = RowResult()
            result.import_type = kind
            result.diff = _differences(stored, row)
            self.rows.append(result)


def _differences(stored: Stored | None, row: ProductRow) -> list[str]:
    new = [row.sku, row.name, row.category, row.price, row.image, row.description, row.active]
    if stored is None:
        return ["" if value is None else str(value) for value in new]
    old = [row.sku, stored.name, row.category, stored.price, stored.image, stored.description, stored.active]
    return [
        str(before) if after in (None, before) else f"{before} → {after}"
        for before, after in zip(old, new, strict=True)
    ]
