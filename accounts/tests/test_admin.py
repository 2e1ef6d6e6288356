import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.models import FailedSignIns, User
from accounts.tests.factories import make_user

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
PASSWORD = "correct-horse-9"
DETAILS = {"username": "bruno", "email": "bruno@example.com", "first_name": "Bruno", "last_name": "", "phone": "0123"}
NEW = DETAILS | {"password1": "rye-and-wheat-7", "password2": "rye-and-wheat-7", "role": "baker"}


@pytest.fixture
def as_role(client):
    def sign_in(who):
        client.force_login(who if isinstance(who, User) else make_user(role=who))
        return client

    return sign_in


def page_of(user):
    return f"{USERS}{user.pk}/change/"


def form_of(user, **changes):
    fields = ("username", "email", "first_name", "last_name", "phone", "role")
    form = {name: getattr(user, name) for name in fields} | ({"is_active": "on"} if user.is_active else {})
    return {name: value for name, value in (form | changes).items() if value is not None}


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


# The pages


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 200), ("manager", 200), ("baker", 403), ("cashier", 403), ("driver", 403)]
)
def test_only_seniors_see_the_people(as_role, role, status):
    assert as_role(role).get(USERS).status_code == status


def test_customers_do_not_come_in(as_role):
    response = as_role("customer").get("/admin/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_the_list_shows_filters_and_searches(as_role):
    make_user(username="finder", role="baker", phone="0770")
    make_user(username="keeper", role="driver", is_active=False)
    client = as_role("admin")

    for query, shown in (
        ("", {"finder", "keeper"}),
        ("?q=0770", {"finder"}),
        ("?role__exact=driver", {"keeper"}),
        ("?is_active__exact=0", {"keeper"}),
    ):
        page = client.get(USERS + query).content.decode()
        assert {name for name in ("finder", "keeper") if name in page} == shown, query


@pytest.mark.parametrize("who", ["admin", "manager"])
@pytest.mark.parametrize("whom", ["admin", "manager", "baker", "customer"])
def test_the_page_of_a_person_shows_no_hash(as_role, who, whom):
    user = make_user(role=whom)
    page = as_role(who).get(page_of(user))
    assert page.status_code == 200
    assert user.username in page.content.decode()
    assert user.password not in page.content.decode()


def test_the_history_shows_who_changed_what(as_role):
    user = make_user(role="baker")
    client = as_role(make_user(role="admin", username="the-owner"))
    client.post(page_of(user), form_of(user, phone="0999"))

    page = client.get(f"{USERS}{user.pk}/history/").content.decode()

    assert "the-owner" in page
    assert "0999" in page


def test_an_old_state_is_looked_at_but_not_brought_back(as_role):
    user = make_user(role="admin")
    User.objects.get(pk=user.pk).save()
    address = f"{USERS}{user.pk}/history/{user.history.last().pk}/"

    for who in ("admin", "manager"):
        client = as_role(who)
        assert client.get(address).status_code == 200
        assert client.post(address, form_of(user, role="baker")).status_code == 403
    user.refresh_from_db()
    assert user.role == "admin"
    assert user.history.count() == 2


# Making and changing


def test_an_admin_makes_someone(as_role):
    client = as_role("admin")

    response = client.post(f"{USERS}add/", NEW)

    user = User.objects.get(username="bruno")
    assert response["Location"] == page_of(user)
    assert (user.role, user.phone, user.is_active) == ("baker", "0123", True)
    assert user.check_password("rye-and-wheat-7")
    assert user.history.get().history_user.role == "admin"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "TAKEN"}, "username"),
        ({"email": "Taken@example.com"}, "email"),
        ({"email": "taken@example.com", "username": "fresh"}, "email"),
        ({"username": "taken@Example.com"}, "username"),
        ({"username": "two words"}, "username"),
        ({"password2": "another"}, "password2"),
        ({"password1": "short", "password2": "short"}, "password2"),
        ({"role": "owner"}, "role"),
    ],
)
def test_a_bad_form_says_what_is_wrong_and_makes_nobody(as_role, change, field):
    make_user(username="taken", email="taken@example.com")
    client = as_role("admin")
    before = User.objects.count()

    response = client.post(f"{USERS}add/", NEW | change)

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert User.objects.count() == before


