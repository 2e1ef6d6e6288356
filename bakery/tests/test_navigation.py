import pytest
from django.contrib import admin

from accounts.tests.factories import make_user
from bakery.navigation import _PAGES, sidebar

admin.autodiscover()  # as the routes do, which are not loaded yet


@pytest.mark.parametrize(
    ("role", "seen", "unseen"),
    [
        ("manager", "/admin/products/product/", "/admin/auth/group/"),
        ("cashier", "/admin/cashbook/cashentry/", "/admin/accounts/user/"),
        ("baker", "/admin/production/bakingplan/", "/admin/cashbook/cashentry/"),
        ("driver", "/admin/orders/order/today/", "/admin/orders/standingorder/"),
    ],
)
def test_the_sidebar_shows_what_the_role_may_see(client, db, role, seen, unseen):
    client.force_login(make_user(role=role))

    page = client.get("/admin/").content.decode()

    assert f'href="{seen}"' in page
    assert f'href="{unseen}"' not in page


def test_every_page_of_the_admin_is_in_the_sidebar(db):
    listed = {page.partition(":")[0] for pages in _PAGES.values() for _, _, page in pages}
    registered = {model._meta.label_lower for model in admin.site._registry}

    assert registered == listed


@pytest.mark.parametrize(
    ("path", "here"),
    [("orders/order/", "Orders"), ("orders/order/today/", "Today"), ("orders/order/take/", "Orders"), ("", "nothing")],
)
def test_one_page_at_most_is_marked_as_the_open_one(rf, db, path, here):
    request = rf.get(f"/admin/{path}")
    request.user = make_user(role="manager")

    marked = [item["title"] for group in sidebar(request) for item in group["items"] if item["active"]]

    assert marked == ([] if here == "nothing" else [here])
