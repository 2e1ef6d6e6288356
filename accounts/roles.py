"""The one table that says which permissions a role has. `migrate` keeps the groups in step with it."""

from django.contrib.auth.models import Group, Permission

from accounts.models import Role

_EVERYTHING_OF = ("bakery", "products", "orders", "production", "chat")

PERMISSIONS: dict[str, tuple[str, ...]] = {
    # A customer sees and changes their own orders only: OrderQuerySet.visible_to.
    Role.CUSTOMER: (
        "orders.add_order",
        "orders.change_order",
        "orders.cancel_order",
        "orders.view_own_standingorder",
    ),
    Role.CASHIER: (
        "products.view_product",
        "products.view_category",
        "products.view_pricechange",
        "orders.view_order",
        "orders.add_order",
        "orders.change_order",
        "orders.confirm_order",
        "orders.hand_over_order",
        "orders.cancel_order",
        "orders.make_sale",
        "orders.view_payment",
        "orders.add_payment",
        "orders.view_standingorder",
        "orders.view_own_standingorder",
        "production.view_bakingplan",
        "cashbook.view_register",
        "cashbook.view_cashentry",
        "cashbook.add_cashentry",
        "cashbook.view_cashsession",
        "cashbook.add_cashsession",
        "cashbook.change_cashsession",
        "cashbook.view_monthlyclosing",
        "chat.view_message",
        "chat.add_message",
    ),
    Role.BAKER: (
        "products.view_product",
        "products.view_category",
        "products.view_pricechange",
        "orders.view_order",
        "orders.view_payment",
        "orders.bake_order",
        "production.view_bakingplan",
        "production.record_production",
        "production.view_production_report",
        "chat.view_message",
        "chat.add_message",
    ),
    Role.DRIVER: (
        "products.view_product",
        "products.view_category",
        "products.view_pricechange",
        "orders.view_delivery",
        "orders.deliver_order",
        "orders.view_payment",
        "orders.add_payment",
        "chat.view_message",
        "chat.add_message",
    ),
    Role.MANAGER: (
        *(f"{app}.*" for app in _EVERYTHING_OF),
        "cashbook.view_register",
        "cashbook.add_register",
        "cashbook.change_register",
        "cashbook.view_cashentry",
        "cashbook.add_cashentry",
        "cashbook.view_cashsession",
        "cashbook.add_cashsession",
        "cashbook.change_cashsession",
        "cashbook.view_cash_report",
        "cashbook.view_zreport",
        "cashbook.view_monthlyclosing",
        "accounts.view_user",
        "accounts.add_user",
        "accounts.change_user",
    ),
    Role.ADMIN: (
        *(f"{app}.*" for app in (*_EVERYTHING_OF, "cashbook", "accounts", "auth")),
        "django_tasks_database.*",
    ),
}


def synchronise() -> None:
    """Make a group for each role, with exactly the permissions of the table. Raises LookupError for a misspelt one."""
    for role, permissions in wanted().items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(permissions)


def wanted() -> dict[str, list[Permission]]:
    """Return the permissions of each role as the table has them. Raises LookupError for a misspelt one."""
    known = {f"{p.content_type.app_label}.{p.codename}": p for p in Permission.objects.select_related("content_type")}
    return {role: _matching(patterns, known) for role, patterns in PERMISSIONS.items()}


def _matching(patterns: tuple[str, ...], known: dict[str, Permission]) -> list[Permission]:
    found = []
    for pattern in patterns:
        head = pattern.removesuffix("*")
        matches = [p for name, p in known.items() if name == pattern or (head != pattern and name.startswith(head))]
        if not matches:
            raise LookupError(f"accounts/roles.py names the permission {pattern}, which does not exist.")
        found += matches
    return found
