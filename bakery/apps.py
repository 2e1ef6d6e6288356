"""The kernel as an app: after every migrate it has each app put its indispensable rows in place."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.module_loading import module_has_submodule


class BakeryConfig(AppConfig):
    name = "bakery"
    default = True

    def ready(self) -> None:
        from bakery import checks  # noqa: F401  # registers the checks

        post_migrate.connect(put_in_place, dispatch_uid="put-in-place")


class BackOfficeConfig(SimpleAdminConfig):
    """Django's admin, whose pages are loaded with the routes: to every command they would cost half a second."""

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(**asked: Any) -> list[checks.CheckMessage]:
    """Django's check of the admin; of pages that nobody has loaded it would find no fault."""
    admin.autodiscover()
    found: list[checks.CheckMessage] = check_admin_app(**asked)
    return found


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


def offered(room: str, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield (label, function) for each app that offers `name` in its module `room`, such as `tick` in `services`."""
    for config in apps.get_app_configs():
        if config.module and module_has_submodule(config.module, room):
            function = getattr(import_module(f"{config.name}.{room}"), name, None)
            if function:
                yield config.label, function
