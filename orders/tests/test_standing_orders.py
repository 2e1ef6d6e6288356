"""Standing orders over HTTP."""

from datetime import timedelta

import pytest

from accounts.models import User
from accounts.tests.factories import make_user
from bakery import clock
from orders import services
from orders.models import Order, StandingOrder
from orders.tests.factories import make_standing_order
from products.tests.factories import make_product

pytestmark = pytest.mark.django_db

URL = "/api/standing-orders"
EVERYONE = [None, "customer", "cashier", "baker", "driver", "manager", "admin"]
READERS, WRITERS = {"customer", "cashier", "manager", "admin"}, {"manager", "admin"}


@pytest.fixture
def admin_page(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def body(**changes):
    return {
        "customer": make_user().pk,
        "items": [{"product": make_product().pk, "weekday": 1, "quantity": 20}],
        "due_time": "06:30",
        "fulfilment": "delivery",
        "address": "1 Mill Lane",
        "start": "2031-01-01",
        "end": "2031-12-31",
        "paused": False,
        "skipped": ["2031-05-01"],
        **changes,
    }


def test_what_is_sent_is_shown_and_may_be_put_back(api_as):
    manager, sent = api_as("manager"), body()

    made = manager.post(URL, sent, format="json")

    assert made.status_code == 201
    shown = made.json()["data"]
    assert made["Location"] == f"{URL}/{shown['id']}"
    assert made["ETag"].startswith('"1-')
    standing = StandingOrder.objects.get()
    times = {name: clock.local(getattr(standing, name)).isoformat() for name in ("created_at", "updated_at")}
    assert shown == {"id": standing.pk, **sent, **times}
    assert manager.get(made["Location"]).json()["data"] == shown
    back = manager.put(made["Location"], shown, format="json")
    assert back.status_code == 200
    assert back.json()["data"] == {**shown, "updated_at": back.json()["data"]["updated_at"]}


def test_that_of_a_closed_account_may_be_put_back_too(api_as):
    standing = make_standing_order()
    User.objects.filter(pk=standing.customer_id).update(is_active=False)
    manager, url = api_as("manager"), f"{URL}/{standing.pk}"

    back = manager.put(url, {**manager.get(url).json()["data"], "paused": True}, format="json")

    assert back.status_code == 200
    assert back.json()["data"]["paused"] is True


def test_what_is_left_out_has_its_default(api_as):
    sent = body()
    short = {name: sent[name] for name in ("customer", "items", "due_time")}

    shown = api_as("manager").post(URL, short, format="json").json()["data"]

    assert shown.items() >= {
        **short, "fulfilment": "pickup", "address": "", "start": clock.today().isoformat(), "end": None,
        "paused": False, "skipped": [],
    }.items()  # fmt: skip


def test_a_patch_changes_what_it_names(api_as):
    standing = make_standing_order(skipped=[clock.today()])

    patched = api_as("manager").patch(f"{URL}/{standing.pk}", {"paused": True}, format="json")

    assert patched.json()["data"]["paused"] is True
    assert patched.json()["data"]["skipped"] == [clock.today().isoformat()]
    assert len(patched.json()["data"]["items"]) == 7
    assert patched["ETag"].startswith('"2-')


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"customer": 10**9}, "customer", "does_not_exist"),
        ({"customer": 10**19 - 1}, "customer", "does_not_exist"),
        ({"customer": "1"}, "customer", "invalid"),
        ({"items": []}, "items", "empty"),
        ({"items": [{"product": 10**9, "weekday": 1, "quantity": 1}]}, "items.0.product", "does_not_exist"),
        ({"items": [{"weekday": 1, "quantity": 1}]}, "items.0.product", "required"),
        ({"due_time": "6:30"}, "due_time", "invalid"),
        ({"due_time": "24:00"}, "due_time", "invalid"),
        ({"due_time": "06:30:15"}, "due_time", "invalid"),
        ({"fulfilment": "drone"}, "fulfilment", "invalid_choice"),
        ({"address": ""}, "address", "required"),
        ({"start": "2031-1-1"}, "start", "invalid"),
        ({"end": "2030-12-31"}, "end", "min_value"),
        ({"paused": "no"}, "paused", "invalid"),
        ({"skipped": ["today"]}, "skipped.0", "invalid"),
        ({"skipped": "2031-01-01"}, "skipped", "not_a_list"),
    ],
)
def test_a_bad_field_is_named(api_as, change, field, code):
    refused = api_as("manager").post(URL, body(**change), format="json")

    assert refused.status_code == 400
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [(field, code)]
    assert not StandingOrder.objects.exists()


@pytest.mark.parametrize("name", ["weekday", "quantity"])
@pytest.mark.parametrize(("number", "code"), [(0, "min_value"), (100_000, "max_value"), (1.5, "invalid")])
def test_weekdays_are_iso_and_quantities_bounded(api_as, name, number, code):
    line = {"product": make_product().pk, "weekday": 7, "quantity": 1, name: number}

    refused = api_as("manager").post(URL, body(items=[line]), format="json")

    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [(f"items.0.{name}", code)]


