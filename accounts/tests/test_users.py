from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, User
from accounts.tests.factories import make_user
from bakery import clock
from tests.at_once import ON_POSTGRES, elsewhere

pytestmark = pytest.mark.django_db

NEW = {"username": "bruno", "email": "bruno@example.com", "password": "rye-and-wheat-7", "role": "baker"}


def errors_of(response):
    return [(error["code"], error["field"]) for error in response.json()["errors"]]


def snapshot():
    return list(User.objects.order_by("pk").values())


def test_an_admin_makes_a_user(api_as):
    response = api_as("admin").post("/api/users", NEW | {"first_name": "Bruno", "phone": "0123"})

    assert response.status_code == 201
    user = User.objects.get(username="bruno")
    assert response["Location"] == f"/api/users/{user.pk}"
    assert response.json()["data"] == {
        "id": user.pk,
        "username": "bruno",
        "email": "bruno@example.com",
        "first_name": "Bruno",
        "last_name": "",
        "phone": "0123",
        "role": "baker",
        "is_active": True,
        "date_joined": clock.local(user.date_joined).isoformat(),
        "last_login": None,
    }
    assert user.check_password("rye-and-wheat-7")
    assert user.history.get().history_user.role == "admin"
    assert api_as("admin").get(response["Location"]).json()["data"] == response.json()["data"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"username": None}, [("null", "username")]),
        ({"role": "owner"}, [("invalid_choice", "role")]),
        ({"role": ["baker"]}, [("invalid_choice", "role")]),
        ({"role": ""}, [("invalid_choice", "role")]),
        ({"is_active": "yes"}, [("invalid", "is_active")]),
        ({"is_active": None}, [("null", "is_active")]),
        ({"email": "x"}, [("invalid", "email")]),
        ({"password": "short"}, [("password_too_short", "password")]),
        ({"password": None}, [("null", "password")]),
    ],
)
def test_a_bad_field_makes_no_user_and_changes_none(api_as, change, expected):
    client, other = api_as("admin"), make_user(role="baker")
    before = snapshot()

    for response in (client.post("/api/users", NEW | change), client.patch(f"/api/users/{other.pk}", change)):
        assert response.status_code == 400
        assert sorted(errors_of(response)) == sorted(expected)
    assert snapshot() == before


def test_a_user_needs_a_name_and_a_password_alone(api_as):
    client = api_as("admin")
    assert sorted(errors_of(client.post("/api/users", {}))) == [("required", "password"), ("required", "username")]
    data = client.post("/api/users", {"username": "till-2", "password": "rye-and-wheat-7"}).json()["data"]
    assert (data["role"], data["email"], data["is_active"]) == ("customer", "", True)
    assert client.post("/api/users", {"username": "till-3", "password": "rye-and-wheat-7"}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [({"username": "TAKEN"}, "username"), ({"email": "Taken@Example.com"}, "email"),
     ({"username": "Taken@example.com"}, "username")],
)  # fmt: skip
def test_a_taken_name_is_a_conflict(api_as, change, field):
    make_user(username="taken", email="taken@example.com")
    client, other = api_as("admin"), make_user(role="baker")
    before = snapshot()

    for response in (client.post("/api/users", NEW | change), client.patch(f"/api/users/{other.pk}", change)):
        assert response.status_code == 409
        assert errors_of(response) == [("already_exists", field)]
    assert snapshot() == before


def test_a_patch_changes_what_it_names(api_as):
    user = make_user(username="old", role="baker", first_name="Bruno")

    response = api_as("admin").patch(f"/api/users/{user.pk}", {"username": "new", "role": "driver", "id": 4711})

    assert response.status_code == 200
    assert (response.json()["data"]["username"], response.json()["data"]["role"]) == ("new", "driver")
    user.refresh_from_db()
    assert (user.username, user.role, user.first_name) == ("new", "driver", "Bruno")
    assert User.objects.named("NEW").get() == user
    assert user.history.first().history_user.role == "admin"


def test_what_one_reads_of_a_user_one_may_send_back(api_as):
    client, user = api_as("admin"), make_user(role="baker", email="")
    data = client.get(f"/api/users/{user.pk}").json()["data"]
    assert client.patch(f"/api/users/{user.pk}", data).json()["data"] == data


