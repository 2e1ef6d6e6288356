"""Figures for Prometheus: how many requests of which kind took how long, and how the jobs stand."""

import os
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from bakery.api.authentication import BearerAuthentication
from bakery.api.negotiation import AnyAccept
from bakery.models import Routine

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Histogram(
    "bakery_request_seconds",
    "Time until a request was answered.",
    ["method", "view", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def count(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Count a finished request. No label holds what a stranger may choose, or their number would have no bound."""
    match = request.resolver_match
    REQUESTS.labels(
        method=request.method if request.method in _METHODS else "other",
        view=(match.view_name or match.route) if match else "none",
        status=response.status_code,
    ).observe(seconds)


class Stored(Collector):
    """What the database tells of background jobs and backups, asked for when somebody looks."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        try:
            counts = dict(DBTaskResult.objects.order_by().values_list("status").annotate(Count("pk")))
            backup = Routine.objects.filter(name="backup").first()
        except DatabaseError:
            return  # the other figures are wanted most just now
        jobs = GaugeMetricFamily("bakery_jobs", "Background jobs by their state.", labels=["status"])
        for status in TaskResultStatus.values:
            jobs.add_metric([status.lower()], counts.get(status, 0))
        yield jobs
        if backup and backup.done_at:
            about = "When the last backup was made."
            yield GaugeMetricFamily("bakery_last_backup_timestamp_seconds", about, backup.done_at.timestamp())


class Scraper(AnonymousUser):
    """Whoever shows METRICS_TOKEN: signed in, and allowed this one thing."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm == MetricsViewSet.permissions["show"]


class ScraperAuthentication(BearerAuthentication):
    """METRICS_TOKEN is as good as an administrator's token."""

    def authenticate(self, request: Request) -> Any:
        expected = f"Bearer {settings.METRICS_TOKEN}"
        if settings.METRICS_TOKEN and constant_time_compare(request.headers.get("Authorization", ""), expected):
            return Scraper(), None
        return super().authenticate(request)


@extend_schema(exclude=True)
class MetricsViewSet(ViewSet):
    authentication_classes = [ScraperAuthentication]
    content_negotiation_class = AnyAccept
    # What only administrators may: to look at the machinery.
    permissions: ClassVar[dict[str, str]] = {"show": "django_tasks_database.view_dbtaskresult"}

    def show(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        registry.register(Stored())
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            body = generate_latest(registry)
        else:
            body = generate_latest(REGISTRY) + generate_latest(registry)
        return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
