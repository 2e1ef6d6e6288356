"""Who went over the rules, in the back office."""

from django.contrib import admin

from bakery.admin import ReadOnlyAdmin
from orders.models import Override


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ["event__at", "event__user", "event__order", "over", "reason"]
    list_display_links = ["event__at"]
    list_select_related = ["event__order", "event__user"]
    list_filter = ["event__user"]
    date_hierarchy = "event__at"
    ordering = ["-pk"]
    search_fields = ["event__order__code", "reason"]
    search_help_text = "Code of the order, or reason"
    fields = ["event", "reason", "over"]

    @admin.display(description="over")
    def over(self, override: Override) -> str:
        return override.told
