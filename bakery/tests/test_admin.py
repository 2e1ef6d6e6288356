from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import models
from django.forms import ValidationError

from accounts.tests.factories import make_user
from bakery.admin import AmountFormField


@pytest.mark.parametrize("written", ["1e5", "1E5", "1_000", "٣.50", "1.2.3", "1,000", ",5", "5.", "NaN", "+3", "3.505"])
def test_an_amount_is_written_in_plain_digits(written):
    with pytest.raises(ValidationError):
        AmountFormField(max_digits=10, decimal_places=2).clean(written)


@pytest.mark.parametrize(
    ("written", "amount"), [("3.50", "3.50"), ("3,5", "3.5"), (" -12 ", "-12"), ("007", "7"), (Decimal("1.20"), "1.20")]
)
def test_an_amount_may_have_a_point_or_a_comma(written, amount):
    assert AmountFormField(max_digits=10, decimal_places=2).clean(written) == Decimal(amount)


def test_an_amount_that_is_not_required_may_be_left_empty():
    assert AmountFormField(required=False).clean(" ") is None


def test_every_decimal_field_of_the_admin_is_read_strictly(rf, db):
    request = rf.get("/admin/")
    request.user = make_user(role="admin")
    pages = list(admin.site._registry.values())
    pages += [
        inline(page.model, admin.site) for page in pages for inline in {*page.inlines, *page.get_inlines(request, None)}
    ]

    read = {
        str(field): type(page.formfield_for_dbfield(field, request))
        for page in pages
        for field in page.model._meta.concrete_fields
        if isinstance(field, models.DecimalField) and field.editable
    }

    assert set(read.values()) == {AmountFormField}
    assert {"products.Product.price", "products.PriceChange.price", "products.VatRate.rate"} <= set(read)
