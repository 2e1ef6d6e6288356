"""Products one by one: /api/products and /api/products/{id}."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.tests.factories import make_user
from bakery.errors import DomainError
from products import services
from products.models import CapacityGroup, Product, VatClass
from products.tests.factories import make_category, make_product, make_vat_class

LEAST = {"name": "Roll", "category": "bread", "price": "0.55"}


@pytest.fixture
def bread(db):
    return make_category(name="Bread")


@pytest.fixture
def manager(api_as):
    return api_as("manager")


def errors_of(answer) -> list[tuple[str, str | None]]:
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def test_a_product_is_shown_with_everything_that_is_known_of_it(api_as, bread):
    product = make_product(
        category=bread,
        sku="BAG-TRAD",
        name="Traditional baguette",
        description="Long\ncold rise",
        vat_class=make_vat_class(slug="bread", takeaway="5.50", eat_in="10.00"),
        unit="piece",
        weight_g=250,
        allergens=["milk", "gluten"],
        may_contain=["sesame"],
        diets=["vegetarian"],
        weekdays=[7, 1],
        available_from=date(2026, 1, 1),
        lead_time_hours=12,
        daily_capacity=120,
        capacity_group=CapacityGroup.objects.create(name="Deck oven", daily_capacity=400),
        capacity_units=2,
        max_per_order=30,
        shelf_life_days=1,
        batch_size=10,
    )

    answer = api_as(None).get(f"/api/products/{product.pk}")

    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "id": product.pk,
        "sku": "BAG-TRAD",
        "name": "Traditional baguette",
        "slug": "traditional-baguette",
        "category": "bread",
        "category_name": "Bread",
        "description": "Long\ncold rise",
        "image": None,
        "image_sizes": None,
        "price": "1.30",
        "vat_class": "bread",
        "vat_rate": "5.50",
        "unit": "piece",
        "weight_g": 250,
        "allergens": ["gluten", "milk"],
        "may_contain": ["sesame"],
        "diets": ["vegetarian"],
        "is_active": True,
        "is_baked": True,
        "weekdays": [1, 7],
        "available_from": "2026-01-01",
        "available_until": None,
        "lead_time_hours": 12,
        "daily_capacity": 120,
        "capacity_group": "Deck oven",
        "capacity_units": 2,
        "max_per_order": 30,
        "shelf_life_days": 1,
        "batch_size": 10,
        "created_at": answer.json()["data"]["created_at"],
        "updated_at": answer.json()["data"]["updated_at"],
    }
    assert answer.json()["data"]["created_at"].endswith(("+01:00", "+02:00"))


def test_a_new_product_needs_a_name_a_category_and_a_price(manager, bread):
    answer = manager.post("/api/products", {})

    assert answer.status_code == 400
    assert sorted(errors_of(answer)) == [("required", "category"), ("required", "name"), ("required", "price")]


def test_what_a_new_product_does_not_say_takes_its_default(manager, bread):
    answer = manager.post("/api/products", LEAST)

    assert answer.status_code == 201
    made = answer.json()["data"]
    assert answer["Location"] == f"/api/products/{made['id']}"
    assert made == manager.get(answer["Location"]).json()["data"]
    assert {name: made[name] for name in made if name not in ("id", "created_at", "updated_at")} == {
        **LEAST,
        "sku": "",
        "slug": "roll",
        "category_name": "Bread",
        "description": "",
        "image": None,
        "image_sizes": None,
        "vat_class": "standard",
        "vat_rate": "0.00",
        "unit": "",
        "weight_g": None,
        "allergens": [],
        "may_contain": [],
        "diets": [],
        "is_active": True,
        "is_baked": True,
        "weekdays": [1, 2, 3, 4, 5, 6, 7],
        "available_from": None,
        "available_until": None,
        "lead_time_hours": 0,
        "daily_capacity": None,
        "capacity_group": None,
        "capacity_units": 1,
        "max_per_order": None,
        "shelf_life_days": None,
        "batch_size": None,
    }


def test_what_a_client_may_not_set_is_ignored(manager, bread):
    sent = {"id": 999, "slug": "mine", "category_name": "X", "image": "x.png", "vat_rate": "99", "created_at": "x"}

    made = manager.post("/api/products", LEAST | sent | {"version": 7, "colour": "brown"}).json()["data"]

    assert made["id"] != 999
    assert (made["slug"], made["category_name"], made["image"], made["vat_rate"]) == ("roll", "Bread", None, "0.00")


def test_what_was_read_can_be_put_back(manager, bread):
    product = make_product(
        category=bread, description="a\n\tb", allergens=["eggs"], weekdays=[2], available_until=date(2030, 1, 1)
    )
    read = manager.get(f"/api/products/{product.pk}").json()["data"]

    answer = manager.put(f"/api/products/{product.pk}", read)

    assert answer.status_code == 200
    assert answer.json()["data"] | {"updated_at": read["updated_at"]} == read


def test_put_wants_what_is_required_and_patch_changes_what_it_names(manager, bread):
    product = make_product(category=bread, name="Roll", weight_g=60)
    url = f"/api/products/{product.pk}"

    assert errors_of(manager.put(url, {"name": "Bun"})) == [("required", "category"), ("required", "price")]
    patched = manager.patch(url, {"name": "Bun", "weight_g": None}).json()["data"]

    assert (patched["name"], patched["slug"], patched["price"], patched["weight_g"]) == ("Bun", "roll", "1.30", None)


@pytest.mark.parametrize(
    "price",
    ["-1", "-0", -1, "1_000", "1E5", 1e30, "١٢", "1.234", "100000000", "", " 1", "1,5", "+1", True, None, "NaN"],
)
def test_a_price_is_plain_digits_from_zero_on(manager, bread, price):
    answer = manager.post("/api/products", LEAST | {"price": price})

    assert answer.status_code == 400
    assert {field for _, field in errors_of(answer)} == {"price"}
    assert not Product.objects.exists()


@pytest.mark.parametrize(("price", "shown"), [(3, "3.00"), ("0", "0.00"), ("1.5", "1.50"), ("99999999.99",) * 2])
def test_a_price_is_shown_with_two_decimals(manager, bread, price, shown):
    assert manager.post("/api/products", LEAST | {"price": price}).json()["data"]["price"] == shown


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"name": ""}, ("blank", "name")),
        ({"name": "\u200b"}, ("blank", "name")),
        ({"name": "x" * 201}, ("max_length", "name")),
        ({"name": "a\nb"}, ("control_character", "name")),
        ({"name": 5}, ("invalid", "name")),
        ({"sku": "x" * 65}, ("max_length", "sku")),
        ({"description": "x" * 5001}, ("max_length", "description")),
        ({"category": "nowhere"}, ("does_not_exist", "category")),
        ({"category": 1}, ("invalid", "category")),
        ({"category": None}, ("null", "category")),
        ({"vat_class": "nowhere"}, ("does_not_exist", "vat_class")),
        ({"allergens": ["milk", "honey"]}, ("invalid_choice", "allergens.1")),
        ({"allergens": "milk"}, ("not_a_list", "allergens")),
        ({"diets": ["raw"]}, ("invalid_choice", "diets.0")),
        ({"weekdays": [0]}, ("min_value", "weekdays.0")),
        ({"weekdays": [8]}, ("max_value", "weekdays.0")),
        ({"weekdays": ["1"]}, ("invalid", "weekdays.0")),
        ({"is_active": "yes"}, ("invalid", "is_active")),
        ({"weight_g": -1}, ("min_value", "weight_g")),
        ({"weight_g": 10**12}, ("max_value", "weight_g")),
        ({"lead_time_hours": 100_000}, ("max_value", "lead_time_hours")),
        ({"daily_capacity": 1.5}, ("invalid", "daily_capacity")),
        ({"batch_size": 0}, ("min_value", "batch_size")),
        ({"capacity_group": "Nowhere"}, ("does_not_exist", "capacity_group")),
        ({"capacity_group": 1}, ("invalid", "capacity_group")),
        ({"capacity_units": 0}, ("min_value", "capacity_units")),
        ({"capacity_units": 1_000_001}, ("max_value", "capacity_units")),
        ({"max_per_order": 0}, ("min_value", "max_per_order")),
        ({"max_per_order": 1_000_001}, ("max_value", "max_per_order")),
        ({"available_from": "2026-1-5"}, ("invalid", "available_from")),
        ({"available_from": "2026-02-01", "available_until": "2026-01-31"}, ("invalid", "available_until")),
    ],
)
def test_a_bad_value_is_refused_by_name(manager, bread, sent, error):
    answer = manager.post("/api/products", LEAST | sent)

    assert (answer.status_code, errors_of(answer)) == (400, [error])
    assert not Product.objects.exists()


def test_a_sku_is_there_once(manager, bread):
    make_product(sku="A1")

    answer = manager.post("/api/products", LEAST | {"sku": "A1"})

    assert (answer.status_code, errors_of(answer)) == (409, [("already_exists", "sku")])


def test_without_a_sku_category_and_name_are_the_key(manager, bread):
    make_product(category=bread, name="Roll")

    answer = manager.post("/api/products", LEAST)

    assert (answer.status_code, errors_of(answer)) == (409, [("already_exists", "name")])
    assert manager.post("/api/products", LEAST | {"sku": "A1"}).status_code == 201
    assert manager.post("/api/products", LEAST | {"category": make_category(name="Buns").slug}).status_code == 201


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["Crème brûlée", "Creme brulee"], ["creme-brulee", "creme-brulee-2"]),
        (["Käse – groß", "Œuf & Ærø"], ["kase-gross", "oeuf-aero"]),
        (["パン", "!!!"], ["product-1", "product-2"]),
        (["Roll 2", "Roll", "Roll"], ["roll-2", "roll", "roll-3"]),
        (["x" * 200, "x" * 200], ["x" * 200, "x" * 200 + "-2"]),
    ],
)
def test_a_slug_is_made_of_the_name_and_numbered_where_it_is_taken_or_empty(manager, bread, names, slugs):
    made = [manager.post("/api/products", LEAST | {"name": name, "sku": f"S{n}"}) for n, name in enumerate(names)]

    assert [answer.json()["data"]["slug"] for answer in made] == slugs


def test_the_public_knows_of_active_products_only(api_as):
    product = make_product(is_active=False)
    url = f"/api/products/{product.pk}"

    statuses = [api_as(who).get(url).status_code for who in (None, "customer", "cashier", "manager")]

    assert statuses == [404, 404, 200, 200]
    assert errors_of(api_as(None).get(url)) == [("not_found", None)]


@pytest.mark.parametrize("path", ["0", "999", "９", "1e3", "9" * 18, "9" * 40, "-1"])
def test_what_is_not_there_is_404(api_as, path):
    make_product()

    assert api_as("manager").get(f"/api/products/{path}").status_code == 404


def test_delete_removes_a_product_that_nothing_refers_to(manager):
    product = make_product()
    services.set_targets(product_id=product.pk, targets={1: 5})

    assert manager.delete(f"/api/products/{product.pk}").status_code == 204
    assert not Product.objects.exists()
    assert manager.delete(f"/api/products/{product.pk}").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stale_change_changes_nothing(manager, bread, method):
    product = make_product(category=bread, name="Roll")
    url = f"/api/products/{product.pk}"
    stale = manager.get(url)["ETag"]
    manager.patch(url, {"price": "2.00"})

    answer = getattr(manager, method)(url, LEAST, headers={"If-Match": stale})

    assert (answer.status_code, errors_of(answer)) == (412, [("stale", None)])
    assert manager.get(url).json()["data"]["price"] == "2.00"
    fresh = manager.get(url)["ETag"]
    assert getattr(manager, method)(url, LEAST, headers={"If-Match": fresh}).status_code in (200, 204)


def test_if_match_with_a_star_always_passes(manager):
    product = make_product()

    assert manager.patch(f"/api/products/{product.pk}", {"price": "2"}, headers={"If-Match": "*"}).status_code == 200


def test_checks_come_in_the_order_of_404_400_412(manager):
    product = make_product()

    wrong = {"If-Match": '"99"'}
    assert manager.patch("/api/products/999", {"price": "x"}, headers=wrong).status_code == 404
    assert manager.patch(f"/api/products/{product.pk}", {"price": "x"}, headers=wrong).status_code == 400
    assert manager.patch(f"/api/products/{product.pk}", {"price": "1"}, headers=wrong).status_code == 412


def test_every_change_is_kept_with_who_made_it(api_as):
    user = make_user(role="manager")
    made = api_as(user).post("/api/products", LEAST | {"category": make_category().slug}).json()["data"]
    api_as(user).patch(f"/api/products/{made['id']}", {"price": "9"})
    api_as(user).delete(f"/api/products/{made['id']}")

    trail = Product.history.filter(id=made["id"]).order_by("history_id")
    assert [(row.history_type, row.history_user, row.price) for row in trail] == [
        ("+", user, Decimal("0.55")),
        ("~", user, Decimal("9.00")),
        ("-", user, Decimal("9.00")),
    ]


# Targets


def test_targets_are_kept_per_weekday_and_replaced_as_a_whole(manager):
    url = f"/api/products/{make_product().pk}/targets"

    assert manager.get(url).json()["data"] == {}
    assert manager.put(url, {"6": 80, "1": 40}).json()["data"] == {"1": 40, "6": 80}
    assert manager.put(url, {"1": 50, "2": 0}).json()["data"] == {"1": 50, "2": 0}
    assert manager.get(url).json()["data"] == {"1": 50, "2": 0}


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"1": -1}, ("min_value", "1")),
        ({"1": 10**7}, ("max_value", "1")),
        ({"1": "40"}, ("invalid", "1")),
        ({"1": None}, ("null", "1")),
        ([40], ("invalid", None)),
        ({"1": 40, "8": 1}, ("invalid", "8")),
        ({"0": 40}, ("invalid", "0")),
        ({"monday": 40}, ("invalid", "monday")),
    ],
)
def test_a_bad_target_is_refused_by_its_weekday(manager, sent, error):
    url = f"/api/products/{make_product().pk}/targets"
    manager.put(url, {"1": 5})

    answer = manager.put(url, sent)

    assert (answer.status_code, errors_of(answer)) == (400, [error])
    assert manager.get(url).json()["data"] == {"1": 5}


# Who may do what

ROLES = (None, "customer", "cashier", "baker", "driver", "manager", "admin")
CLOSED = (401, 403, 403, 403, 403)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("get", "", None, (200,) * 7),
        ("get", "/{id}", None, (200,) * 7),
        ("post", "", {}, (*CLOSED, 400, 400)),
        ("put", "/{id}", {}, (*CLOSED, 400, 400)),
        ("patch", "/{id}", {}, (*CLOSED, 200, 200)),
        ("get", "/{id}/targets", None, (401, 403, 200, 200, 200, 200, 200)),
        ("put", "/{id}/targets", {}, (*CLOSED, 200, 200)),
        ("put", "/{id}/image", {}, (*CLOSED, 415, 415)),
        ("delete", "/{id}/image", None, (*CLOSED, 204, 204)),
        ("delete", "/{id}", None, (*CLOSED, 204, 404)),
        ("post", "/import", {}, (*CLOSED, 415, 415)),
        ("get", "/export", None, (*CLOSED, 200, 200)),
        ("get", "/import", None, (405,) * 7),
        ("delete", "", None, (405,) * 7),
    ],
)
def test_who_may_do_what_with_products(api_as, method, path, body, expected):
    url = "/api/products" + path.format(id=make_product().pk)

    answers = [getattr(api_as(role), method)(url, body) for role in ROLES]
    for answer in answers:
        list(answer)  # a file is closed when it was read

    assert tuple(answer.status_code for answer in answers) == expected


def test_a_capacity_group_can_be_taken_off_again_and_its_new_name_shows_at_once(manager, client):
    oven = CapacityGroup.objects.create(name="Oven", daily_capacity=100)
    product = make_product(capacity_group=oven, capacity_units=3)
    url = f"/api/products/{product.pk}"
    tag = manager.get(url)["ETag"]
    client.force_login(make_user(role="manager"))
    form = {
        "name": " Stone oven\u200b",
        "daily_capacity": 100,
        "overrides-TOTAL_FORMS": 0,
        "overrides-INITIAL_FORMS": 0,
    }
    assert client.post(f"/admin/products/capacitygroup/{oven.pk}/change/", form).status_code == 302

    shown = manager.get(url, headers={"If-None-Match": tag}).json()["data"]
    assert (shown["capacity_group"], shown["capacity_units"]) == ("Stone oven", 3)
    assert manager.patch(url, {"capacity_group": None}).json()["data"]["capacity_group"] is None


@pytest.mark.parametrize("page", ["capacitygroup", "vatclass"])
def test_a_name_with_a_hidden_character_is_refused_in_the_admin(client, db, page):
    client.force_login(make_user(role="manager"))
    inline = "overrides" if page == "capacitygroup" else "rates"
    form = {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0, "slug": "oven", "daily_capacity": 1}

    answer = client.post(f"/admin/products/{page}/add/", form | {"name": "Ov\u202een"})

    assert "It holds a control character." in answer.text
    assert not CapacityGroup.objects.exists()
    assert VatClass.objects.count() == 1


def test_a_vat_class_is_trimmed_and_refused_like_any_text(manager):
    assert services.create_vat_class(slug="bread", name=" Bread\u200b ").name == "Bread"

    with pytest.raises(DomainError, match="control character"):
        services.create_vat_class(slug="tea", name="T\x00ea")