def test_a_change_goes_through_with_its_folded_names(as_role):
    user = make_user(role="baker")

    response = as_role("manager").post(page_of(user), form_of(user, username="Renamed", role="driver", is_active=None))

    assert response.status_code == 302
    user = User.objects.named("RENAMED").get()
    assert (user.role, user.is_active) == ("driver", False)
    assert user.history.count() == 2


def test_one_cannot_be_renamed_to_someone_else(as_role):
    make_user(username="taken")
    user = make_user(role="baker")
    response = as_role("admin").post(page_of(user), form_of(user, username="Taken"))
    assert list(response.context["adminform"].form.errors) == ["username"]
    user.refresh_from_db()
    assert user.username != "Taken"


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_a_manager_only_looks_at_managers_and_admins(as_role, role):
    user, client = make_user(role=role), as_role("manager")
    before = User.objects.filter(pk=user.pk).values().get()

    assert client.post(page_of(user), form_of(user, is_active=None)).status_code == 403
    assert client.get(f"{USERS}{user.pk}/password/").status_code == 403
    sent = {"password1": "rye-and-wheat-7", "password2": "rye-and-wheat-7"}
    assert client.post(f"{USERS}{user.pk}/password/", sent).status_code == 403
    assert User.objects.filter(pk=user.pk).values().get() == before


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_a_manager_makes_and_raises_nobody_that_high(as_role, role):
    user, client = make_user(role="baker"), as_role("manager")

    made = client.post(f"{USERS}add/", NEW | {"role": role})
    raised = client.post(page_of(user), form_of(user, role=role))

    for response in (made, raised):
        assert response.status_code == 200
        assert list(response.context["adminform"].form.errors) == ["role"]
    assert not User.objects.filter(username="bruno").exists()
    user.refresh_from_db()
    assert user.role == "baker"


def test_an_admin_gives_one_person_a_right_more_and_it_is_noted(as_role):
    user = make_user(role="cashier")
    right = Permission.objects.get(codename="view_cash_report")

    as_role("admin").post(page_of(user), form_of(user, user_permissions=[right.pk]))

    assert User.objects.get(pk=user.pk).has_perm("cashbook.view_cash_report")
    assert [row.permission for row in user.history.first().user_permissions.all()] == [right]
    assert user.history.first().history_user.role == "admin"


def test_a_manager_gives_no_rights_away(as_role):
    user = make_user(role="cashier")
    right = Permission.objects.get(codename="add_product")

    as_role("manager").post(page_of(user), form_of(user, phone="1", user_permissions=[right.pk]))

    user = User.objects.get(pk=user.pk)
    assert user.phone == "1"
    assert not user.user_permissions.exists()


def test_nobody_changes_their_own_role_or_ends_themselves(as_role):
    admin = make_user(role="admin")

    as_role(admin).post(page_of(admin), form_of(admin, role="baker", is_active=None, phone="1"))

    admin.refresh_from_db()
    assert (admin.role, admin.is_active, admin.phone) == ("admin", True, "1")


def test_nobody_is_deleted(as_role):
    user, client = make_user(), as_role(User.objects.create_superuser("owner", "o@x.example", PASSWORD))
    assert client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(USERS).content.decode()
    assert User.objects.filter(pk=user.pk).exists()


def test_a_password_is_set_and_ends_the_sessions(as_role, api_as):
    user, guest = make_user(role="baker"), api_as(None)
    pair = guest.post("/api/auth/login", {"username": user.username, "password": PASSWORD}).json()["data"]
    client = as_role("manager")
    assert client.get(f"{USERS}{user.pk}/password/").status_code == 200

    sent = {"password1": "rye-and-wheat-7", "password2": "rye-and-wheat-7"}
    assert client.post(f"{USERS}{user.pk}/password/", sent).status_code == 302

    user.refresh_from_db()
    assert user.check_password("rye-and-wheat-7")
    assert user.history.first().history_change_reason == "password"
    assert guest.post("/api/auth/refresh", {"refresh": pair["refresh"]}).status_code == 401


def test_a_weak_password_is_not_set(as_role):
    user = make_user(role="baker")
    response = as_role("admin").post(f"{USERS}{user.pk}/password/", {"password1": "short", "password2": "short"})
    assert response.status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_people_change_their_own_password(as_role):
    user = make_user(role="baker")
    client = as_role(user)
    assert client.get("/admin/password_change/").status_code == 200
    sent = {"old_password": PASSWORD, "new_password1": "rye-and-wheat-7", "new_password2": "rye-and-wheat-7"}
    assert client.post("/admin/password_change/", sent).status_code == 302
    user.refresh_from_db()
    assert user.check_password("rye-and-wheat-7")


