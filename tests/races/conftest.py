"""A shop for the races: staff, and server processes that run until the auditor has looked at what they left."""

import pytest

from tests.client import Client
from tests.server import a_shop

STAFF = """
from accounts.models import User
for role in ("cashier", "manager"):
    user = User(username=role, email=role + "@bakery.example", role=role)
    user.set_password("bread-and-butter-7")
    user.save()
print("null")
"""


@pytest.fixture(scope="package")
def shop(tmp_path_factory):
    with a_shop(tmp_path_factory.mktemp("races")) as shop:
        shop.ask(STAFF)
        shop.serve()
        yield shop
        doctor = shop.manage("doctor", check=False)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr


@pytest.fixture(scope="package")
def guest(shop):
    return Client(shop.url)


# Their sessions last for minutes: each test has new ones.


@pytest.fixture
def cashier(shop):
    return Client(shop.url).log_in("cashier", "bread-and-butter-7")


@pytest.fixture
def manager(shop):
    return Client(shop.url).log_in("manager", "bread-and-butter-7")
