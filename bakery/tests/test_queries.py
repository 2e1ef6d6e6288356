"""Queries that are put into SQL once, and rows that are written without the ORM's compiler."""

import gc
import weakref
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, User
from accounts.tests.factories import make_user
from bakery import queries
from bakery.models import Closure, RateCounter
from bakery.queries import KeptQuery
from orders.models import Notice, Order, OrderEvent
from orders.tests.factories import make_order
from products.models import Product
from products.tests.factories import make_product
from tests.at_once import ON_POSTGRES

pytestmark = pytest.mark.django_db


def test_objects_are_those_that_the_orm_finds():
    product, other = make_product(price="1.30"), make_product(price="2.40", daily_capacity=3)
    by_id = KeptQuery(lambda pk: Product.objects.filter(pk=pk))

    for wanted in (product, other):
        (found,) = by_id(pk=wanted.pk)
        assert found == wanted
        assert vars(found).keys() == vars(Product.objects.get(pk=wanted.pk)).keys()
        assert {field.attname: getattr(found, field.attname) for field in Product._meta.concrete_fields} == {
            field.attname: getattr(Product.objects.get(pk=wanted.pk), field.attname)
            for field in Product._meta.concrete_fields
        }
    assert by_id(pk=0) == []


def test_an_object_that_was_found_can_be_saved():
    make_user(username="before")
    (user,) = KeptQuery(lambda name: User.objects.filter(username=name))(name="before")

    user.first_name = "After"
    user.save()

    assert User.objects.get(username="before").first_name == "After"


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_lists_may_have_any_length(count):
    products = [make_product() for _ in range(5)]
    among = KeptQuery(lambda pks: Product.objects.filter(pk__in=pks).order_by("pk"))

    for wanted in (products[:count], products[5 - count :]):
        assert among(pks=[product.pk for product in wanted]) == wanted


def test_values_come_in_the_form_that_was_asked_for():
    product = make_product(name="Rye", price="1.30")
    named = Product.objects.order_by()

    assert KeptQuery(lambda pk: named.filter(pk=pk).values_list("name", "price"))(pk=product.pk) == [
        ("Rye", Decimal("1.30"))
    ]
    assert KeptQuery(lambda pk: named.filter(pk=pk).values_list("name", flat=True))(pk=product.pk) == ["Rye"]
    assert KeptQuery(lambda pk: named.filter(pk=pk).values("category__slug", "price"))(pk=product.pk) == [
        {"category__slug": product.category.slug, "price": Decimal("1.30")}
    ]


def test_days_and_instants_are_understood():
    day = date(2026, 12, 24)
    Closure.objects.create(first_day=day, last_day=day)
    RateCounter.objects.create(name="x", window=1, uses=1, ends_at=datetime(2026, 12, 24, 12, tzinfo=UTC))
    closed = KeptQuery(lambda day: Closure.objects.covering(day))
    ended = KeptQuery(lambda now: RateCounter.objects.filter(ends_at__lte=now))

    assert [len(closed(day=day + timedelta(days=step))) for step in (-1, 0, 1)] == [0, 1, 0]
    # The same instant in another zone.
    noon = datetime.fromisoformat("2026-12-24T13:00:00+01:00")
    assert [len(ended(now=noon + timedelta(seconds=step))) for step in (-1, 0)] == [0, 1]


def test_a_query_is_put_into_sql_once_and_asks_the_database_each_time():
    made = []

    def make(role):
        made.append(role)
        return User.objects.filter(role=role)

    in_role = KeptQuery(make)
    make_user(role="baker")
    with CaptureQueriesContext(connection) as asked:
        assert [len(in_role(role=role)) for role in (Role.BAKER, Role.DRIVER)] == [1, 0]
    make_user(role="driver")

    assert len(in_role(role=Role.DRIVER)) == 1
    assert len(made) == 1
    assert len(asked) == 2


def test_few_lengths_of_lists_are_put_into_sql():
    made = []

    def make(pks):
        made.append(pks)
        return Product.objects.filter(pk__in=pks)

    among, products = KeptQuery(make), [make_product() for _ in range(8)]
    for count in (5, 6, 7, 8):
        assert len(among(pks=[product.pk for product in products[:count]])) == count

    assert len(made) == 1


@pytest.mark.parametrize(
    "queryset",
    [
        Product.objects.select_related("category"),
        Product.objects.prefetch_related("targets"),
        Product.objects.annotate(also=F("name")),
        Product.objects.values_list("name", named=True),
    ],
)
def test_what_a_kept_query_does_not_know_is_refused(queryset):
    with pytest.raises(TypeError, match="knows no"):
        KeptQuery(lambda: queryset)()


@pytest.mark.parametrize("value", [None, {1, 2}, (1, 2)])
def test_what_would_be_asked_otherwise_than_meant_is_refused(value):
    with pytest.raises(TypeError, match="pk must be"):
        KeptQuery(lambda pk: Product.objects.filter(pk=pk))(pk=value)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has a pool")
@pytest.mark.django_db(transaction=True)
def test_a_query_does_not_hold_on_to_the_database_of_the_thread_that_asked_it_first():
    kept, opened = KeptQuery(lambda: Product.objects.all()), []

    def ask():
        kept()
        opened.append(weakref.ref(connections[DEFAULT_DB_ALIAS]))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    del thread
    gc.collect()

    assert opened[0]() is None


def test_nothing_is_written_where_there_are_no_rows(django_assert_num_queries):
    with django_assert_num_queries(0):
        queries.insert_rows([])


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_a_query_that_locks_is_refused_outside_of_a_transaction():
    locked = KeptQuery(lambda pk: Product.objects.select_for_update().filter(pk=pk))
    product = make_product()
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert locked(pk=product.pk) == [product]

    assert "FOR UPDATE" in asked[0]["sql"]
    with pytest.raises(TransactionManagementError):
        locked(pk=product.pk)


def test_rows_are_written_as_the_orm_writes_them():
    order = make_order()
    notes = [OrderEvent(order=order, at=order.created_at, to_status="ready", changes={"a": ["ö", None]}) for _ in "ab"]

    queries.insert_rows(notes)

    assert [note.pk for note in notes] == sorted(note.pk for note in notes)
    for note in notes:
        kept = OrderEvent.objects.get(pk=note.pk)
        assert (kept.at, kept.changes, kept.user, kept.note) == (order.created_at, {"a": ["ö", None]}, None, "")
    notes[0].note = "Changed"
    notes[0].save()
    assert OrderEvent.objects.get(pk=notes[0].pk).note == "Changed"


def test_times_are_filled_in():
    order = make_order()
    fresh = Order(
        code="ABCDEF", tracking_token="t", channel="web", due_at=order.due_at, due_on=order.due_on,
        deadline_at=order.due_at, total=Decimal("1.00"), vat_total=Decimal(0),
    )  # fmt: skip

    queries.insert_rows([fresh])

    kept = Order.objects.get(pk=fresh.pk)
    assert (kept.created_at, kept.updated_at, kept.version) == (fresh.created_at, fresh.updated_at, 1)
    assert abs(kept.created_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_what_the_database_refuses_is_refused():
    order = make_order()
    with pytest.raises(IntegrityError), transaction.atomic():
        queries.insert_rows([Notice(order=order, kind="no such kind")])
    assert not order.notices.exists()
