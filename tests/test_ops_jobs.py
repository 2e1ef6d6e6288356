"""Background jobs: done once, tried again after a failure, given up in the end, found again after a crash."""

from datetime import timedelta

import pytest
from django.db import transaction
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from bakery import clock, jobs

pytestmark = pytest.mark.django_db

calls: list[int] = []
failures: list[Exception] = []


@jobs.job()
def note(number: int) -> None:
    if failures:
        raise failures[0]
    calls.append(number)


@jobs.job(keep_trying=timedelta(seconds=15))
def short_lived() -> None:
    raise ConnectionError("no mail server")


@pytest.fixture(autouse=True)
def _fresh(time_machine):
    time_machine.move_to(clock.now(), tick=False)  # what is due in ten seconds is not due yet
    calls.clear()
    failures.clear()


def the_row():
    return DBTaskResult.objects.get()


def test_a_job_runs_once():
    note.enqueue(7)

    assert jobs.run_due() == 1
    assert jobs.run_due() == 0
    assert calls == [7]
    assert the_row().status == TaskResultStatus.SUCCESSFUL


def test_a_job_of_a_transaction_that_failed_is_not_there():
    @transaction.atomic
    def order_that_fails():
        note.enqueue(7)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        order_that_fails()

    assert jobs.run_due() == 0
    assert calls == []


def test_a_failed_job_waits_and_is_tried_again():
    failures.append(ConnectionError("no mail server"))
    note.enqueue(7)
    jobs.run_due()

    row = the_row()
    assert row.status == TaskResultStatus.READY
    assert row.run_after == clock.now() + timedelta(seconds=10)
    assert row.exception_class_path == "builtins.ConnectionError"
    assert jobs.run_due() == 0

    failures.clear()
    DBTaskResult.objects.update(run_after=clock.now())
    assert jobs.run_due() == 1
    assert calls == [7]
    assert the_row().exception_class_path == ""


def test_one_failing_job_does_not_hold_up_the_others():
    short_lived.enqueue()
    note.enqueue(7)

    assert jobs.run_due() == 2
    assert calls == [7]


def test_pauses_double_up_to_an_hour():
    assert [jobs.pause_after(attempt).total_seconds() for attempt in (1, 2, 3, 9, 10, 500)] == [
        10, 20, 40, 2560, 3600, 3600,
    ]  # fmt: skip


def test_a_job_whose_time_is_over_is_given_up():
    short_lived.enqueue()
    jobs.run_due()
    assert the_row().status == TaskResultStatus.READY

    DBTaskResult.objects.update(run_after=clock.now(), enqueued_at=clock.now() - timedelta(seconds=10))
    jobs.run_due()

    row = the_row()
    assert row.status == TaskResultStatus.FAILED
    assert "no mail server" in row.traceback


def test_a_job_that_this_release_does_not_know_is_kept_for_one_that_does():
    note.enqueue(7)
    DBTaskResult.objects.update(task_path="orders.tasks.of_the_next_release")

    jobs.run_due()

    assert the_row().status == TaskResultStatus.READY


def running(started_ago, enqueued_ago=timedelta(hours=1)):
    note.enqueue(7)
    DBTaskResult.objects.update(
        status=TaskResultStatus.RUNNING,
        worker_ids=["gone"],
        started_at=clock.now() - started_ago,
        enqueued_at=clock.now() - enqueued_ago,
    )


def test_a_job_whose_worker_died_is_run_by_another():
    running(timedelta(minutes=11))

    assert jobs.revive(clock.now()) == 1
    jobs.run_due()
    assert calls == [7]


def test_a_job_that_is_still_running_is_left_alone():
    running(timedelta(minutes=9))

    assert jobs.revive(clock.now()) == 0
    assert the_row().status == TaskResultStatus.RUNNING


def test_a_job_that_keeps_killing_its_worker_is_given_up():
    running(timedelta(minutes=11), enqueued_ago=timedelta(days=4))

    jobs.revive(clock.now())
    assert the_row().status == TaskResultStatus.FAILED


def test_old_jobs_are_forgotten():
    for status, days in [("SUCCESSFUL", 8), ("SUCCESSFUL", 6), ("FAILED", 91), ("FAILED", 89), ("READY", 200)]:
        result = note.enqueue(days)
        DBTaskResult.objects.filter(pk=result.id).update(status=status, finished_at=clock.now() - timedelta(days=days))

    jobs.prune(clock.now())

    kept = DBTaskResult.objects.values_list("args_kwargs", flat=True)
    assert sorted(row["args"][0] for row in kept) == [6, 89, 200]
