"""What is stored about a customer is told, and taken away everywhere; amounts and VAT stay."""

import io
import json
from datetime import time, timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection
from django_tasks_db.models import DBTaskResult

from accounts.errors import InvalidCredentials
from accounts.models import FailedSignIns, User
from accounts.services import change_own_details, change_password, register, sign_in
from accounts.tests.factories import make_user
from bakery import clock, privacy, tokens
from bakery.errors import DomainError
from bakery.models import IdempotencyKey
from orders import services
from orders.models import Order, StandingOrder, Wish
from orders.tests.factories import make_order, make_standing_order, on
from products.tests.factories import make_product, make_vat_class

pytestmark = pytest.mark.django_db

USERNAME, FIRST, LAST, FORMER = "mk-username", "MkFirst", "MkLast", "MkFormer"
EMAIL, OLD_EMAIL, PHONE = "mk-mail@example.com", "mk-old@example.com", "+33 98 76 54"
ADDRESS, NOTES, LINE_NOTE, EDIT_NOTE = "MkAddress 1", "MkNotes", "MkLineNote", "MkEditNote"
EVENT_NOTE, PAYMENT_NOTE, STANDING, GUEST = "MkEventNote", "MkPaymentNote", "MkStandingLane", "MkGuest"
REASON, LATER_REASON = "MkReason", "MkLaterReason"
MARKERS = [
    USERNAME, FIRST, LAST, FORMER, EMAIL, OLD_EMAIL, PHONE, ADDRESS, NOTES, LINE_NOTE, EDIT_NOTE, EVENT_NOTE,
    PAYMENT_NOTE, STANDING, GUEST, REASON, LATER_REASON,
]  # fmt: skip


