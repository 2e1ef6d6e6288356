"""GET /api/products?search=: what is found, in which order, and what keeps the index true."""

import io
import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from products import indexing
from products.models import Product
from products.models.words import searchable, searchable_name, spellings, words_to_spell
from products.tests.factories import make_category, make_product

URL = "/api/products"


@pytest.fixture
def guest(api_as):
    return api_as(None)


@pytest.fixture
def found(guest):
    """The names of the products that the public finds, in their order."""

    def search(text, **more):
        answer = guest.get(URL, {"search": text, **more})
        assert answer.status_code == 200, answer.content
        names = [product["name"] for product in answer.json()["data"]]
        assert answer.json()["meta"]["pagination"]["total"] == len(names)
        return names

    return search


@pytest.fixture
def shelf(db):
    """A category to put products in by their names."""
    category = make_category(name="Bread")

    def put(*names, **fields):
        return [make_product(name=name, category=category, **fields) for name in names]

    return put


# What is found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("baguete", "Baguette"),
        ("BAGUETTES", "Baguette"),
        ("baugette", "Baguette de tradition"),
        ("traditon baguette", "Baguette de tradition"),
        ("crossaint", "Croissant"),
        ("kroissant", "Croissant"),
        ("pian", "Pain s/sel"),
        ("creme brulee", "Crème brûlée"),
        ("CRÈME", "Crème brûlée"),
        ("cre\u0300me", "Crème brûlée"),
        ("creme bruleé", "Crème brûlée"),
        ("BROTCHEN", "Brötchen"),
        ("broetchen", "Brötchen"),
        ("strasse", "Weißbrot Straße"),
        ("STRAẞE", "Weißbrot Straße"),
        ("boeuf", "Pâté de bœuf"),
        ("œuf", "Oeufs au lait"),
        ("aeble", "Æbleskiver"),
        ("smorrebrod", "Smørrebrød"),
        ("l'amande", "Pain à l’amande"),
        ("ΨΩΜΊ", "ψωμί"),
        ("хлеб", "ХЛЕБ"),
        ("pain s/sel", "Pain s/sel"),
        ("pain s/sel", "Pain sans sel"),
        ("pain s.sel", "Pain s/sel"),
        ("sel pain", "Pain sans sel"),
        ("ba", "Baguette"),
        ("½", "Pain ½"),
        ("100%", "Rye 100%"),
    ],
)
def test_a_search_forgives_accents_case_signs_and_a_slip(found, shelf, text, name):
    shelf("Tarte au citron", name)

    assert found(text) == [name]


@pytest.mark.parametrize("text", ["sle", "tart12", "cake", "%", "_", "xx", "\\", "zzzzzzzz", "roggen"])
def test_what_is_not_there_is_not_found(found, shelf, text):
    shelf("Pain sans sel", "Tart13", "Brötchen")

    assert found(text) == []


def test_where_there_are_hits_near_misses_stay_away(found, shelf):
    shelf("Baguette", "Bague")

    assert found("bague") == ["Bague", "Baguette"]
    assert found("baguette") == ["Baguette"]


def test_of_near_misses_the_nearest_come_first_and_the_rest_of_the_words_must_stand(found, shelf):
    shelf("Almond croissant", "Crossant with butter", "Butter croissant", "Butter loaf")

    assert found("butter crossaint") == ["Crossant with butter", "Butter croissant"]


def test_what_the_public_may_not_see_neither_shows_nor_stands_for_a_hit(found, shelf, api_as):
    shelf("Baguette")
    shelf("Baguete of yore", is_active=False)

    assert found("baguete") == ["Baguette"]
    staff = api_as("baker").get(URL, {"search": "baguete"}).json()["data"]
    assert [product["name"] for product in staff] == ["Baguete of yore"]


def test_other_filters_count_before_anything_is_taken_for_mistyped(found, shelf):
    shelf("Baguette", price="1.00")
    shelf("Baguete", price="9.00")

    assert found("baguete", max_price="2") == ["Baguette"]


# Order


