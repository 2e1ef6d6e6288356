"""What the list of users can be narrowed by."""

from typing import Any

from django.db.models import Q

from accounts.models import Role, User
from bakery.api.filters import FilterSet, FlagFilter, MultipleChoiceFilter, SearchFilter
from bakery.db import fold


class UserFilter(FilterSet):
    role = MultipleChoiceFilter(choices=Role.choices)
    is_active = FlagFilter()
    search = SearchFilter(method="containing", label="Words of username, e-mail address, name, phone.")

    class Meta:
        model = User
        fields: list[str] = []

    def containing(self, users: Any, name: str, value: str) -> Any:
        for word in value.split():
            named = Q(username_key__contains=fold(word)) | Q(email_key__contains=fold(word))
            users = users.filter(
                named | Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(phone__icontains=word)
            )
        return users
