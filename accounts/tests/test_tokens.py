"""Every way to come with a bad token: always a 401, never a 500."""

import base64
import hmac
import json
import time

import jwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import User
from accounts.tests.factories import make_user
from bakery import tokens

pytestmark = pytest.mark.django_db

ABSENT = object()


@pytest.fixture
def user():
    return make_user(role="manager")


@pytest.fixture
def guest(api_as):
    return api_as(None)


def token_with(user, *, key="", algorithm="HS256", headers=None, **claims):
    """A token as we make it, but for `claims`; signed with our own key unless another is given."""
    payload = {
        "token_type": "access",
        "exp": int(time.time()) + 300,
        "iat": int(time.time()),
        "jti": "0123456789abcdef",
        "user_id": str(user.pk),
        "hash_password": get_md5_hash_password(user.password),
        **claims,
    }
    sent = {name: value for name, value in payload.items() if value is not ABSENT}
    # PyJWT checks the types of some claims before it signs them.
    return jwt.api_jws.encode(json.dumps(sent).encode(), key or settings.SECRET_KEY, algorithm, headers=headers)


def unsigned(header, payload):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    return f"{part(header)}.{part(payload)}."


def signed_with(key, token):
    message = token.rpartition(".")[0]
    digest = hmac.digest(key, message.encode(), "sha256")
    return f"{message}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def read_products(client, access):
    return client.get("/api/products", headers={"Authorization": f"Bearer {access}"})


def refused(response):
    assert response.status_code == 401, response.content
    assert [(error["code"], error["field"]) for error in response.json()["errors"]] == [("token_not_valid", None)]
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    return True


def me(client, access):
    return client.get("/api/auth/me", headers={"Authorization": f"Bearer {access}"})


def test_the_tokens_of_these_tests_are_like_ours(guest, user):
    assert me(guest, token_with(user)).status_code == 200
    assert guest.post("/api/auth/refresh", {"refresh": token_with(user, token_type="refresh")}).status_code == 200


BAD_CLAIMS = {
    "no kind": {"token_type": ABSENT},
    "kind is a list": {"token_type": ["access"]},
    "expired": {"exp": 1_600_000_000},
    "not yet": {"nbf": 4_000_000_000},
    "from the future": {"iat": 4_000_000_000},
    "no end": {"exp": ABSENT},
    "end is null": {"exp": None},
    "end is text": {"exp": "4000000000"},
    "end is a word": {"exp": "never"},
    "end is a list": {"exp": [4_000_000_000]},
    "end is true": {"exp": True},
    "end in 10^12 years": {"exp": 10**18},
    "end in 10^22 years": {"exp": 10**30},
    "end below zero": {"exp": -(10**30)},
    "end has a fraction": {"exp": 4_000_000_000.5},
    "end is infinite": {"exp": float("inf")},
    "start is a list": {"nbf": [1]},
    "issued at a word": {"iat": "now"},
    "nobody": {"user_id": ABSENT},
    "null": {"user_id": None},
    "a word": {"user_id": "abc"},
    "a zero byte": {"user_id": "1\x00"},
    "a list": {"user_id": [1]},
    "a dict": {"user_id": {"pk": 1}},
    "a float": {"user_id": 1.0},
    "true": {"user_id": True},
    "other digits": {"user_id": "١"},
    "empty": {"user_id": ""},
    "negative": {"user_id": "-1"},
    "more than any id": {"user_id": str(10**30)},
    "someone who is not there": {"user_id": "999999999"},
    "no name": {"jti": ABSENT},
    "name is a number": {"jti": 7},
    "name is a list": {"jti": ["a"]},
    "name with a zero byte": {"jti": "a\x00b"},
    "name too long": {"jti": "a" * 300},
    "no mark": {"hash_password": ABSENT},
    "another mark": {"hash_password": "0" * 32},
    "mark is a list": {"hash_password": []},
    "mark is not ASCII": {"hash_password": "é"},
}


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_a_bad_claim_opens_nothing_even_signed_with_our_key(guest, user, claims):
    assert refused(me(guest, token_with(user, **claims)))
    assert refused(guest.post("/api/auth/verify", {"token": token_with(user, **claims)}))


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_a_bad_claim_refreshes_nothing(guest, user, claims):
    token = token_with(user, **{"token_type": "refresh", **claims})
    assert refused(guest.post("/api/auth/refresh", {"refresh": token}))
    assert refused(guest.post("/api/auth/logout", {"refresh": token}))
    assert not OutstandingToken.objects.exists()


def test_a_refresh_token_is_no_access_token(guest, user):
    assert refused(me(guest, token_with(user, token_type="refresh")))


def test_an_access_token_is_no_refresh_token(guest, user):
    assert refused(guest.post("/api/auth/refresh", {"refresh": token_with(user)}))
    assert refused(guest.post("/api/auth/logout", {"refresh": token_with(user)}))


