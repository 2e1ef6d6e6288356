"""What the doctor asks of the catalogue."""

import pytest
from django.db import connection

from products.models import Category, VatClass
from products.selectors import checks
from products.tests.factories import make_category, make_product


def test_a_sound_catalogue_has_no_drift(db):
    make_product()

    assert checks() == []


def test_a_missing_standard_class_is_a_drift(db):
    VatClass.objects.all().delete()

    assert checks() == ["There is no VAT class standard, which new products take."]


def test_two_names_that_differ_in_the_case_of_an_accent_are_a_drift(db):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's own index refuses them")
    make_category(name="Éclairs")
    Category.objects.create(name="éclairs", slug="eclairs-2")

    assert checks() == ["The categories Éclairs and éclairs have the same name."]
