"""What the list of users can be narrowed by."""

from typing import Any

from django.db.models import Q

from accounts.models import Role, User
from bakery.api.filters import FilterSet, FlagFilter, MultipleChoiceFilter, TextFilter


class UserFilter(FilterSet):
    role = MultipleChoiceFilter(choices=Role.choices)
    is_active = FlagFilter()
    search = TextFilter(method="containing", label="Words of username, e-mail address, name, phone.")

    class Meta:
        model = User
        fields: list[str] = []

    def containing(self, users: Any, _: str, text: str) -> Any:
        columns = ("username_key", "email_key", "first_name", "last_name", "phone")
        for word in text.split():
            users = users.filter(Q(*((f"{column}__icontains", word) for column in columns), _connector=Q.OR))
        return users
