from itertools import count
from typing import Any

from accounts.models import User

_numbers = count(1)


def make_user(*, role: str = "customer", **fields: Any) -> User:
    """Make a user of `role`; the password is `correct-horse-9`."""
    number = next(_numbers)
    fields = {"username": f"{role}{number}", "email": f"{role}{number}@example.com", **fields}
    user = User(role=role, **fields)
    user.set_password("correct-horse-9")
    user.save()
    return user