def forged(user):
    payload = json.dumps({"user_id": str(user.pk), "exp": 4_000_000_000, "token_type": "access", "jti": "a"}).encode()
    deep = b'{"alg":"HS256","x":' + b"[" * 3000 + b"]" * 3000 + b"}"
    good = token_with(user)
    head, body, signature = good.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    return {
        "garbage": "garbage",
        "dots": "..",
        "many dots": "." * 50,
        "no signature": f"{head}.{body}.",
        "a byte of the signature flipped": f"{head}.{body}.{flipped}",
        "none": unsigned(b'{"alg":"none"}', payload),
        "None": unsigned(b'{"alg":"None"}', payload),
        "alg is a list": unsigned(b'{"alg":["HS256"]}', payload),
        "alg is missing": unsigned(b"{}", payload),
        "header is a list": unsigned(b"[]", payload),
        "header is nested": unsigned(deep, payload),
        "header has a huge number": unsigned(b'{"alg":"HS256","x":' + b"9" * 5000 + b"}", payload),
        "header is not UTF-8": unsigned(b"\xff\xfe", payload),
        "crit": unsigned(b'{"alg":"HS256","crit":["x"]}', payload),
        "empty key": signed_with(b"", good),
        "public key": signed_with(b"secret", good),
        "another key": token_with(user, key="of-another-deployment-" * 4),
        "a path as kid": token_with(user, key="x" * 64, headers={"kid": "../../dev/null"}),
        "kid is a list": unsigned(b'{"alg":"HS256","kid":[1]}', payload),
        "HS512": token_with(user, algorithm="HS512"),
        "RS256": unsigned(b'{"alg":"RS256"}', payload),
        "8 kB": "a" * 8000,
        "8 kB of a token": f"{head}.{'a' * 8000}.{signature}",
    }


@pytest.mark.parametrize("name", forged(User(pk=1, password="x")))
def test_a_forged_token_opens_nothing(guest, user, name):
    token = forged(user)[name]
    assert refused(me(guest, token))
    assert refused(read_products(guest, token))
    for path, field in (("verify", "token"), ("refresh", "refresh"), ("logout", "refresh")):
        assert refused(guest.post(f"/api/auth/{path}", {field: token}))


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Token abc", "garbage"])
def test_without_a_bearer_token_one_is_not_signed_in(guest, user, header):
    response = guest.get("/api/auth/me", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json()["errors"][0]["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "bearer x", "Bearer \xe9\xff"])
def test_a_malformed_bearer_header_is_refused(guest, header):
    assert refused(guest.get("/api/auth/me", headers={"Authorization": header}))


def test_a_token_counts_in_its_header_alone(guest, user):
    access = token_with(user)
    guest.cookies["access"] = guest.cookies["Authorization"] = access
    assert guest.get("/api/auth/me", {"access": access, "token": access}).status_code in (400, 401)
    assert guest.get("/api/auth/me").status_code == 401


def test_a_session_of_the_admin_is_no_token(guest, user):
    guest.force_login(user)
    assert guest.get("/api/auth/me").status_code == 401


def pair_of(guest, user):
    sent = {"username": user.username, "password": "correct-horse-9"}
    return guest.post("/api/auth/login", sent).json()["data"]


@pytest.mark.parametrize("end", [{"is_active": False}, {"password": "argon2$other"}])
def test_who_is_deactivated_or_has_a_new_password_is_out_at_once(guest, user, end):
    pair = pair_of(guest, user)
    User.objects.update(**end)
    assert refused(me(guest, pair["access"]))
    assert refused(read_products(guest, pair["access"]))
    assert refused(guest.post("/api/auth/refresh", {"refresh": pair["refresh"]}))
    assert refused(guest.post("/api/auth/verify", {"token": pair["access"]}))


def test_who_is_deleted_is_out_at_once(guest, user):
    pair = pair_of(guest, user)
    user.delete()
    assert refused(me(guest, pair["access"]))
    assert refused(guest.post("/api/auth/refresh", {"refresh": pair["refresh"]}))
    assert refused(guest.post("/api/auth/logout", {"refresh": pair["refresh"]}))


def test_a_new_role_counts_at_once(guest, user):
    headers = {"Authorization": f"Bearer {pair_of(guest, user)['access']}"}
    assert guest.get("/api/users", headers=headers).status_code == 200
    User.objects.update(role="driver")
    assert guest.get("/api/users", headers=headers).status_code == 403


def test_only_the_ids_of_dead_tokens_are_kept(guest, user):
    pair = pair_of(guest, user)
    assert not OutstandingToken.objects.exists()

    guest.post("/api/auth/refresh", {"refresh": pair["refresh"]})

    spent = BlacklistedToken.objects.select_related("token").get().token
    claims = tokens.read(pair["refresh"], tokens.REFRESH)
    assert (spent.jti, spent.user, spent.expires_at, spent.token) == (claims.token_id, user, claims.expires_at, "")