def test_hits_come_in_the_order_of_how_well_they_fit(found, shelf):
    shelf("Sweet roll")
    make_product(name="Zwieback", description="Crumbs of a roll")
    make_product(name="Bun", sku="ROLL-1")
    make_product(name="Aardvark", sku="roll")
    shelf("Strolling", "Rolling", "Roll with seeds", "Roll")

    assert found("roll") == [
        "Roll", "Roll with seeds", "Rolling", "Sweet roll", "Strolling", "Aardvark", "Bun", "Zwieback",
    ]  # fmt: skip
    assert found("roll", ordering="-name")[:2] == ["Zwieback", "Sweet roll"]


def test_of_names_that_fit_alike_the_shorter_comes_first(found, shelf):
    shelf("Almond baguette with cheese", "Cheese baguette", "Old baguette", "Fig baguette", "Baguette", "Baguettes")
    shelf("Aged cheese buns", "Chese roll")

    assert found("baguette") == [
        "Baguette", "Baguettes", "Fig baguette", "Old baguette", "Cheese baguette", "Almond baguette with cheese",
    ]  # fmt: skip
    assert found("chesse") == [
        "Cheese baguette", "Aged cheese buns", "Almond baguette with cheese", "Chese roll",
    ]  # fmt: skip


def test_a_search_is_put_to_the_database_once_for_its_count_and_its_page(shelf, django_assert_num_queries):
    shelf(*(f"Roll {number}" for number in range(5)))

    with django_assert_num_queries(1):
        found = Product.objects.filter(is_active=True).about("roll")
        assert found.count() == 5
    with django_assert_num_queries(1):
        assert [product.name for product in found[1:3].select_related("category")] == ["Roll 1", "Roll 2"]


def test_what_is_made_of_a_search_is_no_longer_the_search(shelf):
    shelf("Roll", "Sweet roll", "Bun")
    shelf("Old roll", is_active=False)
    found = Product.objects.about("roll")

    active = found.filter(is_active=True)

    assert ([str(one) for one in active], active.count(), found.count()) == (["Roll", "Sweet roll"], 2, 3)
    assert [str(one) for one in active[:1]] == ["Roll"]
    assert [str(one) for one in found.order_by("-name")[:2]] == ["Sweet roll", "Roll"]
    assert (str(found[1]), [str(one) for one in found[::2]], found.exists()) == (
        "Old roll",
        ["Roll", "Sweet roll"],
        True,
    )
    assert str(found.first()) == "Roll"


def test_what_was_hidden_since_it_was_found_is_not_shown(shelf):
    shelf("Roll", "Sweet roll")
    found = Product.objects.visible_to(AnonymousUser()).about("roll")
    Product.objects.filter(name="Roll").update(is_active=False)

    assert [str(one) for one in found[:50]] == ["Sweet roll"]


def test_pages_of_a_search_follow_on_each_other(guest, shelf):
    shelf(*(f"Roll {number}" for number in range(5)), "A roll")

    pages = [guest.get(URL, {"search": "roll", "page_size": 2, "page": page}).json() for page in (1, 2, 3)]

    names = [product["name"] for page in pages for product in page["data"]]
    assert names == ["Roll 0", "Roll 1", "Roll 2", "Roll 3", "Roll 4", "A roll"]
    assert {page["meta"]["pagination"]["total"] for page in pages} == {6}


@pytest.mark.parametrize("text", ["product", "prodcut", "pr"])
def test_a_search_costs_as_many_queries_for_many_products_as_for_few(guest, queries_do_not_grow, text):
    assert queries_do_not_grow(guest, f"{URL}?search={text}", make_product) <= 7


# Texts that are no words


@pytest.mark.parametrize(
    "text",
    [
        'a"b', '"', '""', "'", "baguette OR pain", "NOT pain", "pain NOT", "NEAR(pain sel)", "name:pain", "name : pain",
        "pai*", "^pain", "pain)", "((", "{pain sel}", "-pain", "+pain", "a\\b", "%%%", "___", "; DROP TABLE x",
        "pain -- sel", "$1", "%s", "%(x)s", "{0}", "🥖", "\u200b\u0301", "\u0301\u0301\u0301", "/ / /", "s/", "a/b/c/d",
    ],
)  # fmt: skip
def test_no_sign_is_syntax(found, shelf, text):
    shelf("Pain sans sel")
    make_product(name=f"Before {text} after")

    assert f"Before {text} after" in found(text)
    assert "Pain sans sel" not in found(f"{text} Before")