def test_a_product_stands_once_on_a_weekday(api_as):
    product = make_product()
    line = {"product": product.pk, "weekday": 3, "quantity": 2}

    refused = api_as("manager").post(URL, body(items=[line, {**line, "quantity": 5}]), format="json")

    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("items.1.product", "unique")]


@pytest.mark.parametrize("name", ["customer", "items", "due_time"])
def test_a_put_wants_every_required_field(api_as, name):
    standing, sent = make_standing_order(), body()
    del sent[name]

    refused = api_as("manager").put(f"{URL}/{standing.pk}", sent, format="json")

    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [(name, "required")]


def test_a_stale_version_changes_nothing(api_as):
    standing, manager = make_standing_order(), api_as("manager")
    url, stale = f"{URL}/{standing.pk}", {"If-Match": '"7"'}

    answers = [
        manager.put(url, body(), format="json", headers=stale),
        manager.patch(url, {"paused": True}, format="json", headers=stale),
        manager.post(f"{url}/skip", {"date": "2031-05-01"}, format="json", headers=stale),
        manager.delete(url, headers=stale),
    ]

    assert [answer.status_code for answer in answers] == [412] * 4
    standing.refresh_from_db()
    assert (standing.version, standing.paused, standing.skips.count()) == (1, False, 0)
    assert manager.patch(url, {"paused": True}, format="json", headers={"If-Match": '"1"'}).status_code == 200


def test_to_skip_a_date_twice_is_to_skip_it_once(api_as):
    standing, manager = make_standing_order(), api_as("manager")

    for _ in range(2):
        skipped = manager.post(f"{URL}/{standing.pk}/skip", {"date": "2031-05-01"}, format="json")

    assert skipped.status_code == 200
    assert skipped.json()["data"]["skipped"] == ["2031-05-01"]
    assert skipped["ETag"].startswith('"2-')


def test_a_date_that_became_an_order_is_not_skipped(api_as):
    standing = make_standing_order()
    services.tick(clock.now())
    made = standing.dates.exclude(order=None).first()
    day = made.date.isoformat()

    for answer in (
        api_as("manager").post(f"{URL}/{standing.pk}/skip", {"date": day}, format="json"),
        api_as("manager").patch(f"{URL}/{standing.pk}", {"skipped": [day]}, format="json"),
    ):
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["code"] == "already_generated"
        assert made.order.code in answer.json()["errors"][0]["message"]
    assert not standing.skips.exists()
    assert StandingOrder.objects.get().version == 1


def test_delete_removes_what_never_came_to_anything(api_as):
    standing, manager = make_standing_order(), api_as("manager")

    assert manager.delete(f"{URL}/{standing.pk}").status_code == 204
    assert manager.get(f"{URL}/{standing.pk}").status_code == 404
    assert not StandingOrder.objects.exists()


def test_delete_ends_what_has_orders(api_as):
    standing, manager = make_standing_order(), api_as("manager")
    services.tick(clock.now())
    orders = Order.objects.count()

    assert manager.delete(f"{URL}/{standing.pk}").status_code == 204

    shown = manager.get(f"{URL}/{standing.pk}").json()["data"]
    assert shown["end"] == (clock.today() + timedelta(days=7)).isoformat()
    assert shown["paused"] is True
    services.tick(clock.now() + timedelta(days=3))
    assert Order.objects.count() == orders > 0


def test_dates_tell_what_became_of_them(api_as):
    product = make_product(daily_capacity=5)
    day = clock.today() + timedelta(days=1)
    standing = make_standing_order(product=product, quantity=8, start=day, end=day)
    services.tick(clock.now())

    shown = api_as("cashier").get(f"{URL}/{standing.pk}/dates").json()["data"]

    assert shown == [{
        "date": day.isoformat(), "order": Order.objects.get().pk, "reason": "",
        "shortfall": [
            {"product": product.pk, "product_name": product.name, "wanted": 8, "ordered": 5, "reason": "sold_out"}
        ],
    }]  # fmt: skip


