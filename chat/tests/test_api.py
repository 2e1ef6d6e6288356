"""The chat over HTTP, to the letter."""

import pytest
import time_machine
from django.urls import reverse

from accounts.tests.factories import make_user
from chat import services
from chat.models import Channel, Message, ReadMark
from chat.tests.factories import say, someone

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(api_as):
    return api_as(someone())


@pytest.fixture
def listener(api_as):
    return api_as("cashier")


def refusal(response):
    body = response.json()
    assert body["data"] is None
    return response.status_code, {(error["field"], error["code"]) for error in body["errors"]}


def texts(response):
    assert response.status_code == 200
    return [message["message"] for message in response.json()["data"]]


@time_machine.travel("2026-11-25T07:00:00Z", tick=False)
def test_a_message_is_said_and_heard(api, listener):
    response = api.post("/api/chat", {"message": "The oven is hot."})

    message = Message.objects.get()
    as_shown = {
        "id": message.pk,
        "channel": "general",
        "user": {"id": someone().pk, "username": someone().username, "name": "Ada Brot"},
        "message": "The oven is hot.",
        "created_at": "2026-11-25T08:00:00+01:00",
    }
    assert (response.status_code, response.json()["data"]) == (201, as_shown)
    assert listener.get("/api/chat").json() == {
        "success": True, "message": "", "data": [as_shown], "errors": [], "meta": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b> & <script>alert(1)</script>",
        "two\nlines\tand a tab",
        "Cre\u0300me",  # as it was typed, in two characters
        "right \u202eto left",
        "🥐",
        "x" * 4000,
        "=1+1",
    ],
)
def test_a_message_is_kept_as_it_was_written(api, text):
    assert api.post("/api/chat", {"message": f" {text}\n"}).json()["data"]["message"] == text
    assert Message.objects.get().text == text


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "message", "required"),
        ({"message": ""}, "message", "blank"),
        ({"message": " \n\t "}, "message", "blank"),
        ({"message": "x" * 4001}, "message", "max_length"),
        ({"message": None}, "message", "null"),
        ({"message": 1}, "message", "invalid"),
        ({"message": ["x"]}, "message", "invalid"),
        ({"message": "a\x00b"}, "message", "control_character"),
        ({"message": "x", "channel": ""}, "channel", "blank"),
        ({"message": "x", "channel": 1}, "channel", "invalid"),
    ],
)
def test_a_bad_message_is_refused(api, body, field, code):
    assert refusal(api.post("/api/chat", body)) == (400, {(field, code)})
    assert not Message.objects.exists()


def test_an_unknown_channel_is_404(api):
    for response in (
        api.get("/api/chat?channel=moon"),
        api.post("/api/chat", {"channel": "moon", "message": "x"}),
        api.post("/api/chat/read", {"channel": "moon", "last": 1}),
    ):
        assert refusal(response) == (404, {(None, "not_found")})
    assert not Message.objects.exists()


@pytest.fixture
def ten(db):
    """The ids of ten messages, m0 to m9; among them one of another channel."""
    services.open_channel(slug="bakehouse", name="Bakehouse", actor=someone())
    ids = []
    for number in range(10):
        ids.append(say(f"m{number}").pk)
        if number == 4:
            say("elsewhere", "bakehouse")
    return ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", range(10)),
        ("channel=general", range(10)),
        ("limit=3", [7, 8, 9]),
        ("after={3}", [4, 5, 6, 7, 8, 9]),
        ("after={3}&limit=2", [4, 5]),
        ("after=0&limit=1", [0]),
        ("after={9}", []),
        ("before={3}", [0, 1, 2]),
        ("before={3}&limit=2", [1, 2]),
        ("before={0}", []),
        ("after={2}&before={5}", [3, 4]),
        ("after=9223372036854775807", []),
    ],
)
def test_the_window_is_oldest_first(api, ten, query, found):
    assert texts(api.get(f"/api/chat?{query.format(*ten)}")) == [f"m{number}" for number in found]