def test_an_empty_search_finds_everything(found, shelf):
    shelf("Pain", "Baguette")

    assert found("") == ["Baguette", "Pain"]
    assert [product.name for product in Product.objects.about(" \t")] == ["Baguette", "Pain"]


def test_the_longest_search_is_answered(found, shelf):
    shelf("a b c d e f g h i j k l m n o p q r s t u v w x y z")

    assert found(" ".join("abcdefghijklmnopqrstuvwxyz" * 3)) != []
    assert found("/".join("ab" * 50)) == found("abcd " * 39) == []
    for endless in ("a/" * 5000, "a " * 5000, "abcd " * 5000, "abcd/" * 5000):
        assert Product.objects.about(endless).count() <= 1


ALPHABET = "abeéÈßœÆIıİ%_\"'\\*-/.:12 \u0301"


@settings(max_examples=60)
@given(
    names=st.lists(st.text(ALPHABET, min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=4, unique=True),
    at=st.integers(0, 10),
    length=st.integers(1, 6),
)
def test_whatever_stands_in_a_name_is_found_by_any_part_of_it(db, names, at, length):
    Product.objects.all().delete()
    category = make_category()
    products = [make_product(name=name, sku=f"Q{number}", category=category) for number, name in enumerate(names)]
    text = products[0].name[at % len(products[0].name) :][:length]

    words = text.split()
    standing = Product.objects.filter(*(Q(name__icontains=word) | Q(sku__icontains=word) for word in words))
    assert set(standing) <= set(Product.objects.about(text))


# One rule of folding


@settings(max_examples=100)
@given(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=40))
def test_the_database_folds_as_we_do(db, text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT searchable(%s), searchable_name(%s)", [text, text])
        assert cursor.fetchone() == (searchable(text), searchable_name(text))


@pytest.mark.parametrize("name", ["Pain sans sel", "Brötchen 2 Stück", "Œufs", "a b", ""])
def test_the_database_spells_as_we_do(db, name):
    on_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT words_to_spell(%s)", [searchable_name(name) if on_postgres else name])
        (words,) = cursor.fetchone()
        words = words or [] if on_postgres else json.loads(words)
        assert set(words) == words_to_spell(name)
        for word in words:
            cursor.execute("SELECT spellings(%s)", [word])
            (forms,) = cursor.fetchone()
            assert set(forms if on_postgres else json.loads(forms)) == spellings(word)


# Kept by the database


def test_a_change_of_name_shows_at_once(found, api_as):
    product = make_product(name="Baguette")
    api_as("manager").patch(f"{URL}/{product.pk}", {"name": "Ficelle", "description": "Thin and crisp"})

    assert [found("baguete"), found("ficele"), found("crips thin ficelle"), found("crisp")] == [
        [], ["Ficelle"], [], ["Ficelle"],
    ]  # fmt: skip


def test_what_is_deleted_is_not_found(found, api_as):
    product = make_product(name="Baguette")
    api_as("manager").delete(f"{URL}/{product.pk}")

    assert found("baguette") == []
    assert indexing.drifts() == []


def test_an_import_is_found_and_so_is_what_it_changes(found, api_as):
    manager = api_as("manager")

    def send(text):
        file = SimpleUploadedFile("products.csv", text.encode())
        assert manager.post(f"{URL}/import", {"file": file}, format="multipart").status_code == 200

    send("sku,name,category,price\nA,Crème brûlée,Cakes,3\nB,Éclair,Cakes,2\n")
    assert found("creme brule") == ["Crème brûlée"]
    send("sku,name,category,price\nA,Flan,Cakes,3\nB,Éclair,Cakes,2.50\n")
    assert (found("creme"), found("flan"), found("eclair")) == ([], ["Flan"], ["Éclair"])
    assert indexing.drifts() == []


def test_writes_past_the_services_are_found_as_well(found, shelf):
    (product,) = shelf("Roll")
    Product.objects.filter(pk=product.pk).update(name="Brioche")
    Product.objects.bulk_create([
        Product(name="Strudel", slug="s", category=product.category, price=1, vat_class=product.vat_class)
    ])  # fmt: skip

    assert (found("roll"), found("brioche"), found("strudl")) == ([], ["Brioche"], ["Strudel"])


@pytest.fixture
def office(db, client):
    from accounts.tests.factories import make_user

    client.force_login(make_user(role="admin"))
    return client


def test_the_back_office_searches_by_the_same_rule(office, shelf):
    shelf("Sweet baguette", "Baguette", "Croissant")

    def shown(**query):
        page = office.get(reverse("admin:products_product_changelist"), query)
        assert page.status_code == 200
        return page.context["cl"]

    def listed(**query):
        return [product.name for product in shown(**query).result_list]

    by_name = shown().list_display.index("name")

    assert listed(q="baguete") == ["Baguette", "Sweet baguette"]
    assert listed(q="BÂGUETTE") == ["Baguette", "Sweet baguette"]
    assert listed(q="baguette", o=f"-{by_name}") == ["Sweet baguette", "Baguette"]
    assert len(listed(q="")) == 3


def test_a_rename_in_the_back_office_is_found(office, shelf):
    (product,) = shelf("Roll")
    url = reverse("admin:products_product_change", args=[product.pk])
    page = office.get(url).context
    initial = page["adminform"].form.initial
    fields = {name: value for name, value in initial.items() if value not in (None, "") and name != "image"}
    inlines = [inline.formset.prefix for inline in page["inline_admin_formsets"]]
    counts = {f"{prefix}-{name}_FORMS": 0 for prefix in inlines for name in ("TOTAL", "INITIAL")}
    answer = office.post(url, {**fields, "name": "Brioche", **counts})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert list(Product.objects.about("brioch")) == [product]
    assert not Product.objects.about("roll")


# Drift


def _run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _mended():
    call_command("migrate", verbosity=0)
    return indexing.drifts()


def test_a_row_that_does_not_say_what_its_product_says_is_a_drift(found, shelf):
    first, _second = shelf("Baguette", "Roll")
    key = "rowid" if connection.vendor == "sqlite" else "product_id"
    _run(f"DELETE FROM products_search WHERE {key} = {first.pk}")
    _run("UPDATE products_search SET description = 'wrong'")
    _run(f"INSERT INTO products_search ({key}, name, sku, description) VALUES (999999, 'gone', '', '')")

    assert indexing.drifts() == [
        "The search does not know 2 products as they are, and knows 1 that are gone. `manage.py migrate` mends it."
    ]
    assert _mended() == []
    assert found("baguette") == ["Baguette"]


def test_lost_words_are_a_drift(found, shelf):
    shelf("Baguette")
    _run("DELETE FROM products_spelling")

    assert len(indexing.drifts()) == 1
    assert _mended() == []
    assert found("baguete") == ["Baguette"]


def test_a_lost_trigger_is_a_drift_that_the_doctor_tells(db):
    place = " ON products_product" if connection.vendor == "postgresql" else ""
    _run(f"DROP TRIGGER products_search_update{place}")
    make_product(name="Roll")
    Product.objects.update(name="Bun")

    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=out)
    assert "The trigger products_search_update is missing" in out.getvalue()
    assert _mended() == []
    assert Product.objects.about("bun").count() == 1


def test_a_damaged_index_is_a_drift(found, shelf):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's index has no parts that can be written alone")
    shelf("Baguette", "Croissant")
    _run("DELETE FROM products_search_idx")
    _run("DELETE FROM products_search_data WHERE id > 10")

    assert "The index of the search is damaged. `manage.py migrate` mends it." in indexing.drifts()
    assert _mended() == []
    assert found("croissant") == ["Croissant"]
