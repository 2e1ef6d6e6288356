"""What was sold once stays known: deleting it takes it off sale."""

from orders.tests.factories import make_order
from products.models import Product
from products.tests.factories import make_product
from products.tests.pictures import drawn, files, put


def test_delete_retires_a_product_with_history(api_as):
    product = make_product()
    make_order(items=[{"product": product.pk, "quantity": 1}])
    manager, url = api_as("manager"), f"/api/products/{product.pk}"
    stale = {"If-Match": '"7"'}

    assert manager.delete(url, headers=stale).status_code == 412
    assert manager.get(url).json()["data"]["is_active"] is True
    assert manager.delete(url).status_code == 204
    assert manager.get(url).json()["data"]["is_active"] is False
    assert api_as(None).get(url).status_code == 404
    assert Product.objects.get().version == 2


def test_a_retired_product_keeps_its_picture(api_as, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.MEDIA_ROOT = tmp_path
    product, manager = make_product(), api_as("manager")
    put(manager, product, drawn("JPEG", size=(400, 20)))
    make_order(items=[{"product": product.pk, "quantity": 1}])

    with django_capture_on_commit_callbacks(execute=True):
        manager.delete(f"/api/products/{product.pk}")

    assert [path.suffix for path in files(tmp_path)] == [".webp", ".jpg"]