def dump():
    """Return every value of every table as text, whoever owns the table."""
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    found = [out.getvalue()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    raw = bytes(value) if isinstance(value, (bytes, memoryview)) else None
                    found.append(raw.decode(errors="replace") if raw is not None else str(value))
    return "\n".join(found).casefold()


def left():
    text = dump()
    return [marker for marker in MARKERS if marker.casefold() in text]


@pytest.fixture
def person(api_as):
    """A customer who left a mark in every place where one may."""
    person = register(
        username=USERNAME, email=OLD_EMAIL, password="a long enough one", first_name=FORMER, last_name=LAST, phone=PHONE
    )
    change_own_details(user=person, email=EMAIL, first_name=FIRST)
    person.refresh_from_db()
    with pytest.raises(InvalidCredentials):
        sign_in(name=USERNAME, password="wrong", address="1.2.3.4")
    tokens.issue(person)
    product = make_product(vat_class=make_vat_class(takeaway="5.50"))
    cashier = make_user(role="cashier")
    placed = {
        "fulfilment": "delivery", "address": ADDRESS, "notes": NOTES, "due_at": on(1).isoformat(),
        "items": [{"product": product.pk, "quantity": 3, "note": LINE_NOTE}],
    }  # fmt: skip
    key = {"Idempotency-Key": "one"}
    made = api_as(person).post("/api/orders", placed, format="json", headers=key).json()["data"]
    order = Order.objects.get(pk=made["id"])
    services.edit_order(order_id=order.pk, actor=cashier, changes={"notes": EDIT_NOTE})
    services.change_status(order_id=order.pk, to="confirmed", actor=cashier, note=EVENT_NOTE)
    paid = {"amount": "1.00", "method": "cash", "note": PAYMENT_NOTE}
    api_as(cashier).post(f"/api/orders/{order.pk}/payments", paid, format="json", headers={"Idempotency-Key": "two"})
    phone = {"customer": person.pk, "due_at": on(1).isoformat(), "items": [{"product": product.pk, "quantity": 1}]}
    api_as(cashier).post("/api/orders", phone, format="json", headers={"Idempotency-Key": "three"})
    over = {**phone, "override": REASON}
    favour = api_as("manager").post("/api/orders", over, format="json", headers={"Idempotency-Key": "five"}).json()
    changes = {"notes": "!", "override": LATER_REASON}
    services.edit_order(order_id=favour["data"]["id"], actor=make_user(role="manager"), changes=changes)
    guest = {**phone, "customer_name": GUEST, "customer_email": EMAIL.upper()}
    api_as(None).post("/api/orders", guest, format="json", headers={"Idempotency-Key": "four"})
    make_standing_order(customer=person, fulfilment="delivery", address=STANDING, due_time=time(23, 59))
    services.generate(clock.now())
    make_standing_order(customer=person, fulfilment="delivery", address=STANDING, paused=True)
    gone = make_product(daily_capacity=0)
    tomorrow = clock.today() + timedelta(days=1)
    services.wait_for(actor=person, product=gone.pk, date=tomorrow, quantity=1, customer_name=FIRST)
    LogEntry.objects.create(
        user=cashier, action_flag=2, object_repr=USERNAME, object_id=str(person.pk),
        content_type=ContentType.objects.get_for_model(User), change_message="",
    )  # fmt: skip
    DBTaskResult.objects.filter(pk=DBTaskResult.objects.first().pk).update(traceback=f"refused: {EMAIL}")
    return person


def test_a_full_dump_holds_nothing_of_who_was_erased(person):
    other = make_order(customer_name="Bea", customer_email="bea@example.com", notes="Hers")
    assert left() == MARKERS
    money = list(Order.objects.order_by("pk").values_list("total", "vat_total", "paid", "items__line_total"))

    call_command("erase_customer", EMAIL, stdout=io.StringIO())

    assert left() == []
    person.refresh_from_db()
    assert (person.username, person.is_active, person.has_usable_password()) == (f"erased-{person.pk}", False, False)
    assert list(Order.objects.order_by("pk").values_list("total", "vat_total", "paid", "items__line_total")) == money
    assert Order.objects.filter(customer=person, address="erased").exists()
    assert StandingOrder.objects.get().paused
    assert not Wish.objects.exists()
    assert not FailedSignIns.objects.exists()
    assert not IdempotencyKey.objects.exists()
    other.refresh_from_db()
    assert (other.customer_name, other.notes) == ("Bea", "Hers")
    call_command("verify_cashbook", stdout=io.StringIO())
    call_command("doctor", stdout=io.StringIO())
    services.generate(clock.now() + timedelta(days=3))
    assert left() == []


def test_who_was_erased_comes_in_no_more_and_may_register_again(person):
    pair = tokens.issue(person)

    call_command("erase_customer", USERNAME, stdout=io.StringIO())

    with pytest.raises(tokens.TokenNotValid):
        tokens.owner(tokens.read(pair.access, tokens.ACCESS))
    assert register(username=USERNAME, email=EMAIL, password="a long enough one").pk != person.pk


def edit_their_order(person, order):
    services.edit_order(order_id=order.pk, actor=person, changes={"customer_name": GUEST, "notes": NOTES})


def cancel_their_order(person, order):
    services.change_status(order_id=order.pk, to="cancelled", actor=person, note=EVENT_NOTE)


def change_their_name(person, _):
    change_own_details(user=person, first_name=FIRST, email=EMAIL)


@pytest.mark.parametrize("act", [edit_their_order, cancel_their_order, change_their_name])
def test_a_change_that_began_before_its_customer_was_erased_brings_nothing_back(act):
    person = make_user()
    order = make_order(actor=person)
    privacy.erase(privacy.Person(person.pk, person.email))

    with pytest.raises(DomainError) as refused:
        act(person, order)

    assert [problem.code for problem in refused.value.problems] == ["account_closed"]
    assert left() == []


def test_a_password_that_was_on_its_way_when_the_account_was_closed_is_not_set():
    person = make_user()
    hashed = person.password
    User.objects.filter(pk=person.pk).update(is_active=False)

    with pytest.raises(DomainError, match="closed"):
        change_password(user=person, current="correct-horse-9", new="rye-and-wheat-7", address="")

    assert User.objects.get(pk=person.pk).password == hashed


def test_a_guest_is_erased_by_their_address():
    order = make_order(customer_name=GUEST, customer_email=EMAIL, notes=NOTES)

    call_command("erase_customer", EMAIL, stdout=io.StringIO())

    assert left() == []
    order.refresh_from_db()
    assert (order.total, order.version) == (Decimal("2.60"), 2)


def test_an_export_tells_all_that_is_stored(person):
    out = io.StringIO()

    call_command("export_customer", USERNAME, stdout=out)

    told = json.loads(out.getvalue())
    assert [marker for marker in MARKERS if marker.casefold() not in out.getvalue().casefold()] == []
    assert told["accounts"]["account"]["username"] == USERNAME
    assert {name: len(rows) for name, rows in told["orders"].items()} == {
        "orders": Order.objects.count(), "standing_orders": 2, "waiting_list": 1,
    }  # fmt: skip
    assert told["orders"]["orders"][0]["total"] == "3.90"


@pytest.mark.parametrize("command", ["export_customer", "erase_customer"])
def test_of_whom_nothing_is_known_nothing_is_done(command):
    with pytest.raises(CommandError, match="Nothing is stored"):
        call_command(command, "nobody@example.com")


def test_staff_are_not_erased_and_then_nobody_is():
    baker = make_user(role="baker", email=EMAIL)
    order = make_order(customer_email=EMAIL)

    with pytest.raises(CommandError, match="Only customers"):
        call_command("erase_customer", EMAIL)

    baker.refresh_from_db()
    order.refresh_from_db()
    assert (baker.is_active, order.customer_email) == (True, EMAIL)


def test_the_admin_asks_before_it_erases(client, person):
    client.force_login(make_user(role="manager"))
    chosen = {"action": "erase_customer", "_selected_action": [person.pk]}

    asked = client.post("/admin/accounts/user/", chosen)
    assert "There is no way back" in asked.content.decode()
    assert left() == MARKERS
    done = client.post("/admin/accounts/user/", {**chosen, "confirmed": "yes"}, follow=True)

    assert "Erased: 1." in done.content.decode()
    assert left() == []


def test_a_page_of_before_brings_nobody_back(client, api_as, person):
    client.force_login(make_user(role="admin"))
    page = f"/admin/accounts/user/{person.pk}/change/"
    before = {name: getattr(person, name) for name in ("username", "email", "first_name", "last_name", "phone", "role")}
    privacy.erase(privacy.Person(person.pk, person.email))

    saved = client.post(page, before, follow=True)
    sent = api_as("admin").patch(f"/api/users/{person.pk}", {"is_active": True, "first_name": FIRST}, format="json")

    assert "This account was erased" in saved.content.decode()
    assert (sent.status_code, sent.json()["errors"][0]["code"]) == (400, "account_closed")
    assert not set(left()) & {USERNAME, FIRST, LAST, PHONE}
    assert not User.objects.get(pk=person.pk).is_active


def test_the_admin_erases_no_staff(client):
    client.force_login(make_user(role="manager"))
    baker = make_user(role="baker")

    chosen = {"action": "erase_customer", "_selected_action": [baker.pk], "confirmed": "yes"}
    done = client.post("/admin/accounts/user/", chosen, follow=True)

    assert "Only customers are erased" in done.content.decode()
    baker.refresh_from_db()
    assert baker.is_active


def test_the_admin_exports(client, person):
    client.force_login(make_user(role="manager"))

    told = client.post("/admin/accounts/user/", {"action": "export_customer", "_selected_action": [person.pk]})

    assert told["Content-Disposition"].startswith("attachment")
    assert told.json()[0]["accounts"]["account"]["email"] == EMAIL


@pytest.mark.parametrize("action", ["export_customer", "erase_customer"])
@pytest.mark.parametrize("role", ["cashier", "baker", "driver"])
def test_only_managers_and_admins_do_either(client, role, action):
    client.force_login(make_user(role=role))
    customer = make_user()

    chosen = {"action": action, "_selected_action": [customer.pk], "confirmed": "yes"}
    assert client.post("/admin/accounts/user/", chosen).status_code == 403

    customer.refresh_from_db()
    assert customer.is_active
