from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def after_migrate(self) -> None:
        from chat.models import GENERAL, Channel  # models are not ready when this module is loaded

        Channel.objects.get_or_create(slug=GENERAL, defaults={"name": "General"})
