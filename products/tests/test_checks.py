"""What the doctor asks of the catalogue."""

from products.models import VatClass
from products.selectors import checks
from products.tests.factories import make_product


def test_a_sound_catalogue_has_no_drift(db):
    make_product()

    assert checks() == []


def test_a_missing_standard_class_is_a_drift(db):
    VatClass.objects.all().delete()

    assert checks() == ["There is no VAT class standard, which new products take."]
