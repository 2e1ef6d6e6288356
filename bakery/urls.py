"""The composition root: the only module that knows every app's routes."""

from django.contrib import admin
from django.urls import include, path

from bakery.api.documents import DocumentViewSet
from bakery.health import healthz, readyz
from bakery.metrics import MetricsViewSet

handler404 = "bakery.api.exceptions.not_found"
handler500 = "bakery.api.exceptions.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", MetricsViewSet.as_view({"get": "show"}), name="metrics"),
    path("admin/", admin.site.urls),
    path("api/schema", DocumentViewSet.as_view({"get": "openapi"}), name="schema"),
    path("api/docs", DocumentViewSet.as_view({"get": "docs"}), name="docs"),
    path("api/", include("accounts.urls")),
    path("api/", include("products.urls")),
    path("api/", include("cashbook.urls")),
    path("api/", include("chat.urls")),
    path("api/", include("orders.urls")),
    path("api/", include("production.urls")),
    path("api/", include("reports.urls")),
]
