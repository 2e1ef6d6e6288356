"""Who may do what: a table in each viewset says which permission each of its actions needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView

ANYONE = "anyone"
SIGNED_IN = "signed in"
_GUESTS_OR = "guests or "


def guests_or(permission: str) -> str:
    """Return the rule that guests may, and of the signed-in those with `permission`."""
    return _GUESTS_OR + permission


def is_open_to_guests(rule: str | None) -> bool:
    """Whether `rule` lets people in who are not signed in."""
    return rule is not None and (rule == ANYONE or rule.startswith(_GUESTS_OR))


class PermissionTable(BasePermission):
    """Read `view.permissions`: {action: permission}. An action that is not listed is refused.

    A permission is ANYONE, SIGNED_IN, or a Django permission such as `orders.view_order`.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        action = getattr(view, "action", None)
        if action in (None, "metadata"):
            return True  # a method that the route does not serve: 405 follows
        return self.allows(request.user, getattr(view, "permissions", {}).get(action))

    @staticmethod
    def allows(user: Any, rule: str | None) -> bool:
        if rule == ANYONE or (is_open_to_guests(rule) and not user.is_authenticated):
            return True
        if not user.is_authenticated or rule is None:
            return False
        return rule == SIGNED_IN or user.has_perm(rule.removeprefix(_GUESTS_OR))
