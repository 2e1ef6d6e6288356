import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from accounts.models import FailedSignIns, User
from accounts.roles import PERMISSIONS
from accounts.tests.factories import make_user
from bakery import clock, jobs

PASSWORD = "correct-horse-9"
SOMEONE = {"username": "zoe", "email": "zoe@example.com", "password": "rye-and-wheat-7"}


@pytest.fixture
def guest(api_as):
    return api_as(None)


def errors_of(response):
    return [(error["code"], error["field"]) for error in response.json()["errors"]]


def sign_in(client, name, password=PASSWORD, **extra):
    return client.post("/api/auth/login", {"username": name, "password": password}, **extra)


def tokens_of(client, user):
    response = sign_in(client, user.username)
    assert response.status_code == 200, response.json()
    return response.json()["data"]


def me(client, access):
    return client.get("/api/auth/me", headers={"Authorization": f"Bearer {access}"})


def refresh(client, token):
    return client.post("/api/auth/refresh", {"refresh": token})


# Registration


def test_registering_makes_a_customer_who_is_signed_in(guest):
    response = guest.post("/api/auth/register", {**SOMEONE, "first_name": "Zoë", "phone": "+33 1 23"})

    assert response.status_code == 201
    assert response["Location"] == "/api/auth/me"
    body = response.json()
    assert sorted(body["data"]) == ["access", "refresh", "user"]
    user = User.objects.get(username="zoe")
    assert body["data"]["user"] == {
        "id": user.pk,
        "username": "zoe",
        "email": "zoe@example.com",
        "first_name": "Zoë",
        "last_name": "",
        "phone": "+33 1 23",
        "role": "customer",
        "permissions": sorted(PERMISSIONS["customer"]),
        "date_joined": clock.local(user.date_joined).isoformat(),
    }
    assert me(guest, body["data"]["access"]).json()["data"] == body["data"]["user"]
    assert user.check_password("rye-and-wheat-7")
    assert user.history.get().history_type == "+"


def test_nobody_registers_with_more_rights_than_a_customer(guest):
    greedy = {
        "id": 4711, "role": "admin", "is_staff": True, "is_superuser": True, "is_active": False, "groups": [1],
        "permissions": ["accounts.change_user"], "user_permissions": [1],
    }  # fmt: skip

    assert guest.post("/api/auth/register", {**SOMEONE, **greedy}).status_code == 201

    user = User.objects.get(username="zoe")
    assert (user.role, user.is_superuser, user.is_active, user.is_staff) == ("customer", False, True, False)
    assert user.pk != 4711
    assert not user.groups.exists()
    assert not user.user_permissions.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"username": None}, [("null", "username")]),
        ({"username": ""}, [("blank", "username")]),
        ({"username": "two words"}, [("invalid", "username")]),
        ({"username": "x" * 151}, [("max_length", "username")]),
        ({"username": ["zoe"]}, [("invalid", "username")]),
        ({"username": 7}, [("invalid", "username")]),
        ({"username": "zo\u0000e"}, [("control_character", "username")]),
        ({"username": "zo\u202ee"}, [("control_character", "username")]),
        ({"username": "\ufdfa"}, [("invalid", "username")]),  # one letter that stands for four words
        ({"email": ""}, [("blank", "email")]),
        ({"email": "zoe"}, [("invalid", "email")]),
        ({"email": "a" * 250 + "@example.com"}, [("max_length", "email")]),
        ({"phone": "1" * 33}, [("max_length", "phone")]),
        ({"first_name": "x" * 151}, [("max_length", "first_name")]),
        ({"password": ""}, [("blank", "password")]),
        ({"password": {"a": 1}}, [("invalid", "password")]),
        ({"password": "p" * 257}, [("max_length", "password")]),
        ({"password": "tooshor"}, [("password_too_short", "password")]),
        ({"password": "sunshine1"}, [("password_too_common", "password")]),
        ({"password": "zoe@example.com"}, [("password_too_similar", "password")]),
        ({"username": "zoezoezoe", "password": "zoezoezoe"}, [("password_too_similar", "password")]),
    ],
)
def test_registration_names_each_bad_field(guest, change, expected):
    response = guest.post("/api/auth/register", SOMEONE | change)

    assert response.status_code == 400
    assert errors_of(response) == expected
    assert not User.objects.exists()