def test_a_password_set_by_others_ends_the_sessions(api_as):
    user, guest = make_user(role="baker"), api_as(None)
    sent = {"username": user.username, "password": "correct-horse-9"}
    pair = guest.post("/api/auth/login", sent).json()["data"]

    assert api_as("manager").patch(f"/api/users/{user.pk}", {"password": "rye-and-wheat-7"}).status_code == 200

    assert guest.post("/api/auth/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert guest.post("/api/auth/login", sent | {"password": "rye-and-wheat-7"}).status_code == 200


def test_nobody_is_deleted_or_replaced(api_as):
    client, user = api_as("admin"), make_user()
    for method in ("delete", "put"):
        response = getattr(client, method)(f"/api/users/{user.pk}", NEW)
        assert response.status_code == 405
        assert errors_of(response) == [("method_not_allowed", None)]
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 40, "x", "-1", "1.5"])
def test_who_is_not_there_is_not_found(api_as, pk):
    client = api_as("admin")
    for response in (client.get(f"/api/users/{pk}"), client.patch(f"/api/users/{pk}", {"first_name": "X"})):
        assert response.status_code == 404
        assert errors_of(response) == [("not_found", None)]


# Ranks


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_a_manager_makes_no_manager_or_admin(api_as, role):
    client = api_as("manager")
    before = snapshot()

    response = client.post("/api/users", NEW | {"role": role})

    assert (response.status_code, errors_of(response)) == (403, [("permission_denied", None)])
    assert snapshot() == before


@pytest.mark.parametrize("role", ["manager", "admin"])
@pytest.mark.parametrize(
    "change", [{"first_name": "X"}, {"is_active": False}, {"role": "customer"}, {"password": "rye-and-wheat-7"}, {}]
)
def test_a_manager_changes_no_manager_or_admin(api_as, role, change):
    client, other = api_as("manager"), make_user(role=role)
    before = snapshot()

    response = client.patch(f"/api/users/{other.pk}", change)

    assert (response.status_code, errors_of(response)) == (403, [("permission_denied", None)])
    assert snapshot() == before


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_a_manager_raises_nobody_to_their_own_rank_or_above(api_as, role):
    client, other = api_as("manager"), make_user(role="baker")

    response = client.patch(f"/api/users/{other.pk}", {"role": role, "first_name": "X"})

    assert (response.status_code, errors_of(response)) == (403, [("permission_denied", None)])
    other.refresh_from_db()
    assert (other.role, other.first_name) == ("baker", "")


def test_a_right_given_to_one_person_raises_nobody_above_themselves(api_as):
    from django.contrib.auth.models import Permission

    cashier = make_user(role="cashier")
    cashier.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"]))
    client, other = api_as(cashier), make_user(role="manager")

    assert client.patch(f"/api/users/{cashier.pk}", {"role": "admin"}).status_code == 403
    assert client.patch(f"/api/users/{other.pk}", {"is_active": False}).status_code == 403
    assert client.post("/api/users", NEW).status_code == 201


@pytest.mark.parametrize("role", ["baker", "cashier", "driver", "customer"])
def test_a_manager_looks_after_everyone_below(api_as, role):
    client = api_as("manager")
    made = client.post("/api/users", NEW | {"role": role})
    assert made.status_code == 201
    assert client.patch(made["Location"], {"is_active": False}).json()["data"]["is_active"] is False


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "manager"}])
def test_an_admin_takes_nothing_away_from_themselves(api_as, change):
    admin = make_user(role="admin")

    response = api_as(admin).patch(f"/api/users/{admin.pk}", change)

    assert (response.status_code, errors_of(response)) == (409, [("own_account", None)])
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)


def test_who_is_no_admin_any_more_keeps_no_rights_of_one(api_as):
    owner = User.objects.create_superuser("owner", "owner@example.com", "correct-horse-9")

    assert api_as("admin").patch(f"/api/users/{owner.pk}", {"role": "driver"}).status_code == 200

    owner = User.objects.get(pk=owner.pk)
    assert not owner.is_superuser
    assert not owner.has_perm("accounts.change_user")


