"""What the clock makes due, the command that does it, and the worker that calls it."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bakery import clock, routines
from bakery.management.commands.worker import TICK_EVERY
from bakery.models import IdempotencyKey, Routine
from tests.waiting import PATIENCE

HOUR = timedelta(hours=1)


@pytest.mark.django_db
def test_a_routine_is_claimed_by_one_process_only():
    now = clock.now()

    assert Routine.objects.claim("bake", every=HOUR, now=now)
    assert not Routine.objects.claim("bake", every=HOUR, now=now)


@pytest.mark.django_db
def test_a_routine_is_due_again_after_its_time():
    now = clock.now()
    Routine.objects.claim("bake", every=HOUR, now=now)
    Routine.objects.release("bake", done_at=now)

    assert not Routine.objects.claim("bake", every=HOUR, now=now + timedelta(minutes=59))
    assert Routine.objects.claim("bake", every=HOUR, now=now + HOUR)


@pytest.mark.django_db
def test_a_routine_whose_process_died_is_due_again_after_ten_minutes():
    now = clock.now()
    Routine.objects.claim("bake", every=HOUR, now=now)

    assert not Routine.objects.claim("bake", every=HOUR, now=now + timedelta(minutes=9))
    assert Routine.objects.claim("bake", every=HOUR, now=now + timedelta(minutes=10))


@pytest.mark.django_db
def test_a_clock_that_was_wrong_holds_nothing_up():
    now = clock.now()
    Routine.objects.create(name="bake", done_at=now + timedelta(days=400), busy_until=now + timedelta(days=400))

    assert Routine.objects.claim("bake", every=HOUR, now=now)


@pytest.mark.django_db
def test_a_tick_forgets_old_keys_and_may_run_twice():
    key = IdempotencyKey.objects.create(caller="guest", key="k", path="/", body_hash="")
    IdempotencyKey.objects.filter(pk=key.pk).update(created_at=clock.now() - timedelta(days=3))

    call_command("tick")
    call_command("tick")

    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_a_failing_routine_is_named_stops_no_other_and_stays_due(monkeypatch):
    def burn(now):
        raise RuntimeError("burnt")

    done = []
    steps = [routines.Step("burn", HOUR, burn), routines.Step("bake", HOUR, done.append)]
    monkeypatch.setattr(routines, "steps", lambda: iter(steps))

    with pytest.raises(CommandError, match="burn"):
        call_command("tick")

    assert len(done) == 1
    assert Routine.objects.get(name="burn").done_at is None
    assert Routine.objects.get(name="burn").busy_until is None
    assert Routine.objects.get(name="bake").done_at is not None


@pytest.mark.servers
def test_the_worker_runs_a_new_job_within_seconds_and_ends_cleanly_on_sigterm(tmp_path):
    environment = os.environ | {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "bakery.settings",
    }
    manage = [sys.executable, str(Path(__file__).parent.parent / "manage.py")]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
    with subprocess.Popen([*manage, "worker"], env=environment, stderr=subprocess.PIPE, text=True) as worker:
        try:
            assert "worker started" in worker.stderr.readline()
            enqueue = "from tests.test_ops_jobs import note; note.enqueue(7)"
            subprocess.run([*manage, "shell", "-v0", "-c", enqueue], env=environment, check=True)
            enqueued = time.monotonic()
            assert any("job done" in line for line in worker.stderr)
            # It did not wait for the next tick.
            assert time.monotonic() - enqueued < TICK_EVERY / 2

            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=PATIENCE) == 0
            assert "worker ended" in worker.stderr.read()
        finally:
            worker.kill()