def test_registration_says_what_is_missing(guest):
    response = guest.post("/api/auth/register", {})
    assert sorted(errors_of(response)) == [("required", "email"), ("required", "password"), ("required", "username")]


@pytest.mark.parametrize(
    ("there", "change", "field"),
    [
        ({"username": "ZOE"}, {}, "username"),
        ({"username": "Zoë"}, {"username": "ZOË"}, "username"),
        ({"username": "admin"}, {"username": "ＡＤＭＩＮ"}, "username"),  # full-width letters
        ({"username": "straße"}, {"username": "STRASSE"}, "username"),
        ({"email": "Zoe@Example.COM"}, {}, "email"),
        ({"email": "zoe@müller.example"}, {"email": "zoe@MÜLLER.example"}, "email"),
        ({"email": "shared@example.com"}, {"username": "Shared@example.com"}, "username"),
        ({"username": "shared@example.com"}, {"email": "shared@Example.com"}, "email"),
    ],
)
def test_names_and_addresses_are_unique_without_regard_to_case(guest, there, change, field):
    make_user(**there)

    response = guest.post("/api/auth/register", SOMEONE | change)

    assert response.status_code == 409
    assert errors_of(response) == [("already_exists", field)]
    assert User.objects.count() == 1


def test_ones_own_address_may_be_ones_name(guest):
    assert guest.post("/api/auth/register", SOMEONE | {"username": "zoe@example.com"}).status_code == 201
    assert sign_in(guest, "ZOE@example.com", "rye-and-wheat-7").status_code == 200


# Login


@pytest.mark.parametrize("name", ["Zoe", "zoe", "ZOE", " zoe ", "zoe@example.com", "ZOE@EXAMPLE.COM"])
def test_one_signs_in_by_name_or_address_in_any_case(guest, name):
    user = make_user(username="Zoe", email="Zoe@example.com", role="baker")

    response = sign_in(guest, name)

    assert response.status_code == 200
    assert sorted(response.json()["data"]) == ["access", "refresh", "user"]
    assert response.json()["data"]["user"]["role"] == "baker"
    user.refresh_from_db()
    assert user.last_login is not None
    assert user.history.count() == 1  # to sign in is no change


def test_whoever_it_was_the_refusal_is_the_same(guest):
    make_user(username="here")
    make_user(username="gone", is_active=False)

    answers = [sign_in(guest, "nobody"), sign_in(guest, "here", "wrong"), sign_in(guest, "gone")]

    assert {answer.status_code for answer in answers} == {401}
    assert [errors_of(answer) for answer in answers] == [[("invalid_credentials", None)]] * 3
    assert len({answer.json()["message"] for answer in answers}) == 1
    assert {answer["WWW-Authenticate"] for answer in answers} == {'Bearer realm="api"'}


def test_each_refusal_hashes_once(guest, monkeypatch):
    make_user(username="here")
    make_user(username="gone", is_active=False)
    make_user(username="without", password="!")
    hashed = []

    def count(self, password, salt, *args):
        hashed.append(password)
        return original(self, password, salt, *args)

    from django.contrib.auth.hashers import MD5PasswordHasher

    original = MD5PasswordHasher.encode
    User.objects.filter(username="without").update(password="!unusable")
    monkeypatch.setattr(MD5PasswordHasher, "encode", count)

    for name in ("nobody", "here", "gone", "without"):
        hashed.clear()
        assert sign_in(guest, name, "wrong").status_code == 401
        assert len(hashed) == 1, name


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("required", "username"), ("required", "password")]),
        ({"username": "a\u0000", "password": "x"}, [("control_character", "username")]),
        ({"username": ["a"], "password": {"b": 1}}, [("invalid", "username"), ("invalid", "password")]),
        ({"username": "a", "password": "x\u0000"}, [("control_character", "password")]),
        ({"username": "a", "password": "x" * 1_000_000}, [("max_length", "password")]),
        ({"username": "", "password": ""}, [("blank", "username"), ("blank", "password")]),
    ],
)
def test_a_malformed_login_is_told_so(guest, body, expected):
    response = guest.post("/api/auth/login", body)
    assert response.status_code == 400
    assert errors_of(response) == expected


