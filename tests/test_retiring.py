"""What was sold once stays known: deleting it takes it off sale."""

from django.urls import reverse

from accounts.tests.factories import make_user
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


def test_the_admin_keeps_a_product_with_history_and_says_so(client, db):
    client.force_login(make_user(role="manager"))
    first, second, unused = make_product(), make_product(), make_product()
    for product in (first, second):
        make_order(items=[{"product": product.pk, "quantity": 1}])
    delete = reverse("admin:products_product_delete", args=[first.pk])
    products = reverse("admin:products_product_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [second.pk, unused.pk]}

    for asked in (client.get(delete), client.post(products, chosen)):
        page = asked.content.decode()
        assert "A product that orders or lists know is kept, and taken off sale." in page
        assert "protected related objects" not in page
    one = client.post(delete, {"post": "yes"}, follow=True).content.decode()
    many = client.post(products, {**chosen, "post": "yes"}, follow=True).content.decode()

    assert f"{first} has history: kept, and taken off sale." in one
    assert "Deleted: 1." in many
    assert "With history, so kept and taken off sale: 1." in many
    assert "uccessfully" not in one + many
    assert dict(Product.objects.values_list("pk", "is_active")) == {first.pk: False, second.pk: False}
