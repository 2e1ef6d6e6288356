from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import models
from django.forms import ValidationError
from django.urls import reverse

from accounts.tests.factories import make_user
from bakery.admin import AmountFormField, HistoryModelAdmin

admin.autodiscover()  # as the routes do, which are not loaded yet


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


PAGES = sorted(admin.site._registry.values(), key=str)


@pytest.fixture
def office(client, db):
    client.force_login(make_user(role="admin"))
    return client


def address(page, name, *args):
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_{name}", args=args)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_an_action_on_what_can_not_be_there_changes_nothing(office, rf, page):
    request = rf.get("/admin/")
    request.user = make_user(role="admin")
    url = address(page, "changelist")

    for action in page.get_actions(request):
        for key in ("x", "9" * 30, "\x00"):
            answer = office.post(url, {"action": action, "_selected_action": [key], "post": "yes"}, follow=True)

            assert answer.redirect_chain == [(url, 302)]
            assert "What was chosen is not there." in answer.content.decode()


@pytest.mark.parametrize("key", ["x", "9" * 30])
def test_what_can_not_be_there_has_no_history(office, key):
    for page in PAGES:
        if not isinstance(page, HistoryModelAdmin):
            continue
        for url in (
            address(page, "history", key),
            address(page, "simple_history", key, 1),
            address(page, "simple_history", 1, key),
        ):
            answer = office.get(url)

            assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8"), url


@pytest.mark.parametrize("key", ["x", "9" * 30])
def test_pages_of_what_can_not_be_there_lead_away(office, key):
    for page in PAGES:
        for name in ("change", "delete", "history"):
            assert office.get(address(page, name, key)).status_code in (302, 403, 404), (page, name)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_list_asked_for_days_that_never_are_is_shown_whole(office, page):
    url = address(page, "changelist")

    for field in page.opts.concrete_fields:
        if not isinstance(field, models.DateField):
            continue
        for lookup in ("year=99999", "year=0", "year=x"):
            answer = office.get(f"{url}?{field.name}__{lookup}")

            assert (answer.status_code, answer.url) == (302, f"{url}?e=1")
        for lookup in ("year=1", "year=9999", f"year=9999&{field.name}__month=12", f"day={'9' * 30}"):
            assert office.get(f"{url}?{field.name}__{lookup}").status_code in (200, 302)


def test_an_export_of_days_that_never_are_leads_to_the_list(office):
    answer = office.get("/admin/products/product/export/?created_at__year=x")

    assert (answer.status_code, answer.url) == (302, "/admin/products/product/")