def test_roles_are_to_be_looked_at(as_role):
    client = as_role("admin")
    group = Group.objects.get(name="baker")
    page = client.get(f"/admin/auth/group/{group.pk}/change/")
    assert page.status_code == 200
    assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "boss"}).status_code == 403
    assert client.get("/admin/auth/group/add/").status_code == 403
    assert as_role("manager").get("/admin/auth/group/").status_code == 403


def test_tokens_clutter_no_menu(as_role):
    page = as_role(User.objects.create_superuser("owner", "o@x.example", PASSWORD)).get("/admin/").content.decode()
    assert "token_blacklist" not in page


# The door


def enter(client, name, password=PASSWORD, **extra):
    return client.post("/admin/login/", {"username": name, "password": password, "next": "/admin/"}, **extra)


@pytest.mark.parametrize("name", ["bruno", "BRUNO", "Bruno@example.com"])
def test_staff_come_in_by_name_or_address(client, name):
    user = make_user(role="baker", username="bruno", email="bruno@example.com")
    response = enter(client, name)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    user.refresh_from_db()
    assert user.last_login is not None
    assert user.history.count() == 1


@pytest.mark.parametrize(
    ("name", "password"), [("nobody", PASSWORD), ("bruno", "wrong"), ("gone", PASSWORD), ("guest", PASSWORD)]
)
def test_nobody_else_comes_in(client, name, password):
    make_user(role="baker", username="bruno")
    make_user(role="baker", username="gone", is_active=False)
    make_user(role="customer", username="guest")
    response = enter(client, name, password)
    assert response.status_code == 200
    assert "Please enter the correct username and password" in response.content.decode()
    assert client.get("/admin/").status_code == 302


def test_the_admin_locks_out_together_with_the_api(client, api_as):
    make_user(role="baker", username="bruno", email="bruno@example.com")
    for _ in range(5):
        assert enter(client, "bruno", "wrong").status_code == 200
        sent = {"username": "bruno@example.com", "password": "wrong"}
        assert api_as(None).post("/api/auth/login", sent).status_code == 401

    response = enter(client, "Bruno")

    assert response.status_code == 429
    assert 590 <= int(response["Retry-After"]) <= 600
    assert "Too many failed attempts" in response.content.decode()
    assert client.get("/admin/").status_code == 302
    assert api_as(None).post("/api/auth/login", {"username": "bruno", "password": PASSWORD}).status_code == 429
    assert FailedSignIns.objects.count() == 1
    assert enter(client, "bruno", REMOTE_ADDR="10.0.0.9").status_code == 302


def test_the_admin_has_the_limit_of_the_api(client, settings):
    settings.THROTTLING = True
    statuses = [enter(client, f"n{number}").status_code for number in range(61)]
    assert statuses[:30] == [200] * 30
    assert 429 in statuses


def test_a_deactivated_user_is_out_of_the_admin_at_once(as_role):
    user = make_user(role="baker")
    client = as_role(user)
    assert client.get("/admin/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/admin/").status_code == 302


# createsuperuser


def make_superuser(monkeypatch, **environment):
    wanted = {"USERNAME": "owner", "EMAIL": "owner@example.com", "PASSWORD": "rye-and-wheat-7"} | environment
    for name, value in wanted.items():
        monkeypatch.setenv(f"DJANGO_SUPERUSER_{name}", value)
    call_command("createsuperuser", "--noinput", verbosity=0)


def test_the_first_administrator_is_an_admin(client, monkeypatch):
    make_superuser(monkeypatch)
    user = User.objects.get()
    assert (user.role, user.is_superuser, user.is_staff) == ("admin", True, True)
    assert enter(client, "owner", "rye-and-wheat-7").status_code == 302


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "There is already a user with this username."),
        ({"USERNAME": "second", "EMAIL": "OWNER@example.com"}, "There is already a user with this e-mail address."),
        ({"USERNAME": "a b"}, "Enter a valid username."),
    ],
)
def test_a_second_one_of_that_name_is_refused_in_words(monkeypatch, environment, words):
    from django.core.management import CommandError

    make_superuser(monkeypatch)
    with pytest.raises(CommandError, match=words):
        make_superuser(monkeypatch, **environment)
    assert User.objects.count() == 1
