import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bakery.settings")
application = get_wsgi_application()
# All views and pages, before workers are forked: each would load them for itself at its first request.
get_resolver().url_patterns  # noqa: B018