# The list


def names(response):
    assert response.status_code == 200, response.json()
    return [user["username"] for user in response.json()["data"]]


@pytest.fixture
def people():
    return [
        make_user(username="anna", email="a@x.example", role="admin", first_name="Anna", last_name="Miller"),
        make_user(username="Bruno", email="b@x.example", role="baker", first_name="Bruno", last_name="Adler"),
        make_user(username="chloé", email="c@y.example", role="cashier", phone="0770", is_active=False),
        make_user(username="dora", email="d@y.example", role="customer", last_name="Miller"),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Bruno", "anna", "chloé", "dora"]),
        ({"role": "baker"}, ["Bruno"]),
        ({"role": ["baker", "admin"]}, ["Bruno", "anna"]),
        ({"is_active": "false"}, ["chloé"]),
        ({"is_active": "true"}, ["Bruno", "anna", "dora"]),
        ({"search": "miller"}, ["anna", "dora"]),
        ({"search": "anna miller"}, ["anna"]),
        ({"search": "CHLOÉ"}, ["chloé"]),
        ({"search": "y.example"}, ["chloé", "dora"]),
        ({"search": "077"}, ["chloé"]),
        ({"search": "%"}, []),
        ({"search": "miller", "role": "customer"}, ["dora"]),
        ({"ordering": "-email"}, ["dora", "chloé", "Bruno", "anna"]),
        ({"ordering": "last_name,-username"}, ["chloé", "Bruno", "dora", "anna"]),
        ({"ordering": "role"}, ["anna", "Bruno", "chloé", "dora"]),
        ({"page_size": 2, "page": 2, "ordering": "email"}, ["chloé", "dora"]),
    ],
)
def test_the_list_is_narrowed_and_ordered(api_as, people, query, expected):
    found = names(api_as(people[0]).get("/api/users", query))
    if "ordering" not in query:
        found, expected = sorted(found), sorted(expected)
    assert found == expected


@pytest.mark.parametrize(
    "query",
    [
        {"role": "owner"}, {"is_active": "yes"}, {"is_active": ""}, {"page": "0"}, {"page": "1.0"},
        {"page_size": "201"}, {"ordering": "password"}, {"ordering": "last_login__year"}, {"password": "x"},
        {"username": "anna"}, {"search": "x" * 201},
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(api_as, query):
    response = api_as("manager").get("/api/users", query)
    assert response.status_code == 400
    assert [field for _, field in errors_of(response)] == list(query)


def test_a_page_tells_where_it_stands(api_as, people):
    response = api_as(people[0]).get("/api/users", {"page_size": 3, "is_active": "true"})
    assert response.json()["meta"]["pagination"] == {
        "page": 1, "page_size": 3, "total": 3, "pages": 1, "next": None, "previous": None,
    }  # fmt: skip
    assert api_as(people[0]).get("/api/users", {"page": 2}).status_code == 404


def test_the_list_costs_the_same_for_one_and_for_many(api_as, queries_do_not_grow):
    assert queries_do_not_grow(api_as("manager"), "/api/users", make_user) <= 4


def test_no_answer_holds_a_password(api_as, people):
    text = api_as(people[0]).get("/api/users").content.decode()
    assert "password" not in text
    assert "md5$" not in text


def test_all_rights_of_a_role_cost_one_query():
    for role in Role.values:
        user = User.objects.get(pk=make_user(role=role).pk)
        with CaptureQueriesContext(connection) as caught:
            user.has_perm("orders.add_order")
            user.has_module_perms("orders")
            user.get_all_permissions()
        assert len(caught) == 1


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_two_who_change_each_other_do_not_wait_for_one_another(api_as):
    ada, grace = make_user(role="admin"), make_user(role="admin")

    def change(who, actor):
        return api_as(actor).patch(f"/api/users/{who.pk}", {"phone": "0123"}).status_code

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert change(ada, grace) == 200
        # Its history names Ada, who is still locked.
        assert pool.submit(elsewhere, lambda: change(grace, ada)).result(timeout=60) == 200

    assert [person.history.first().history_user for person in (ada, grace)] == [grace, ada]