def test_half_a_character_is_a_malformed_login(guest):
    body = '{"username": "a", "password": "\\ud800"}'
    response = guest.post("/api/auth/login", body, content_type="application/json")
    assert (response.status_code, errors_of(response)) == (400, [("parse_error", None)])


def test_blanks_belong_to_a_password(guest):
    guest.post("/api/auth/register", SOMEONE | {"password": " rye-and-wheat-7 "})
    assert sign_in(guest, "zoe", "rye-and-wheat-7").status_code == 401
    assert sign_in(guest, "zoe", " rye-and-wheat-7 ").status_code == 200


def test_a_stale_token_in_the_header_is_no_obstacle_to_signing_in(guest):
    make_user(username="zoe")
    guest.credentials(HTTP_AUTHORIZATION="Bearer stale")
    assert sign_in(guest, "zoe").status_code == 200


# Lock-out


def fail(client, name, times, **extra):
    return [sign_in(client, name, "wrong", **extra).status_code for _ in range(times)]


def test_ten_failures_lock_the_account_out_for_this_address(guest):
    make_user(username="zoe", email="zoe@example.com")
    with time_machine.travel("2026-11-25T08:00:00+00:00", tick=False):
        assert fail(guest, "zoe", 10) == [401] * 10

        response = sign_in(guest, "zoe")

        assert response.status_code == 429
        assert errors_of(response) == [("throttled", None)]
        assert response["Retry-After"] == "600"
        assert sign_in(guest, "zoe", REMOTE_ADDR="10.0.0.9").status_code == 200
    with time_machine.travel("2026-11-25T08:09:59+00:00", tick=False):
        assert sign_in(guest, "zoe")["Retry-After"] == "1"
    with time_machine.travel("2026-11-25T08:10:00+00:00", tick=False):
        assert sign_in(guest, "zoe").status_code == 200


def test_the_lock_knows_an_account_by_each_of_its_names(guest):
    make_user(username="Zoe", email="zoe@example.com")
    for name in ("zoe", "ZOE", "zoe@example.com", "ZOE@Example.com", " zoe"):
        assert fail(guest, name, 2) == [401, 401]

    assert {sign_in(guest, name).status_code for name in ("Zoe", "zoe", "zoe@example.com")} == {429}


def test_an_unknown_name_is_locked_like_a_known_one(guest):
    assert fail(guest, "nobody", 5) + fail(guest, "NOBODY", 5) == [401] * 10
    assert fail(guest, "Nobody", 1) == [429]
    assert fail(guest, "somebody", 1) == [401]


def test_failures_of_more_than_ten_minutes_ago_do_not_count(guest):
    make_user(username="zoe")
    start = clock.now()
    for minutes in range(0, 24, 2):  # never more than five in ten minutes
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert fail(guest, "zoe", 1) == [401]
    with time_machine.travel(start + timedelta(minutes=23), tick=False):
        assert sign_in(guest, "zoe").status_code == 200


def test_ten_failures_count_also_across_the_turn_of_a_clock(guest):
    make_user(username="zoe")
    with time_machine.travel("2026-11-25T08:09:50+00:00", tick=False):
        assert fail(guest, "zoe", 5) == [401] * 5
    with time_machine.travel("2026-11-25T08:10:10+00:00", tick=False):
        assert fail(guest, "zoe", 6) == [401] * 5 + [429]


def test_signing_in_forgets_the_failures_before(guest):
    make_user(username="zoe")
    fail(guest, "zoe", 9)
    assert sign_in(guest, "zoe").status_code == 200
    assert fail(guest, "zoe", 9) == [401] * 9
    assert sign_in(guest, "zoe").status_code == 200
    assert not FailedSignIns.objects.exists()


def test_a_clock_set_back_locks_nobody_out_for_long(guest):
    make_user(username="zoe")
    with time_machine.travel("2027-11-25T08:00:00+00:00", tick=False):
        fail(guest, "zoe", 10)
    with time_machine.travel("2026-11-25T08:00:00+00:00", tick=False):
        assert sign_in(guest, "zoe").status_code == 200


