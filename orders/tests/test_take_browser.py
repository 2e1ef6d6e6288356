"""An order taken in a real browser, with the keyboard alone."""

from functools import wraps
from threading import Event

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from accounts.tests.factories import make_user
from orders.models import Order
from orders.tests.factories import make_order, on
from orders.views import OrderViewSet
from products.tests.factories import make_product
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Office:
    """A page of the admin in a browser, and the hands of a cashier on the keyboard."""

    def __init__(self, browser, address, session):
        self.browser, self.address = browser, address
        browser.get(f"{address}/healthz")
        browser.add_cookie({"name": "sessionid", "value": session})

    def open(self, path):
        self.browser.get(f"{self.address}{path}")
        self.browser.execute_script("window.neverReloaded = true")

    def press(self, *keys):
        self.browser.switch_to.active_element.send_keys(*keys)

    def type_at_once(self, text):
        """As a quick hand does: the page has no time to look anything up between two letters."""
        self.browser.execute_cdp_cmd("Input.insertText", {"text": text})

    def focus(self):
        return self.browser.execute_script("return document.activeElement.id || document.activeElement.className")

    def tab_to(self, name):
        for _ in range(20):
            if self.focus() == name:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{name} is not reached by Tab")

    def wait_for(self, truth):
        waiting = WebDriverWait(self.browser, PATIENCE, 0.05, ignored_exceptions=[StaleElementReferenceException])
        waiting.until(lambda _: truth())

    def text(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector).text


def errors_of(browser):
    """What a script could not do; that a refusal is logged as well is of no interest."""
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [entry["message"] for entry in severe if entry["source"] != "network"]


@pytest.fixture
def office(chromium, live_server, client):
    client.force_login(make_user(role="cashier"))
    return Office(chromium, live_server.url, client.cookies["sessionid"].value)


@pytest.fixture
def answers(monkeypatch):
    """Whether orders are answered: not while it is cleared."""
    answers, create = Event(), OrderViewSet.create

    @wraps(create)
    def create_in_time(*request):
        assert answers.wait(PATIENCE)
        return create(*request)

    monkeypatch.setattr(OrderViewSet, "create", create_in_time)
    answers.set()
    return answers


def test_an_order_is_taken_by_keyboard_refused_mended_and_placed_once(office, answers):
    customer = make_user(first_name="Grace", last_name="Hopper", phone="+1 555")
    make_product(name="Rye loaf", price="4.20", daily_capacity=3)
    office.open("/admin/orders/order/take/")

    office.wait_for(lambda: office.focus() == "customer_name")
    office.type_at_once("grace")
    office.wait_for(lambda: "Grace Hopper" in office.text("#customers"))
    office.press(Keys.ARROW_DOWN, Keys.ENTER)
    assert office.focus() == "day"
    office.tab_to("time")
    office.press("1000AM")
    office.tab_to("product")
    office.press("rye", Keys.ENTER)  # faster than the list of what fits
    office.wait_for(lambda: office.focus() == "quantity")
    office.press("5", Keys.ENTER)
    assert office.focus() == "product"
    assert office.text(".lines .left.short") == "3 left"
    assert office.text("#total") == "21.00"

    office.press(Keys.CONTROL, Keys.ENTER)
    office.wait_for(lambda: "only 3 are left" in office.text(".lines .error"))
    assert "A manager may go over them" in office.text(".told")
    assert office.focus() == "quantity"
    assert not Order.objects.exists()

    office.press(Keys.CONTROL, "a")
    office.press("3")
    # As impatient people do, who do not wait for the answer.
    answers.clear()
    office.press(Keys.CONTROL, Keys.ENTER, Keys.ENTER)
    answers.set()
    office.wait_for(lambda: "is placed" in office.text(".told"))

    order = Order.objects.get()
    assert office.text(".told").startswith(f"Order {order.code} is placed: 12.60 EUR")
    assert (order.customer, order.customer_phone, order.channel) == (customer, "+1 555", "phone")
    assert (office.focus(), office.text(".lines tbody"), office.text("#total")) == ("customer_name", "", "0.00")
    assert office.browser.execute_script("return window.neverReloaded")
    assert errors_of(office.browser) == []


def test_an_order_is_changed_and_leads_back_to_its_page(office):
    roll = make_product(name="Roll", price="1.00", lead_time_hours=100)
    items = [{"product": roll.pk, "quantity": 2, "note": "dark"}, {"product": roll.pk, "quantity": 1}]
    # What is too short a time for a new order is no reason to refuse fewer pieces of an old one.
    order = make_order(items=items, due_at=on(1).replace(second=7), now=on(-5))
    office.open(f"/admin/orders/order/{order.pk}/edit/")
    office.wait_for(lambda: office.text(".lines .left") == "3 left")

    quantity = office.browser.find_element(By.CSS_SELECTOR, "input.quantity")
    quantity.send_keys(Keys.CONTROL, "a")
    quantity.send_keys("1")
    quantity.send_keys(Keys.CONTROL, Keys.ENTER)

    office.wait_for(lambda: office.browser.current_url.endswith(f"/admin/orders/order/{order.pk}/change/"))
    told = "items: 2 × Roll (dark), 1 × Roll → 1 × Roll (dark), 1 × Roll"
    office.wait_for(lambda: told in office.text("body"))
    order.refresh_from_db()
    assert (str(order.total), order.due_at.second) == ("2.00", 7)
