from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.tests.factories import make_user
from cashbook import services
from cashbook.models import MAIN, CashEntry, CashSession


def a_cashier() -> User:
    """One for all of a test, so that lists of many rows have few people."""
    return User.objects.filter(role="cashier").first() or make_user(role="cashier")


def book(amount: str = "3.50", kind: str = "sale", method: str = "cash", **fields: Any) -> CashEntry:
    """Book an entry through the service."""
    fields = {"actor": fields.pop("actor", None) or a_cashier(), **fields}
    return services.book(amount=Decimal(amount), type=kind, method=method, **fields)


def open_session(float_amount: str = "150.00", register: str = MAIN) -> CashSession:
    return services.open_session(register=register, float_amount=Decimal(float_amount), actor=a_cashier())


def close_session(session: CashSession, counted: str = "150.00") -> CashSession:
    return services.close_session(session_id=session.pk, counted=Decimal(counted), note="", actor=a_cashier())
