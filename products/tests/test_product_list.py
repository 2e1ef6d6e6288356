"""GET /api/products: what it is narrowed and ordered by, what it costs, and its tag."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.serializers import serialize
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bakery import clock
from products import services
from products.models import VatClass
from products.tests.factories import make_category, make_product, make_vat_rate

URL = "/api/products"
AT_NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [product["name"] for product in answer.json()["data"]]


def errors_of(answer) -> list[tuple[str, str | None]]:
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


@pytest.fixture
def guest(api_as):
    return api_as(None)


@pytest.fixture
def shop(db):
    """Four products that differ in all that a list can be narrowed by."""
    bread, cakes = make_category(name="Bread"), make_category(name="Cakes")
    make_product(
        name="Walnut bread", category=bread, sku="WAL-1", price="3.90", allergens=["gluten", "nuts"],
        diets=["vegan", "vegetarian"], weekdays=[5, 6, 7],
    )  # fmt: skip
    make_product(
        name="Stollen", category=cakes, price="12.00", description="With marzipan and butter", allergens=["milk"],
        available_from=date(2026, 11, 20), available_until=date(2026, 12, 26),
    )  # fmt: skip
    make_product(name="Meringue", category=cakes, price="1.20", allergens=["eggs"], may_contain=["nuts"])
    make_product(name="Old roll", category=bread, price="0.50", is_active=False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Meringue", "Stollen", "Walnut bread"]),
        ("category=bread", ["Walnut bread"]),
        ("category=bread&category=cakes", ["Meringue", "Stollen", "Walnut bread"]),
        ("search=walnut", ["Walnut bread"]),
        ("search=wal-1", ["Walnut bread"]),
        ("search=MARZIPAN", ["Stollen"]),
        ("search=butter%20stollen", ["Stollen"]),
        ("search=%25", []),
        ("search=%20", ["Meringue", "Stollen", "Walnut bread"]),
        ("min_price=3.90", ["Stollen", "Walnut bread"]),
        ("max_price=3.9", ["Meringue", "Walnut bread"]),
        ("min_price=1.5&max_price=5", ["Walnut bread"]),
        ("allergen_free=nuts", ["Meringue", "Stollen"]),
        ("allergen_free=nuts,milk", ["Meringue"]),
        ("diet=vegan", ["Walnut bread"]),
        ("diet=halal", []),
        ("available_on=2026-11-25", ["Meringue", "Stollen"]),
        ("available_on=2026-11-27", ["Meringue", "Stollen", "Walnut bread"]),
        ("available_on=2026-12-27", ["Meringue", "Walnut bread"]),
        ("is_active=true", ["Meringue", "Stollen", "Walnut bread"]),
        ("is_active=false", []),
        ("ordering=price", ["Meringue", "Walnut bread", "Stollen"]),
        ("ordering=-price", ["Stollen", "Walnut bread", "Meringue"]),
        ("ordering=category,-name", ["Walnut bread", "Stollen", "Meringue"]),
        ("ordering=-created_at", ["Meringue", "Stollen", "Walnut bread"]),
        ("page_size=2&page=2", ["Walnut bread"]),
    ],
)
def test_the_list_is_narrowed_and_ordered(guest, shop, query, found):
    assert names(guest.get(f"{URL}?{query}")) == found


def test_staff_see_what_is_not_on_sale_as_well(api_as, shop):
    baker = api_as("baker")

    assert names(baker.get(URL)) == ["Meringue", "Old roll", "Stollen", "Walnut bread"]
    assert names(baker.get(f"{URL}?is_active=false")) == ["Old roll"]
    assert names(baker.get(f"{URL}?available_on=2026-11-27&category=bread")) == ["Walnut bread"]
    assert names(api_as("customer").get(URL)) == ["Meringue", "Stollen", "Walnut bread"]


def test_updated_since_finds_what_was_changed_from_then_on(guest, shop, time_machine):
    time_machine.move_to(clock.now() + timedelta(hours=1), tick=False)
    moment = clock.now()
    product = make_product(name="Fresh")
    services.update_product(product_id=product.pk, price=2)

    assert names(guest.get(URL, {"updated_since": moment.isoformat()})) == ["Fresh"]
    assert names(guest.get(URL, {"updated_since": (moment + timedelta(seconds=1)).isoformat()})) == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("colour=brown", ("unknown_parameter", "colour")),
        ("category=nowhere", ("does_not_exist", "category")),
        ("category=bread&category=%00", ("control_character", "category")),
        ("search=%00", ("control_character", "search")),
        ("min_price=cheap", ("invalid", "min_price")),
        ("min_price=-1", ("min_value", "min_price")),
        ("max_price=1e5", ("invalid", "max_price")),
        ("allergen_free=nuts,honey", ("invalid_choice", "allergen_free")),
        ("allergen_free=nuts&allergen_free=milk", ("repeated_parameter", "allergen_free")),
        ("page=x&page=1", ("repeated_parameter", "page")),
        ("diet=raw", ("invalid_choice", "diet")),
        ("available_on=2026-1-5", ("invalid", "available_on")),
        ("available_on=20260105", ("invalid", "available_on")),
        ("available_on=", ("invalid", "available_on")),
        ("is_active=1", ("invalid", "is_active")),
        ("updated_since=yesterday", ("invalid", "updated_since")),
        ("ordering=weight", ("invalid", "ordering")),
        ("page=0", ("invalid", "page")),
        ("page_size=201", ("invalid", "page_size")),
        ("page_size=1.0", ("invalid", "page_size")),
    ],
)
def test_a_bad_parameter_is_refused_by_name(guest, shop, query, error):
    answer = guest.get(f"{URL}?{query}")

    assert (answer.status_code, errors_of(answer)) == (400, [error])
    assert guest.get(f"{URL}?{query}", headers={"If-None-Match": "*"}).status_code == 400


def test_a_page_past_the_end_is_404(guest, shop):
    assert guest.get(f"{URL}?page=2").status_code == 404


def test_the_list_says_how_much_there_is(guest, shop):
    assert guest.get(f"{URL}?page_size=2").json()["meta"]["pagination"] == {
        "page": 1,
        "page_size": 2,
        "total": 3,
        "pages": 2,
        "next": "http://testserver/api/products?page=2&page_size=2",
        "previous": None,
    }


def test_an_item_of_the_list_is_the_product_as_it_is_shown_alone(guest, shop):
    for item in guest.get(URL).json()["data"]:
        assert guest.get(f"{URL}/{item['id']}").json()["data"] == item


# What it costs


def test_the_list_costs_as_many_queries_for_many_products_as_for_few(guest, queries_do_not_grow):
    assert queries_do_not_grow(guest, URL, make_product) == 5


def test_another_page_is_not_counted_again_and_the_same_page_is_not_built_again(guest, shop):
    guest.get(URL)
    for url, queries in ((f"{URL}?page_size=1", 2), (f"{URL}?page_size=1&page=2", 2), (URL, 1)):
        with CaptureQueriesContext(connection) as caught:
            assert guest.get(url).status_code == 200
        assert len(caught) == queries, url


# Its tag

WRITES = {
    "a new product": lambda p: make_product(category=p.category),
    "a price": lambda p: services.update_product(product_id=p.pk, price=9),
    "a product that is gone": lambda p: services.remove_product(product_id=p.pk),
    "a category's name": lambda p: services.update_category(category_id=p.category_id, name="Others"),
    "a new category": lambda p: make_category(),
    "a VAT rate from today": lambda p: make_vat_rate(vat_class=p.vat_class, rate="7.00"),
    "a target": lambda p: services.set_targets(product_id=p.pk, targets={1: 5}),
}


@pytest.mark.parametrize("url", [URL, f"{URL}?search=roll", f"{URL}/{{id}}"])
def test_what_is_known_is_not_sent_again(guest, url):
    url = url.format(id=make_product(name="Roll").pk)
    first = guest.get(url)

    again = guest.get(url, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert guest.get(url, headers={"If-None-Match": f'"x", W/{first["ETag"]}'}).status_code == 304
    assert guest.get(url, headers={"If-None-Match": "*"}).status_code == 304
    assert guest.get(url, headers={"If-None-Match": '"x"'}).content == first.content


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("path", ["", "/{id}"])
def test_no_write_leaves_an_old_answer(guest, write, path):
    product = make_product(name="Roll")
    url = URL + path.format(id=product.pk)
    tag = guest.get(url)["ETag"]
    write(product)

    answer = guest.get(url, headers={"If-None-Match": tag})

    assert answer.status_code in (200, 404)
    assert answer.get("ETag") != tag


def test_what_a_fixture_brings_shows_at_once(guest, tmp_path):
    product = make_product(name="Roll")
    fixture = tmp_path / "fixture.json"
    fixture.write_text(serialize("json", [product]))
    services.update_product(product_id=product.pk, name="Bun")
    tag = guest.get(URL)["ETag"]
    call_command("loaddata", str(fixture), verbosity=0)

    assert names(guest.get(URL, headers={"If-None-Match": tag})) == ["Roll"]


@pytest.mark.parametrize("word", ["éclair", "ÉCLAIR", "Éclair", "écl"])
def test_words_are_found_whatever_the_case_of_their_accents(guest, word):
    make_product(name="Éclair au chocolat")

    assert names(guest.get(URL, {"search": word})) == ["Éclair au chocolat"]


@pytest.mark.parametrize("path", ["", "/{id}"])
def test_a_rate_takes_effect_on_its_day(guest, time_machine, path):
    time_machine.move_to(AT_NOON)
    product = make_product()
    url = URL + path.format(id=product.pk)
    make_vat_rate(vat_class=product.vat_class, rate="7.00", valid_from=date(2026, 11, 26))
    first = guest.get(url)
    time_machine.move_to(datetime(2026, 11, 25, 23, 30, tzinfo=UTC))

    answer = guest.get(url, headers={"If-None-Match": first["ETag"]})

    assert (answer.status_code, b'"vat_rate":"7.00"' in answer.content) == (200, True)
    assert b'"vat_rate":"0.00"' in first.content


@pytest.mark.parametrize("path", ["", "/{id}"])
def test_staff_and_the_public_have_tags_of_their_own(api_as, path):
    url = URL + path.format(id=make_product().pk)

    public, staff = api_as(None).get(url)["ETag"], api_as("baker").get(url)["ETag"]

    assert public != staff
    assert api_as("baker").get(url, headers={"If-None-Match": public}).status_code == 200
    assert api_as("customer").get(url, headers={"If-None-Match": public}).status_code == 304


def test_the_tag_of_a_change_is_the_tag_that_is_read_afterwards(api_as):
    manager = api_as("manager")
    url = f"{URL}/{make_product().pk}"

    assert manager.patch(url, {"price": "2"})["ETag"] == manager.get(url)["ETag"]


def test_a_refused_change_keeps_the_tag(api_as):
    manager = api_as("manager")
    url = f"{URL}/{make_product().pk}"
    tag = manager.get(url)["ETag"]
    manager.patch(url, {"available_from": "2026-02-01", "available_until": "2026-01-01"})

    assert manager.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_the_rate_shown_is_the_newest_of_today_to_take_away(guest):
    product = make_product()
    standard = VatClass.objects.get(slug="standard")
    make_vat_rate(vat_class=standard, rate="5.00", valid_from=date(2020, 1, 1))
    make_vat_rate(vat_class=standard, rate="5.50", valid_from=clock.today())
    make_vat_rate(vat_class=standard, rate="9.00", valid_from=clock.today() + timedelta(days=1))
    make_vat_rate(vat_class=standard, rate="10.00", place="eat_in")

    assert guest.get(f"{URL}/{product.pk}").json()["data"]["vat_rate"] == "5.50"


def test_what_was_kept_by_one_release_is_not_shown_by_the_next(api_as, monkeypatch):
    product = make_product()
    guest = api_as(None)
    paths = ["/api/products", f"/api/products/{product.pk}", f"/api/categories/{product.category.slug}"]
    tags = [guest.get(path)["ETag"] for path in paths]

    monkeypatch.setattr("bakery.VERSION", "9999.0")
    monkeypatch.setattr("products.serializers._show", lambda *_: {"told": "otherwise"})
    answers = [guest.get(path, headers={"If-None-Match": tag}) for path, tag in zip(paths, tags, strict=True)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert guest.get("/api/products").json()["data"] == [{"told": "otherwise"}]
