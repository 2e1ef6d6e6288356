"""The composition root: the only module that knows every app's routes."""

from pathlib import PurePosixPath

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path, re_path
from django.views.static import serve

from bakery.api.documents import DocumentViewSet
from bakery.api.shop import ShopViewSet
from bakery.health import healthz, readyz
from bakery.metrics import MetricsViewSet
from bakery.storage import FOR_GOOD, PICTURES

admin.autodiscover()  # here and not at every start: see BackOfficeConfig

handler400 = "bakery.api.exceptions.bad_request"
handler404 = "bakery.api.exceptions.not_found"
handler500 = "bakery.api.exceptions.server_error"


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Pictures of products: each was drawn anew by us under a random name, so that none can hold a script.

    What is there under such a name never changes.
    """
    if PurePosixPath(path).suffix not in PICTURES:
        raise Http404
    try:
        answer = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    except SuspiciousFileOperation as error:
        raise Http404 from error
    answer["Cache-Control"] = FOR_GOOD
    return answer


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", MetricsViewSet.as_view({"get": "show"}), name="metrics"),
    path("media/<path:path>", media, name="media"),
    path("admin/", admin.site.urls),
    re_path("^api/schema/?$", DocumentViewSet.as_view({"get": "openapi"}), name="schema"),
    re_path("^api/docs/?$", DocumentViewSet.as_view({"get": "docs"}), name="docs"),
    re_path("^api/shop/?$", ShopViewSet.as_view({"get": "show"}), name="shop"),
    path("api/", include("accounts.urls")),
    path("api/", include("products.urls")),
    path("api/", include("cashbook.urls")),
    path("api/", include("chat.urls")),
    path("api/", include("orders.urls")),
    path("api/", include("production.urls")),
    path("api/", include("reports.urls")),
]
