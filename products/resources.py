"""The page of export in the admin, on top of our own writer."""

from typing import Any

from django.db.models import QuerySet
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.resources import Resource

from products import exporting
from products.models import Product


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
