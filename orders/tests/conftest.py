"""What the tests of the back office share."""

import pytest

from accounts.tests.factories import make_user


@pytest.fixture
def office_of(client):
    """A browser of somebody with a role: `office_of("baker").get(...)`."""

    def sign_in(role):
        client.force_login(make_user(role=role))
        return client

    return sign_in
