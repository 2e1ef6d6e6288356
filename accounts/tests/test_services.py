from collections import Counter
from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts import roles, selectors, services
from accounts.errors import InvalidCredentials
from accounts.models import FailedSignIns, Role, User
from accounts.tests.factories import make_user
from bakery import clock, tokens
from bakery.errors import TooMany
from tests.at_once import at_once

PASSWORD = "correct-horse-9"


# What can be told of accounts


@pytest.mark.django_db
def test_a_sound_shop_has_nothing_to_tell():
    for role in Role.values:
        make_user(role=role)
    assert list(selectors.checks()) == []


@pytest.mark.django_db
def test_a_role_that_differs_from_its_table_is_told_and_migrate_mends_it():
    baker = Group.objects.get(name="baker")
    lost = baker.permissions.get(codename="bake_order")
    baker.permissions.remove(lost)
    Group.objects.get(name="driver").delete()

    assert list(selectors.checks()) == [
        "the group of the role baker differs from its table in bake_order; run migrate",
        "the role driver has no group; run migrate",
    ]
    roles.synchronise()
    assert list(selectors.checks()) == []


@pytest.mark.django_db
def test_names_that_fell_out_of_step_are_told():
    first, second = make_user(username="anna"), make_user(username="bruno")
    User.objects.filter(pk=second.pk).update(username="ANNA")
    assert list(selectors.checks()) == [
        f"user {second.pk} cannot be found by name: its folded names are out of step",
        f"users {first.pk} and {second.pk} share a name to sign in with",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"role": "owner"}, {"is_superuser": True}, {"username_key": "anna"}])
def test_the_database_itself_refuses_what_must_never_be(change):
    make_user(username="anna")
    user = make_user(role="baker")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(**change)


@pytest.mark.django_db
def test_a_misspelt_permission_stops_migrate(monkeypatch):
    monkeypatch.setitem(roles.PERMISSIONS, Role.BAKER, ("orders.bake_bread",))
    with pytest.raises(LookupError, match=r"orders\.bake_bread"):
        roles.synchronise()


# Names


@pytest.mark.django_db
def test_names_are_found_however_they_came_in(tmp_path):
    call_command("loaddata", "demo", verbosity=0)
    assert User.objects.named("OWNER").get() == User.objects.named("Owner@Millers-Bakery.example").get()

    user = make_user(username="Éloi")
    user.username = "ÉLOÏSE"
    user.save(update_fields=["username"])
    assert User.objects.named("éloïse").get() == user
    assert not User.objects.named("éloi").exists()
    assert not User.objects.named("").exists()


@pytest.mark.django_db
def test_a_username_is_kept_in_one_form():
    user = services.register(username="ｚｏｅ", email="zoe@example.com", password="rye-and-wheat-7")  # full width
    assert user.username == "zoe"


# Races


@pytest.mark.django_db(transaction=True)
def test_of_one_refresh_token_used_at_once_one_use_succeeds():
    token = tokens.issue(make_user()).refresh
    for _ in range(5):
        won = []

        told = at_once(*[partial(refresh, token, won)] * 6)

        assert Counter(told) == {"done": 1, "token_not_valid": 5}
        token = won[0].refresh


def refresh(token, won):
    won.append(services.refresh_session(token=token))


def sign_in(password):
    return partial(services.sign_in, name="zoe", password=password, address="10.0.0.1")


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_ten_learn_whether_they_were_right():
    make_user(username="zoe")

    told = at_once(*[sign_in(f"guess {number}") for number in range(16)])

    assert Counter(told) == {"invalid_credentials": 10, "throttled": 6}
    assert len(FailedSignIns.objects.get().times) == 10
    with pytest.raises(TooMany):
        sign_in(PASSWORD)()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_who_know_the_password_all_come_in():
    make_user(username="zoe")
    assert at_once(*[sign_in(PASSWORD)] * 16) == ["done"] * 16


@pytest.mark.django_db(transaction=True)
def test_of_two_who_want_a_name_at_once_one_gets_it():
    # The second wants as its username what the first wants as its address, and both want the same name.
    wanted = [
        {"username": "anna", "email": "shared@example.com"},
        {"username": "shared@example.com", "email": "other@example.com"},
        {"username": "ANNA", "email": "third@example.com"},
    ]

    told = at_once(*[partial(services.register, **one, password="rye-and-wheat-7") for one in wanted * 2])

    assert set(told) == {"done", "already_exists"}
    assert list(selectors.checks()) == []


@pytest.mark.django_db(transaction=True)
def test_codes_from_a_mail_used_twice_at_once_set_one_password():
    from django.contrib.auth.tokens import default_token_generator
    from django.utils.http import urlsafe_base64_encode

    user = make_user()
    codes = {"uid": urlsafe_base64_encode(str(user.pk).encode()), "token": default_token_generator.make_token(user)}

    told = at_once(*[partial(services.reset_password, **codes, new=f"rye-and-wheat-{number}") for number in range(4)])

    assert told.count("done") == 1
    assert user.history.filter(history_change_reason="password").count() == 1


# Time


@pytest.mark.django_db
def test_old_failures_are_forgotten():
    for name in ("old", "new"):
        with pytest.raises(InvalidCredentials):
            services.sign_in(name=name, password="x", address="10.0.0.1")
    now = clock.now()
    FailedSignIns.objects.filter(pk=FailedSignIns.objects.earliest("pk").pk).update(
        latest_at=now - 2 * FailedSignIns.SPAN - FailedSignIns.SPAN / 10
    )

    services.tick(now)

    assert FailedSignIns.objects.count() == 1


@pytest.mark.django_db
def test_a_failure_does_not_keep_the_name_that_was_typed():
    with pytest.raises(InvalidCredentials):
        services.sign_in(name="my-password-by-mistake", password="x", address="10.0.0.1")
    assert "my-password" not in FailedSignIns.objects.get().account
