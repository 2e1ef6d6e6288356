"""How often a caller may ask. None of it applies with THROTTLING=off."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bakery import clock
from bakery.models import RateCounter

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Limit(NamedTuple):
    """At most `uses` of `name` per `window` and address."""

    name: str
    uses: int
    window: timedelta
    guests_only: bool = False

    def seconds_to_wait(self, address: str) -> int:
        """Count one more use from `address`; return 0 where it is allowed, else when to come back."""
        if not settings.THROTTLING:
            return 0
        uses, seconds = RateCounter.objects.hit(f"{self.name}:{address}", window=self.window, now=clock.now())
        return seconds if uses > self.uses else 0


class ActionThrottle(BaseThrottle):
    """Hold `view.limits`: {action: Limit}, counted in the database and so right over all processes."""

    seconds_left = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        limit: Limit | None = getattr(view, "limits", {}).get(getattr(view, "action", None))
        if limit is None or (limit.guests_only and request.user.is_authenticated):
            return True
        self.seconds_left = limit.seconds_to_wait(request.META.get("REMOTE_ADDR", ""))
        return not self.seconds_left

    def wait(self) -> float:
        return self.seconds_left


class CallerThrottle(BaseThrottle):
    """Hold each caller to 600 requests a minute, counted in the cache: per process, or over all with Redis."""

    most: ClassVar[int] = 600
    seconds_left = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not settings.THROTTLING:
            return True
        user = request.user
        caller = f"user:{user.pk}" if user.is_authenticated else request.META.get("REMOTE_ADDR", "")
        minute, second = divmod(int(clock.now().timestamp()), 60)
        self.seconds_left = 60 - second
        key = f"calls:{caller}:{minute}"
        cache.add(key, 0, timeout=120)
        try:
            return cache.incr(key) <= self.most
        except ValueError:  # evicted between the two lines
            return True

    def wait(self) -> float:
        return self.seconds_left