@pytest.mark.parametrize("role", EVERYONE)
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("get", URL, READERS),
        ("post", URL, WRITERS),
        ("get", URL + "/{own}", READERS),
        ("get", URL + "/{other}", READERS - {"customer"}),
        ("get", URL + "/{own}/dates", READERS),
        ("get", URL + "/{other}/dates", READERS - {"customer"}),
        ("put", URL + "/{own}", WRITERS),
        ("patch", URL + "/{own}", WRITERS),
        ("post", URL + "/{own}/skip", WRITERS),
        ("delete", URL + "/{own}", WRITERS),
    ],
)
def test_access(api_as, method, path, allowed, role):
    customer = make_user()
    own, other = make_standing_order(customer=customer), make_standing_order()
    client = api_as(customer if role == "customer" else role)
    sent = {"date": "2031-01-01"} if path.endswith("skip") else {} if method == "patch" else body()

    address = path.format(own=own.pk, other=other.pk)
    answer = client.get(address) if method == "get" else getattr(client, method)(address, sent, format="json")

    if role in allowed:
        assert answer.status_code in (200, 201, 204)
        return
    hidden = role == "customer" and "{other}" in path
    assert answer.status_code == (401 if role is None else 404 if hidden else 403)
    assert list(StandingOrder.objects.values_list("version", flat=True)) == [1, 1]


def test_customers_list_their_own_and_staff_narrow_by_customer(api_as):
    own, other = make_standing_order(), make_standing_order(paused=True)
    cashier = api_as("cashier")

    def listed(client, query=""):
        return [row["id"] for row in client.get(URL + query).json()["data"]]

    assert listed(api_as(own.customer)) == [own.pk]
    assert listed(api_as(own.customer), f"?customer={other.customer_id}") == []
    assert listed(cashier) == [own.pk, other.pk]
    assert listed(cashier, f"?customer={other.customer_id}") == [other.pk]
    assert listed(cashier, "?paused=true") == [other.pk]
    assert cashier.get(f"{URL}?colour=red").status_code == 400


def test_a_list_costs_the_same_however_long(api_as, queries_do_not_grow):
    queries_do_not_grow(api_as("manager"), URL, make_standing_order)


def test_the_admin_makes_and_changes_them(admin_page):
    page = admin_page(make_user(role="manager"))
    customer, product = make_user(), make_product()
    form = {
        "customer": customer.pk, "due_time": "07:00", "fulfilment": "pickup", "address": "", "start": "2031-01-01",
        "end": "", "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-0-product": product.pk,
        "items-0-weekday": 1, "items-0-quantity": 4, "skips-TOTAL_FORMS": 0, "skips-INITIAL_FORMS": 0,
        "dates-TOTAL_FORMS": 0, "dates-INITIAL_FORMS": 0,
    }  # fmt: skip

    made = page.post("/admin/orders/standingorder/add/", form)

    assert made.status_code == 302, made.content
    standing = StandingOrder.objects.get()
    assert [(item.product, item.weekday, item.quantity) for item in standing.items.all()] == [(product, 1, 4)]
    assert page.get(f"/admin/orders/standingorder/{standing.pk}/change/").status_code == 200
    line = standing.items.get().pk
    form |= {"items-INITIAL_FORMS": 1, "items-0-id": line, "items-0-standing_order": standing.pk, "paused": "on"}
    assert page.post(f"/admin/orders/standingorder/{standing.pk}/change/", form).status_code == 302
    standing.refresh_from_db()
    assert (standing.paused, standing.version) == (True, 2)
    assert page.get("/admin/orders/standingorder/").status_code == 200


def test_the_admin_makes_none_for_a_closed_account(admin_page):
    page = admin_page(make_user(role="manager"))
    form = {
        "customer": make_user(is_active=False).pk, "due_time": "07:00", "fulfilment": "pickup", "start": "2031-01-01",
        "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-0-product": make_product().pk, "items-0-weekday": 1,
        "items-0-quantity": 4, "skips-TOTAL_FORMS": 0, "skips-INITIAL_FORMS": 0, "dates-TOTAL_FORMS": 0,
        "dates-INITIAL_FORMS": 0,
    }  # fmt: skip

    answer = page.post("/admin/orders/standingorder/add/", form, follow=True)

    assert "This account is closed." in answer.content.decode()
    assert not StandingOrder.objects.exists()


def test_the_admin_skips_no_date_that_has_its_order(admin_page):
    page = admin_page(make_user(role="manager"))
    standing = make_standing_order(product=make_product(), days=[clock.today().isoweekday() % 7 + 1])
    services.tick(clock.now())
    made = standing.dates.get()
    line = standing.items.get()
    form = {
        "customer": standing.customer_id, "due_time": "10:00", "fulfilment": "pickup", "start": standing.start,
        "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 1, "items-0-id": line.pk,
        "items-0-standing_order": standing.pk, "items-0-product": line.product_id, "items-0-weekday": line.weekday,
        "items-0-quantity": 1, "skips-TOTAL_FORMS": 1, "skips-INITIAL_FORMS": 0, "skips-0-date": made.date,
        "dates-TOTAL_FORMS": 0, "dates-INITIAL_FORMS": 0,
    }  # fmt: skip

    answer = page.post(f"/admin/orders/standingorder/{standing.pk}/change/", form, follow=True)

    assert made.order.code in answer.content.decode()
    assert not standing.skips.exists()
    assert StandingOrder.objects.get().version == 1