def test_a_channel_has_its_own_messages(api, ten):
    assert texts(api.get("/api/chat?channel=bakehouse")) == ["elsewhere"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "limit=1.0", "limit=", "limit=-1", "limit=１", "after=x", "after=-1",
        "before=1e3", "after=9223372036854775808", "channel=", "channel=%00", "page=1", "colour=red",
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(api, query):
    status, problems = refusal(api.get(f"/api/chat?{query}"))
    assert (status, {field for field, _ in problems}) == (400, {query.partition("=")[0]})


def test_fifty_are_shown_unless_asked_for_more(api):
    for number in range(51):
        say(f"m{number}")
    assert len(texts(api.get("/api/chat"))) == 50
    assert len(texts(api.get("/api/chat?limit=200"))) == 51


def test_a_long_talk_costs_no_more_queries(api, queries_do_not_grow):
    assert queries_do_not_grow(api, "/api/chat", say) <= 3


# Channels and what was read


def overview(api):
    response = api.get("/api/chat/channels")
    assert response.status_code == 200
    return response.json()["data"]


def test_general_is_there_from_the_start(api):
    assert overview(api) == [{"channel": "general", "name": "General", "unread": 0, "last": None}]


def test_managers_make_channels(api_as):
    api = api_as("manager")
    made = api.post("/api/chat/channels", {"channel": "bakehouse", "name": "Bakehouse"})

    as_shown = {"channel": "bakehouse", "name": "Bakehouse", "unread": 0, "last": None}
    assert (made.status_code, made.json()["data"]) == (201, as_shown)
    assert as_shown in overview(api)
    again = api.post("/api/chat/channels", {"channel": "bakehouse", "name": "Another"})
    assert refusal(again) == (409, {("channel", "already_exists")})
    for body, problem in (
        ({"channel": "a b", "name": "x"}, ("channel", "invalid")),
        ({"channel": "x" * 51, "name": "x"}, ("channel", "max_length")),
        ({"channel": "x"}, ("name", "required")),
        ({"channel": "x", "name": " "}, ("name", "blank")),
    ):
        assert refusal(api.post("/api/chat/channels", body)) == (400, {problem})
    assert Channel.objects.count() == 2


def test_what_others_said_is_unread_until_it_is_read(api, listener):
    ids = [say(f"m{number}").pk for number in range(3)]
    own = listener.post("/api/chat", {"message": "I hear you."}).json()["data"]["id"]
    assert overview(listener) == [{"channel": "general", "name": "General", "unread": 3, "last": own}]
    assert overview(api)[0]["unread"] == 1

    marked = listener.post("/api/chat/read", {"channel": "general", "last": ids[1]})
    assert (marked.status_code, marked.json()["data"]) == (200, overview(listener)[0])
    assert overview(listener)[0]["unread"] == 1
    listener.post("/api/chat/read", {"channel": "general", "last": ids[0]})  # a mark never moves back
    assert overview(listener)[0]["unread"] == 1
    listener.post("/api/chat/read", {"last": own})
    assert overview(listener)[0]["unread"] == 0
    assert overview(api)[0]["unread"] == 1


def test_what_is_yet_to_be_written_cannot_be_read(api, listener):
    say()
    listener.post("/api/chat/read", {"channel": "general", "last": 9223372036854775807})
    assert overview(listener)[0]["unread"] == 0
    say()
    assert overview(listener)[0]["unread"] == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"last": -1}, "min_value"),
        ({"last": "1"}, "invalid"),
        ({"last": 1.5}, "invalid"),
        ({"last": 9223372036854775808}, "max_value"),
    ],
)
def test_a_bad_mark_is_refused(api, body, code):
    assert refusal(api.post("/api/chat/read", body)) == (400, {("last", code)})
    assert not ReadMark.objects.exists()


def test_many_channels_cost_no_more_queries(api, queries_do_not_grow):
    def another():
        slug = f"c{Channel.objects.count()}"
        services.open_channel(slug=slug, name=slug, actor=someone())
        say(channel=slug)

    assert queries_do_not_grow(api, "/api/chat/channels", another) <= 2


STAFF = {"cashier", "baker", "driver", "manager", "admin"}
ROUTES = {
    ("get", "/api/chat"): STAFF,
    ("post", "/api/chat"): STAFF,
    ("get", "/api/chat/channels"): STAFF,
    ("post", "/api/chat/channels"): {"manager", "admin"},
    ("post", "/api/chat/read"): STAFF,
}
BODIES = {
    "/api/chat": {"message": "x"},
    "/api/chat/channels": {"channel": "bakehouse", "name": "Bakehouse"},
    "/api/chat/read": {"last": 1},
}


@pytest.mark.parametrize("role", [None, "customer", *sorted(STAFF)])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_access(api_as, method, path, role):
    body = BODIES[path] if method == "post" else {}
    response = getattr(api_as(role), method)(path, body)

    if role in ROUTES[method, path]:
        assert response.status_code in (200, 201)
    else:
        assert response.status_code == (401 if role is None else 403)
        assert (Message.objects.count(), Channel.objects.count(), ReadMark.objects.count()) == (0, 1, 0)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_what_was_said_stays_said(api, method):
    message = say()
    assert getattr(api, method)("/api/chat", {}).status_code == 405
    assert getattr(api, method)(f"/api/chat/{message.pk}", {}).status_code == 404


# The back office


def test_messages_are_shown_escaped_and_cannot_be_changed(client):
    client.force_login(make_user(role="manager"))
    message = say("<script>alert(1)</script>")
    listing = reverse("admin:chat_message_changelist")
    change = reverse("admin:chat_message_change", args=[message.pk])

    for path in (listing, f"{listing}?q=alert", change):
        shown = client.get(path).content.decode()
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script>alert(1)" not in shown
    assert client.post(change, {"text": "x"}).status_code == 403
    assert client.post(reverse("admin:chat_message_delete", args=[message.pk]), {"post": "yes"}).status_code == 403
    assert Message.objects.get().text == message.text


def test_a_channel_is_named_in_the_office_but_keeps_its_slug(client):
    client.force_login(make_user(role="manager"))
    client.post(reverse("admin:chat_channel_add"), {"slug": "bakehouse", "name": "Bakehouse"})
    channel = Channel.objects.get(slug="bakehouse")
    client.post(reverse("admin:chat_channel_change", args=[channel.pk]), {"slug": "x", "name": "The bakehouse"})

    channel.refresh_from_db()
    assert (channel.slug, channel.name) == ("bakehouse", "The bakehouse")
