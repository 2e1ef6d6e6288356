"""Who may do what with the cash book."""

import pytest

from cashbook.models import CashEntry, CashSession, Register
from cashbook.tests.factories import a_cashier, book, open_session

pytestmark = pytest.mark.django_db

STAFF = {"cashier", "manager", "admin"}
EVERYONE = [None, "customer", "cashier", "baker", "driver", "manager", "admin"]
ROUTES = {
    ("get", "/api/cash"): STAFF,
    ("post", "/api/cash"): STAFF,
    ("get", "/api/cash/{entry}"): STAFF,
    ("post", "/api/cash/{entry}/reverse"): STAFF,
    ("get", "/api/cash/summary"): STAFF,
    ("get", "/api/cash/sessions"): STAFF,
    ("post", "/api/cash/sessions"): STAFF,
    ("get", "/api/cash/sessions/current"): STAFF,
    ("get", "/api/cash/sessions/{session}"): STAFF,
    ("get", "/api/cash/sessions/{session}/report"): STAFF,
    ("post", "/api/cash/sessions/{session}/close"): STAFF,
    ("get", "/api/cash/closings"): STAFF,
    ("get", "/api/cash/registers"): STAFF,
    ("post", "/api/cash/registers"): {"manager", "admin"},
}
BODIES = {
    "/api/cash": {"type": "sale", "amount": "1.00", "method": "cash"},
    "/api/cash/sessions": {"float": "1.00", "register": "stall"},
    "/api/cash/sessions/{session}/close": {"counted": "1.00"},
    "/api/cash/registers": {"name": "kiosk"},
}


@pytest.mark.parametrize("role", EVERYONE)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_access(api_as, method, path, role):
    Register.objects.create(name="stall")
    session, entry = open_session(), book()
    rows = [CashEntry.objects.count(), CashSession.objects.filter(closed_at=None).count(), Register.objects.count()]
    api = api_as(a_cashier() if role == "cashier" else role)

    body = BODIES.get(path, {}) if method == "post" else {}
    response = getattr(api, method)(path.format(entry=entry.pk, session=session.pk), body)

    if role in ROUTES[method, path]:
        assert response.status_code in (200, 201)
    else:
        assert response.status_code == (401 if role is None else 403)
        assert rows == [
            CashEntry.objects.count(),
            CashSession.objects.filter(closed_at=None).count(),
            Register.objects.count(),
        ]
