"""An owner's first file, in a real browser: what is wrong in it, what it would change, done, and undone."""

import pytest
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from accounts.tests.factories import make_user
from bakery import jobs
from products.importing import uploads
from products.models import Product
from products.tests.factories import make_category, make_product
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADER = "sku,name,category,price,description\n"
GOOD = f"""{HEADER}BAG-TRAD,Traditional baguette,Bread,1.40,Stone-baked
,Pain au chocolat,Viennoiserie,1.60,
,Rye loaf,Bread,4.20,
"""
BAD = HEADER + "BAG-TRAD,Traditional baguette,Bread,1.4O,\n,Pain au chocolat,,1.60,\n,Rye loaf,Bread,-4.20,\n"


class Office:
    """The pages of import, and the hands of an owner."""

    def __init__(self, browser, address, session, folder):
        self.browser, self.address, self.folder = browser, address, folder
        browser.get(f"{address}/healthz")
        browser.add_cookie({"name": "sessionid", "value": session})

    def upload(self, name, content):
        path = self.folder / name
        path.write_text(content)
        self.browser.get(f"{self.address}/admin/products/product/")
        self.click("Import")
        self.browser.find_element(By.NAME, "import_file").send_keys(str(path))
        self.press("See what it would change")

    def click(self, text):
        """Follow the link with this text on the page, not in the sidebar."""

        def link(_):
            links = self.browser.find_elements(By.CSS_SELECTOR, "#main a")
            return next((one for one in links if one.is_displayed() and one.text.split("\n")[-1].strip() == text), None)

        WebDriverWait(self.browser, PATIENCE, 0.1, ignored_exceptions=[StaleElementReferenceException]).until(
            link
        ).click()

    def press(self, text):
        self.browser.find_element(By.XPATH, f"//button[contains(., '{text}')]").click()

    def wait_for(self, text):
        # A page that is just being left answers nothing.
        waiting = WebDriverWait(self.browser, PATIENCE, 0.1, ignored_exceptions=[WebDriverException])
        waiting.until(lambda _: text in self.text())

    def text(self):
        return self.browser.execute_script("return document.querySelector('.imp')?.innerText ?? ''")


@pytest.fixture
def office(chromium, live_server, client, tmp_path):
    client.force_login(make_user(role="manager"))
    return Office(chromium, live_server.url, client.cookies["sessionid"].value, tmp_path)


def test_a_file_is_mended_looked_at_imported_and_undone(office):
    bread = make_category(name="Bread")
    baguette = make_product(category=bread, name="Traditional baguette", sku="BAG-TRAD", price="1.30")

    office.upload("products.csv", BAD)
    office.wait_for("3 things in the file are wrong. Nothing was imported.")
    rows = [row.text for row in office.browser.find_elements(By.CSS_SELECTOR, ".imp tr")][1:]
    assert [row.split()[:2] for row in rows] == [["2", "price"], ["3", "category"], ["4", "price"]]
    assert "1.4O" in rows[0]

    office.upload("products.csv", GOOD)
    office.wait_for("Nothing has been imported yet. Is this what you want?")
    assert "price 1.30 → 1.40" in office.text()
    assert "Pain au chocolat" in office.text()
    assert Product.objects.count() == 1
    office.press("Import 3 products")
    office.wait_for("See the products")
    assert Product.objects.count() == 3

    office.click("Undo this import …")
    office.wait_for("Put the catalogue back to what it was before this import?")
    office.press("Undo the import")
    office.wait_for("The catalogue was put back as it was before.")
    baguette.refresh_from_db()
    assert (Product.objects.get(), str(baguette.price)) == (baguette, "1.30")
    severe = [entry for entry in office.browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [entry["message"] for entry in severe if entry["source"] != "network"] == []


def test_the_page_of_a_large_file_goes_on_by_itself(office, monkeypatch):
    monkeypatch.setattr(uploads, "AT_ONCE", 2)
    office.upload("products.csv", GOOD)
    office.wait_for("Waiting for the background worker")

    jobs.run_due()

    office.wait_for("Nothing has been imported yet. Is this what you want?")
