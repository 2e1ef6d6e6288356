"""Mistakes in the configuration, told by `manage.py check`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def hosts_are_named(**_: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS=* lets anyone poison links in e-mails."""
    if "*" in settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS must name the hosts; * is refused.", id="bakery.E001")]
    return []
