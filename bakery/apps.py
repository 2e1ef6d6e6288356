"""The kernel as an app: after every migrate it has each app put its indispensable rows in place."""

from typing import Any

from django.apps import AppConfig, apps
from django.db import connections
from django.db.models.signals import post_migrate


class BakeryConfig(AppConfig):
    name = "bakery"

    def ready(self) -> None:
        from bakery import checks  # noqa: F401  # registers the checks

        post_migrate.connect(put_in_place, dispatch_uid="put-in-place")


def put_in_place(app_config: AppConfig, using: str, **_: Any) -> None:
    """Once the last app is migrated: triggers, and each app's `after_migrate()` (roles, VAT class, register …).

    Not before, since the permissions of later apps do not exist yet; not while tables are missing, as after
    `migrate some_app`. Flushes of test databases come by here as well.
    """
    from bakery.db import make_triggers  # models are not ready when this module is loaded

    configs = list(apps.get_app_configs())
    if app_config is not configs[-1]:
        return
    there = set(connections[using].introspection.table_names())
    if any(model._meta.db_table not in there for model in apps.get_models() if model._meta.managed):
        return
    make_triggers(using)
    for config in configs:
        if hasattr(config, "after_migrate"):
            config.after_migrate()
