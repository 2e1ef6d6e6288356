"""Words without a blank in a real browser: they are broken, and no page grows wider for them."""

import pytest

from accounts.tests.factories import make_user
from bakery import clock
from orders.tests.factories import make_order, on
from products.models import ImportState, ProductImport

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/orders/order/"
IMPORTS = "/admin/products/productimport/"
# The window, and in it the frame of a list; looked at once all fonts are there, without which icons are long words.
TOO_WIDE = """
return document.fonts.ready.then(() =>
  [document.documentElement, ...document.querySelectorAll("#main, #main .simplebar-content-wrapper")]
    .filter(box => box.scrollWidth > box.clientWidth)
    .map(box => `${box.tagName}: ${box.scrollWidth} > ${box.clientWidth}`)
)
"""


@pytest.mark.parametrize("width", [1400, 500])
def test_a_word_without_an_end_makes_no_page_wider(chromium, live_server, client, width):
    word = "W" * 200
    order = make_order(customer_name=word, fulfilment="delivery", address=word, notes=word, due_at=on(0, 23), now=on(0))
    order.items.update(note=word)
    record = ProductImport.objects.create(file_name=f"{word}.csv", state=ImportState.FAILED, begun_at=clock.now())
    client.force_login(make_user(role="manager"))
    chromium.set_window_size(width, 1000)
    chromium.get(f"{live_server.url}/healthz")
    chromium.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})

    papers = [f"{LIST}{name}/" for name in ("today", "slips", "deliveries")]
    for path in (LIST, *papers, IMPORTS, f"{IMPORTS}{record.pk}/change/"):
        chromium.get(f"{live_server.url}{path}")
        assert word in chromium.page_source
        assert (path, chromium.execute_script(TOO_WIDE)) == (path, [])
