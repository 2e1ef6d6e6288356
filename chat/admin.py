"""The chat in the back office: to be read, not rewritten."""

from django.contrib import admin
from django.http import HttpRequest

from bakery.admin import ModelAdmin, ReadOnlyAdmin
from chat.models import Channel, Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "channel", "user", "text"]
    list_filter = ["channel", "created_at"]
    list_select_related = ["channel", "user"]
    search_fields = ["text", "user__username"]
    ordering = ["-pk"]


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):
    list_display = ["name", "slug", "created_at"]
    search_fields = ["name", "slug"]

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[str]:
        return ["slug"] if obj else []  # clients know a channel by it

    def get_prepopulated_fields(self, request: HttpRequest, obj: Channel | None = None) -> dict[str, list[str]]:
        return {} if obj else {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        return False