def test_a_forged_forwarding_header_is_no_other_address(guest):
    make_user(username="zoe")
    for number in range(10):
        sign_in(guest, "zoe", "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    assert sign_in(guest, "zoe", HTTP_X_FORWARDED_FOR="10.0.0.99").status_code == 429


# Limits


def test_thirty_logins_a_minute_and_address(guest, settings):
    settings.THROTTLING = True
    with time_machine.travel("2026-11-25T08:00:00+00:00", tick=False):
        assert [sign_in(guest, f"n{number}").status_code for number in range(30)] == [401] * 30
        response = sign_in(guest, "another")
        assert response.status_code == 429
        assert errors_of(response) == [("throttled", None)]
        assert response["Retry-After"] == "60"
        assert sign_in(guest, "another", REMOTE_ADDR="10.0.0.9").status_code == 401


def test_twenty_registrations_an_hour_and_address(guest, settings):
    settings.THROTTLING = True
    with time_machine.travel("2026-11-25T08:10:00+00:00", tick=False):
        assert {guest.post("/api/auth/register", {}).status_code for _ in range(20)} == {400}
        response = guest.post("/api/auth/register", SOMEONE)
        assert (response.status_code, response["Retry-After"]) == (429, "3000")
    assert not User.objects.exists()


def test_the_limits_can_be_switched_off_but_not_the_lock_out(guest, settings):
    settings.THROTTLING = False
    assert {sign_in(guest, f"n{number}").status_code for number in range(35)} == {401}
    assert {guest.post("/api/auth/register", {}).status_code for _ in range(25)} == {400}
    assert fail(guest, "zoe", 11)[-1] == 429


# Refresh, verify, logout


def test_a_refresh_token_is_good_for_one_pair_of_fresh_ones(guest):
    old = tokens_of(guest, make_user())

    response = refresh(guest, old["refresh"])

    assert response.status_code == 200
    fresh = response.json()["data"]
    assert sorted(fresh) == ["access", "refresh"]
    assert me(guest, fresh["access"]).status_code == 200
    again = refresh(guest, old["refresh"])
    assert (again.status_code, errors_of(again)) == (401, [("token_not_valid", None)])
    assert refresh(guest, fresh["refresh"]).status_code == 200


def test_logging_out_ends_the_session(guest):
    tokens = tokens_of(guest, make_user())

    response = guest.post("/api/auth/logout", {"refresh": tokens["refresh"]})

    assert (response.status_code, response.content) == (204, b"")
    assert refresh(guest, tokens["refresh"]).status_code == 401
    assert guest.post("/api/auth/logout", {"refresh": tokens["refresh"]}).status_code == 401


def test_verify_tells_whether_a_token_would_be_accepted(guest):
    user = make_user()
    tokens = tokens_of(guest, user)

    def verify(token):
        return guest.post("/api/auth/verify", {"token": token}).status_code

    assert [verify(tokens["access"]), verify(tokens["refresh"]), verify("forged")] == [200, 200, 401]
    refresh(guest, tokens["refresh"])
    assert [verify(tokens["access"]), verify(tokens["refresh"])] == [200, 401]
    User.objects.update(is_active=False)
    assert verify(tokens["access"]) == 401


@pytest.mark.parametrize("path", ["refresh", "logout", "verify"])
def test_a_token_must_be_sent(guest, path):
    field = "token" if path == "verify" else "refresh"
    bad = {"null": None, "blank": "", "invalid": 7, "control_character": "a\u0000"}
    for code, value in bad.items():
        response = guest.post(f"/api/auth/{path}", {field: value})
        assert (response.status_code, errors_of(response)) == (400, [(code, field)])
    assert errors_of(guest.post(f"/api/auth/{path}", {})) == [("required", field)]


# Oneself


def test_people_see_their_rights(api_as):
    data = api_as("driver").get("/api/auth/me").json()["data"]
    assert data["role"] == "driver"
    assert data["permissions"] == sorted(data["permissions"])
    assert "orders.deliver_order" in data["permissions"]


def test_people_change_their_details_but_not_their_rights(api_as):
    user = make_user(role="cashier")

    response = api_as(user).patch(
        "/api/auth/me",
        {
            "first_name": "Chloé", "phone": "0123", "email": "new@example.com", "username": "chloe",
            "role": "admin", "permissions": ["accounts.change_user"], "is_active": False, "is_superuser": True, "id": 9,
        },
    )  # fmt: skip

    assert response.status_code == 200
    assert response.json()["data"]["first_name"] == "Chloé"
    user.refresh_from_db()
    assert (user.username, user.email, user.phone) == ("chloe", "new@example.com", "0123")
    assert (user.role, user.is_active, user.is_superuser) == ("cashier", True, False)
    assert user.history.first().history_user == user


def test_one_cannot_take_anothers_name(api_as):
    make_user(username="taken", email="taken@example.com")
    client, before = api_as("cashier"), User.objects.latest("pk").username

    for change, field in (
        ({"username": "TAKEN"}, "username"),
        ({"email": "Taken@example.com"}, "email"),
        ({"email": "taken@example.com", "first_name": "X"}, "email"),
    ):
        response = client.patch("/api/auth/me", change)
        assert (response.status_code, errors_of(response)) == (409, [("already_exists", field)])
    user = User.objects.get(username=before)
    assert user.first_name == ""
    assert user.history.count() == 1


def test_what_one_reads_of_oneself_one_may_send_back(api_as):
    client = api_as(make_user(email="", role="baker"))
    data = client.get("/api/auth/me").json()["data"]
    assert client.patch("/api/auth/me", data).json()["data"] == data


def test_a_request_costs_one_query_for_the_user_and_one_for_the_rights(guest):
    tokens = tokens_of(guest, make_user(role="manager"))
    with CaptureQueriesContext(connection) as caught:
        assert me(guest, tokens["access"]).status_code == 200
    assert len(caught) == 2


# Password


def change_password(client, access, current, new):
    return client.post(
        "/api/auth/password",
        {"current_password": current, "new_password": new},
        headers={"Authorization": f"Bearer {access}"},
    )


def test_a_new_password_ends_every_session_of_before(guest):
    user = make_user()
    first, second = tokens_of(guest, user), tokens_of(guest, user)

    response = change_password(guest, first["access"], PASSWORD, "rye-and-wheat-7")

    assert (response.status_code, response.content) == (204, b"")
    for old in (first, second):
        assert me(guest, old["access"]).status_code == 401
        assert refresh(guest, old["refresh"]).status_code == 401
    assert sign_in(guest, user.username).status_code == 401
    assert sign_in(guest, user.username, "rye-and-wheat-7").status_code == 200
    assert user.history.first().history_change_reason == "password"


@pytest.mark.parametrize(
    ("current", "new", "expected"),
    [
        ("wrong", "rye-and-wheat-7", [("invalid", "current_password")]),
        (PASSWORD, "73519287465", [("password_entirely_numeric", "new_password")]),
        (PASSWORD, "short", [("password_too_short", "new_password")]),
        (PASSWORD, "", [("blank", "new_password")]),
        (None, None, [("null", "current_password"), ("null", "new_password")]),
    ],
)
def test_a_password_stays_when_the_change_is_refused(guest, current, new, expected):
    user = make_user()
    tokens = tokens_of(guest, user)

    response = change_password(guest, tokens["access"], current, new)

    assert (response.status_code, errors_of(response)) == (400, expected)
    assert me(guest, tokens["access"]).status_code == 200
    assert sign_in(guest, user.username).status_code == 200


def test_who_holds_a_token_cannot_guess_the_password_with_it(guest):
    user = make_user()
    access = tokens_of(guest, user)["access"]
    answers = [change_password(guest, access, "wrong", "rye-and-wheat-7").status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]


# Password reset


def ask_for_reset(client, email):
    response = client.post("/api/auth/password-reset", {"email": email})
    jobs.run_due()
    return response


def codes_in_the_mail():
    body = mail.outbox[-1].body
    return {name: re.search(rf"^{name}: (\S+)$", body, re.MULTILINE)[1] for name in ("uid", "token")}


def test_a_forgotten_password_is_set_with_the_codes_from_the_mail(guest):
    user = make_user(username="zoe", email="Zoe@example.com")
    old = tokens_of(guest, user)

    response = ask_for_reset(guest, "zoe@EXAMPLE.com")

    assert response.status_code == 202
    assert response.json() == {"success": True, "message": "", "data": {}, "errors": [], "meta": {}}
    (message,) = mail.outbox
    assert message.to == ["Zoe@example.com"]
    assert "Bakery" in message.subject
    codes = codes_in_the_mail()
    confirmed = guest.post("/api/auth/password-reset/confirm", codes | {"new_password": "rye-and-wheat-7"})
    assert (confirmed.status_code, confirmed.content) == (204, b"")
    assert sign_in(guest, "zoe", "rye-and-wheat-7").status_code == 200
    assert me(guest, old["access"]).status_code == 401
    assert refresh(guest, old["refresh"]).status_code == 401


def test_the_codes_work_once(guest):
    make_user(email="zoe@example.com")
    ask_for_reset(guest, "zoe@example.com")
    codes = codes_in_the_mail()
    guest.post("/api/auth/password-reset/confirm", codes | {"new_password": "rye-and-wheat-7"})

    again = guest.post("/api/auth/password-reset/confirm", codes | {"new_password": "another-loaf-8"})

    assert (again.status_code, errors_of(again)) == (400, [("invalid", "token")])


def test_the_codes_work_for_four_hours(guest):
    make_user(email="zoe@example.com")
    ask_for_reset(guest, "zoe@example.com")
    with time_machine.travel(timedelta(hours=4, minutes=1)):
        late = guest.post("/api/auth/password-reset/confirm", codes_in_the_mail() | {"new_password": "rye-and-wheat-7"})
    assert (late.status_code, errors_of(late)) == (400, [("invalid", "token")])


def test_who_is_known_is_not_told(guest):
    make_user(email="zoe@example.com")
    make_user(email="gone@example.com", is_active=False)
    answers, queries = [], []
    for address in ("zoe@example.com", "gone@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as caught:
            answers.append(guest.post("/api/auth/password-reset", {"email": address}))
        queries.append(len(caught))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len(set(queries)) == 1
    jobs.run_due()
    assert [message.to for message in mail.outbox] == [["zoe@example.com"]]


def test_an_account_gets_five_mails_an_hour_at_most(guest):
    make_user(email="zoe@example.com")
    with time_machine.travel("2026-11-25T08:00:00+00:00", tick=False):
        assert {ask_for_reset(guest, "zoe@example.com").status_code for _ in range(7)} == {202}
    assert len(mail.outbox) == 5


def test_a_mail_server_that_is_down_delays_only_the_mail(guest, monkeypatch):
    make_user(email="zoe@example.com")

    def down(*args, **kwargs):
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("accounts.tasks.send_mail", down)
        assert ask_for_reset(guest, "zoe@example.com").status_code == 202
    with time_machine.travel(timedelta(minutes=1)):
        jobs.run_due()
    assert len(mail.outbox) == 1
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"


@pytest.mark.parametrize("uid", ["", "x", "MQ", "!!", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é"])
@pytest.mark.parametrize("token", ["x", "a-b", "-", "ü-ü"])
def test_made_up_codes_set_no_password(guest, uid, token):
    make_user()
    response = guest.post(
        "/api/auth/password-reset/confirm", {"uid": uid, "token": token, "new_password": "rye-and-wheat-7"}
    )
    assert response.status_code == 400
    assert errors_of(response) == ([("invalid", "token")] if uid else [("blank", "uid")])


def test_a_weak_new_password_uses_no_code_up(guest):
    make_user(email="zoe@example.com")
    ask_for_reset(guest, "zoe@example.com")
    codes = codes_in_the_mail()

    weak = guest.post("/api/auth/password-reset/confirm", codes | {"new_password": "short"})

    assert (weak.status_code, errors_of(weak)) == (400, [("password_too_short", "new_password")])
    strong = guest.post("/api/auth/password-reset/confirm", codes | {"new_password": "rye-and-wheat-7"})
    assert strong.status_code == 204


def test_a_new_password_ends_the_lock_out(guest):
    make_user(username="zoe", email="zoe@example.com")
    fail(guest, "zoe", 10)
    ask_for_reset(guest, "zoe@example.com")
    guest.post("/api/auth/password-reset/confirm", codes_in_the_mail() | {"new_password": "rye-and-wheat-7"})
    assert sign_in(guest, "zoe", "rye-and-wheat-7").status_code == 200
