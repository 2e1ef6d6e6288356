"""Redis, and a shop that goes on without it."""

import shutil
import subprocess
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from bakery import cache
from tests.server import free_port
from tests.waiting import wait_until


@pytest.fixture
def redis(tmp_path):
    """(address, start): a Redis server that is not running yet."""
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("redis-server is not installed")
    port = free_port()
    processes = []

    def start():
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        store = cache.ForgivingRedisCache(f"redis://127.0.0.1:{port}/0", {})
        wait_until(lambda: answers(store))
        return processes[-1]

    yield f"redis://127.0.0.1:{port}/0", start
    for process in processes:
        process.kill()
        process.wait()


def answers(store):
    cache._Forgiving.away_until = 0
    store.set("there", 1)
    return store.get("there") == 1


def test_without_redis_everything_is_a_miss():
    store = cache.ForgivingRedisCache(f"redis://127.0.0.1:{free_port()}/0", {})

    assert store.get("a") is None
    assert store.get("a", "default") == "default"
    store.add("a", 1)
    assert store.get_many(["a"]) == {}
    assert store.has_key("a") is False
    assert store.get_or_set("a", lambda: 7) == 7
    with pytest.raises(ValueError, match="not found"):
        store.incr("a")
    store.set("a", 1)
    store.clear()


def test_a_shop_whose_redis_is_away_answers_and_says_so(client, db, settings):
    settings.THROTTLING = True
    settings.CACHES = {
        "default": {"BACKEND": "bakery.cache.ForgivingRedisCache", "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}
    }

    assert client.get("/api/products").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["cache"]) == (503, "does not keep what it is given")


def test_redis_is_used_while_it_is_there_and_again_when_it_is_back(redis, monkeypatch):
    address, start = redis
    process = start()
    store = cache.ForgivingRedisCache(address, {})
    store.set("bread", {"price": "1.30"})
    assert store.get("bread") == {"price": "1.30"}
    store.add("count", 0)
    assert store.incr("count") == 1

    process.kill()
    process.wait()
    assert store.get("bread") is None
    moment = SimpleNamespace(monotonic=lambda: cache._Forgiving.away_until - 1)
    with monkeypatch.context() as patch, capture_logs() as told:
        patch.setattr(cache, "time", moment)
        assert [store.get("bread") for _ in range(1000)] == [None] * 1000
    assert told == []  # it is left alone, not asked a thousand times

    start()
    assert answers(store)
