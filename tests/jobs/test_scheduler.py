"""The scheduler goes on through outages of the database and of Redis, and stops when it is told to."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from feedback.intake.submission import submit_ticket
from feedback.jobs.queues import TASKS, Queues
from feedback.jobs.schedule import schedule
from feedback.jobs.scheduler import Scheduler
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.notifications.models import Notice
from feedback.sla.models import SweepRun
from feedback.supervision.heartbeat import read_heartbeat
from tests.jobs.conftest import Valkey
from tests.support.county import County


def eventually(look: Callable[[], object], seconds: float = 15.0) -> bool:
    until = time.monotonic() + seconds
    while not (answer := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return bool(answer)


def count_notices() -> int:
    session = current_session()
    found = session.scalar(select(func.count()).select_from(Notice)) or 0
    session.rollback()
    return found


def count_sweeps(by: str) -> int:
    session = current_session()
    found = session.scalar(select(func.count()).select_from(SweepRun).where(SweepRun.by == by)) or 0
    session.rollback()
    return found


@pytest.fixture
def scheduler(app: Flask) -> Scheduler:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], sweep_seconds=1)
    return Scheduler(app)


@pytest.fixture
def running(scheduler: Scheduler) -> Iterator[Scheduler]:
    """It goes round in a thread of its own."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(scheduler.run()))
    thread.start()
    yield scheduler
    scheduler.stopping.set()
    thread.join(20)
    assert codes == [0]


def rename(former: str, new: str) -> None:
    with transaction() as session:
        session.execute(text(f"ALTER TABLE {former} RENAME TO {new}"))


def test_scheduler_goes_on_when_the_database_is_back(running: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="feedback.jobs.scheduler"):
        rename("sweep_run", "gone")
        assert eventually(lambda: "a round failed" in caplog.text)
    rename("gone", "sweep_run")
    assert eventually(lambda: count_sweeps("scheduler") >= 2, 30)


def test_scheduler_sweeps_and_tells_by_itself_while_redis_is_away(running: Scheduler, county: County) -> None:
    words = {"text": "The lamp is dark.", "category": "water"}
    submit_ticket(words, actor=county.actor("s"), now=utc_now() - timedelta(seconds=30))
    assert eventually(lambda: count_notices() == 4)
    assert eventually(lambda: count_sweeps("scheduler") >= 1)
    heartbeat = read_heartbeat(running.settings.instance_dir)
    assert heartbeat is not None
    assert utc_now() - heartbeat < timedelta(seconds=10)


def test_scheduler_puts_each_periodic_job_once_and_again_after_redis_forgot_it(
    app: Flask, valkey: Valkey, scheduler: Scheduler
) -> None:
    queues = Queues(valkey.url)
    scheduler.queues = queues
    now = utc_now()
    for _ in range(3):
        scheduler.go_round(now)
    chores = sum(TASKS[periodic.task].queue == "chores" for periodic in schedule(1))
    assert queues.waiting() == {"sweep": 1, "events": 0, "mail": 0, "chores": chores}
    queues.connection.flushall()
    time.sleep(1.1)
    scheduler.go_round(now)
    assert queues.waiting() == {"sweep": 1, "events": 0, "mail": 0, "chores": 1}


def test_every_periodic_task_is_one_that_jobs_may_run() -> None:
    assert {periodic.task for periodic in schedule(5)} <= set(TASKS)
    assert min(periodic.every_seconds for periodic in schedule(5)) == 5
