"""Packing slips and delivery lists: as a page to print, and as PDF."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from accounts.tests.factories import make_user
from bakery import clock
from bakery.models import Shop
from orders import selectors, services
from orders.models import Order
from orders.tests.factories import make_order, on
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
SLIPS = f"{LIST}slips/"
DELIVERIES = f"{LIST}deliveries/"


def tomorrow():
    return on(1).date().isoformat()


def page(client, url, **query):
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def pages_of(response):
    """The text of each page of a PDF, its blanks and line ends made one."""
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(response.content)).pages]


def a_cake(**order):
    cake = make_product(
        name="Nut cake", price="12.00", allergens=["nuts", "gluten", "milk"], may_contain=["sesame", "soybeans"]
    )
    tea = make_product(name="Herbal tea", price="3.00", may_contain=["milk", "celery"])
    items = [{"product": cake.pk, "quantity": 1, "note": "“Łucja 7”"}, {"product": tea.pk, "quantity": 2}]
    return make_order(items=items, **order)


def test_a_slip_says_what_to_pack_and_names_its_allergens_in_the_words_and_order_of_the_law(office_of):
    Shop.objects.update_or_create(pk=1, defaults={"name": "Miller’s", "phone": "+33 1"})
    order = a_cake(customer_name="Ayşe Şahin", notes="Candles, please <7>")

    (slip,) = selectors.packing_slips(Order.objects.all()).slips
    shown = page(office_of("baker"), SLIPS, day=tomorrow())

    assert slip.contains == ["Cereals containing gluten", "Milk", "Nuts"]
    assert slip.may_contain == ["Soybeans", "Celery", "Sesame"]
    assert [line.contains for line in slip.lines] == [["Cereals containing gluten", "Milk", "Nuts"], []]
    for told in (
        order.code, "Ayşe Şahin", "“Łucja 7”", "Nut cake", "2 ×", "Candles, please &lt;7&gt;", "10:00", "Miller’s",
        "to collect 18.00 EUR", "<b>Cereals containing gluten, Milk, Nuts</b>", "May contain: Soybeans, Celery, Sesame",
        "No allergen is recorded", "May contain: Milk, Celery",
    ):  # fmt: skip
        assert told in shown


def test_the_pdf_has_a_page_for_each_order_in_letters_of_every_customer(office_of):
    first = a_cake(customer_name="Łukasz Şahin", due_at=on(1, 9), notes="Жанна ☐ 漢")
    second = make_order(customer_name="Ζωή", due_at=on(1, 11))
    services.pay(order_id=second.pk, amount=second.total, method="cash", actor=make_user(role="cashier"))

    pages = pages_of(office_of("cashier").get(SLIPS, {"day": tomorrow(), "as": "pdf"}))

    assert [page[: page.index(",")].split()[-5] for page in pages] == [first.code, second.code]
    for told in (
        "Łukasz Şahin · +33 1", "“Łucja 7”", "Note: Жанна ☐ \N{REPLACEMENT CHARACTER}", "1 ×", "2 ×", "Herbal tea",
        "Contains: Cereals containing gluten, Milk, Nuts", "May contain: Soybeans, Sesame", "No allergen is recorded",
        "Total 18.00 EUR, to collect 18.00 EUR", f"Order {first.code}", "page 1",
    ):  # fmt: skip
        assert told in pages[0]
    assert "Ζωή" in pages[1]
    assert "Total 2.60 EUR, paid" in pages[1]


def test_what_is_gone_is_on_no_slip_of_the_day_but_told_where_it_was_chosen(office_of):
    client = office_of("manager")
    cancelled, done = make_order(status="cancelled"), make_order(status="completed")

    assert "No order is to be packed." in page(client, SLIPS, day=tomorrow())
    assert "No order is to be packed." in pages_of(client.get(SLIPS, {"day": tomorrow(), "as": "pdf"}))[0]

    chosen = {"action": "print_slips", "_selected_action": [cancelled.pk, done.pk]}
    shown = client.post(LIST, chosen).content.decode()
    assert cancelled.code in shown
    assert done.code in shown
    assert shown.count('class="gone"') == 1
    assert "CANCELLED" in pages_of(client.post(LIST, chosen | {"action": "save_slips"}))[0]


def test_for_a_cancelled_order_nothing_is_to_be_collected(office_of):
    chosen = {"_selected_action": [make_order(status="cancelled").pk]}
    client = office_of("manager")

    page = client.post(LIST, {"action": "print_slips", **chosen}).content.decode()
    (paper,) = pages_of(client.post(LIST, {"action": "save_slips", **chosen}))

    for slip in (page, paper):
        assert "Total" in slip
        assert "to collect" not in slip
        assert "paid" not in slip


def test_the_delivery_list_goes_by_time_and_says_where_to_and_what_to_collect(office_of):
    late = make_order(fulfilment="delivery", due_at=on(1, 15), customer_name="Late", notes="Ring twice")
    early = make_order(fulfilment="delivery", due_at=on(1, 8), customer_name="Łucja", address="2 Ulica Długa\nKraków")
    pickup = make_order(due_at=on(1, 9))
    services.pay(order_id=late.pk, amount=late.total, method="card", actor=make_user(role="cashier"))
    client = office_of("driver")

    shown = page(client, DELIVERIES, day=tomorrow())
    (text,) = pages_of(client.get(DELIVERIES, {"day": tomorrow(), "as": "pdf"}))

    for told in (shown, text):
        assert told.index(early.code) < told.index(late.code)
        assert pickup.code not in told
        assert "2 stops, to collect 2.60 EUR" in told
        for part in (
            "08:00",
            "15:00",
            "Łucja",
            "2 Ulica Długa",
            "Kraków",
            "+33 1",
            "Ring twice",
            "2 × Product",
            "paid",
        ):
            assert part in told


def test_the_driver_reads_what_is_wished_of_a_line(office_of):
    bread = make_product(name="Rye loaf")
    make_order(fulfilment="delivery", items=[{"product": bread.pk, "quantity": 1, "note": "sliced <thin>"}])
    client = office_of("driver")

    (text,) = pages_of(client.get(DELIVERIES, {"day": tomorrow(), "as": "pdf"}))

    assert "1 × Rye loaf – sliced &lt;thin&gt;" in page(client, DELIVERIES, day=tomorrow())
    assert "1 × Rye loaf – sliced <thin>" in text
    assert "1 stop, to collect" in text


def test_deliveries_of_several_days_have_a_list_each(office_of):
    orders = [make_order(fulfilment="delivery", due_at=on(day)) for day in (2, 1)]
    chosen = {"action": "save_deliveries", "_selected_action": [order.pk for order in orders]}

    pages = pages_of(office_of("driver").post(LIST, chosen))

    assert [order.code in page for order, page in zip(reversed(orders), pages, strict=True)] == [True, True]


def test_nobody_drives_to_a_delivery_that_is_cancelled_though_it_was_chosen(office_of):
    wanted, cancelled = (make_order(fulfilment="delivery", status=status) for status in ("ready", "cancelled"))
    chosen = {"action": "print_deliveries", "_selected_action": [wanted.pk, cancelled.pk]}

    shown = office_of("driver").post(LIST, chosen).content.decode()

    assert (wanted.code in shown, cancelled.code in shown) == (True, False)
    assert f"1 stop, to collect {wanted.total}" in shown


@pytest.mark.parametrize(
    ("role", "slips", "deliveries"),
    [("manager", 200, 200), ("cashier", 200, 200), ("baker", 200, 200), ("driver", 403, 200), ("customer", 302, 302)],
)
def test_who_may_print_what(office_of, role, slips, deliveries):
    client = office_of(role)

    assert client.get(SLIPS).status_code == slips
    assert client.get(DELIVERIES).status_code == deliveries


def test_a_driver_takes_no_slips_from_the_list(office_of):
    order = make_order(fulfilment="delivery")

    answer = office_of("driver").post(LIST, {"action": "print_slips", "_selected_action": [order.pk]})

    assert order.code not in answer.content.decode()


@pytest.mark.parametrize("url", [SLIPS, DELIVERIES])
def test_a_print_costs_no_more_queries_for_many_orders(office_of, queries_do_not_grow, url):
    def add():
        items = [{"product": make_product().pk, "quantity": 1} for _ in range(2)]
        make_order(fulfilment="delivery", due_at=on(0, 23), now=on(0), items=items)

    assert queries_do_not_grow(office_of("manager"), url, add) <= 10


def test_a_print_that_is_cut_off_says_so(office_of, monkeypatch):
    monkeypatch.setattr(selectors.papers, "MOST_ON_PAPER", 2)
    for _ in range(3):
        make_order(fulfilment="delivery")
    client = office_of("manager")
    notice = "1 more are not."

    for url in (SLIPS, DELIVERIES):
        assert notice in page(client, url, day=tomorrow())
        assert notice in pages_of(client.get(url, {"day": tomorrow(), "as": "pdf"}))[0]


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "1-1-1"])
def test_a_day_that_is_none_is_not_found(office_of, day):
    assert office_of("manager").get(SLIPS, {"day": day}).status_code == 404


def test_without_a_day_it_is_today(office_of):
    order = make_order(due_at=on(0, 23), now=on(0))

    assert clock.local(order.due_at).date() == clock.today()
    assert order.code in page(office_of("manager"), SLIPS)


def test_a_stop_that_is_longer_than_a_page_goes_on_on_the_next_one(office_of):
    goods = [make_product(name=f"Thing {number:03d}.") for number in range(100)]
    items = [{"product": thing.pk, "quantity": 1} for thing in goods]
    notes = " ".join(f"word{number}," for number in range(200))
    make_order(items=items, notes=notes, fulfilment="delivery")
    make_order(customer_name="Zoé", due_at=on(1, 11), fulfilment="delivery")

    text = " ".join(pages_of(office_of("driver").get(DELIVERIES, {"day": tomorrow(), "as": "pdf"})))

    assert [word for word in (*notes.split(), *(thing.name for thing in goods), "Zoé") if word not in text] == []


def test_lines_that_end_as_on_windows_are_lines(office_of):
    make_order(fulfilment="delivery", address="1 Mill Lane\r\nDoor\tB", notes="Ring\r\ntwice")

    for url, role in ((SLIPS, "cashier"), (DELIVERIES, "driver")):
        (text,) = pages_of(office_of(role).get(url, {"day": tomorrow(), "as": "pdf"}))
        assert "1 Mill Lane Door B" in text
        assert "Ring twice" in text
