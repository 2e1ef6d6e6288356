"""Imports of products beside what other apps hold, and in processes of their own."""

import pytest

from orders.tests.factories import make_order
from products.errors import CannotUndo
from products.importing import undo_import
from products.models import Product
from products.tests.factories import make_category, make_product
from products.tests.test_import_undo import bring_in, undo


@pytest.mark.django_db
def test_what_was_ordered_since_an_import_made_it_stands_in_the_way_of_its_undo():
    old = make_product(category=make_category(name="Bread"), name="Loaf", price="1")
    first = bring_in("sku,name,category,price\n,Loaf,Bread,2\nR1,Roll,Bread,2\n")
    make_order(items=[{"product": old.pk, "quantity": 1}])
    undo(bring_in("name,category,price\nLoaf,Bread,3\n"))  # what was there before may have been ordered
    make_order(items=[{"product": Product.objects.get(name="Roll").pk, "quantity": 1}])

    with pytest.raises(CannotUndo) as refused:
        undo_import(import_id=first.pk, user=None)

    assert [problem.message for problem in refused.value.problems] == ["Roll (R1) is in order items since."]
    assert Product.objects.count() == 2
