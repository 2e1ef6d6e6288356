"""Redis as a cache that may go away: then everything is a miss, and the shop goes on."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger("bakery.cache")


class _Forgiving:
    """Ask Redis once and for a second at most; where it does not answer, keep nothing for five seconds."""

    away_until: ClassVar[float] = 0

    def __init__(self, servers: list[str]) -> None:
        patience: dict[str, Any] = {
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
            "retry": Retry(NoBackoff(), 0),
        }
        self._redis = RedisCacheClient(servers, **patience)
        self._nothing = DummyCache("", {})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any) -> Any:
            if time.monotonic() >= _Forgiving.away_until:
                try:
                    return getattr(self._redis, name)(*args)
                except RedisError as error:
                    _Forgiving.away_until = time.monotonic() + 5
                    log.warning("the cache is away", error=str(error))
            return getattr(self._nothing, name)(*args)

        return ask


class ForgivingRedisCache(RedisCache):
    """Django's Redis backend with that client."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Forgiving
