from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def after_migrate(self) -> None:
        from accounts import roles  # models are not ready when this module is loaded

        roles.synchronise()
