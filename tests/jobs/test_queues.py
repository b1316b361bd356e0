"""What stands in Redis, who may put it there, and what happens when it is gone. With a real server."""

from __future__ import annotations

import base64
import json
import logging
import time
import zlib
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, text

from feedback.intake.submission import submit_ticket
from feedback.jobs import relay
from feedback.jobs.queues import EVENTS, FAILED_KEPT_SECONDS, QUEUES, TASKS, ListedJob, Queues
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import DELIVERY_LEASE, EVENT_LEASE, Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.models import Notice
from tests.jobs.conftest import Valkey
from tests.support.county import County

MARKER = "Zq7xB2kW9pLm4TnR8vYc"


def submit(county: County) -> str:
    words = {"text": f"The lamp is dark. {MARKER}", "category": "water", "privacy": "confidential"}
    return submit_ticket(words, actor=county.actor("s"), now=utc_now()).reference


def work(app: Flask, *names: str) -> None:
    """Empty the queues in this process, as a worker would."""
    found: Queues = app.extensions["queues"]
    queues = [found.queue(name) for name in names or QUEUES]
    SimpleWorker(queues, connection=found.connection, serializer=JSONSerializer, job_class=ListedJob).work(burst=True)


def notices() -> int:
    return current_session().scalar(select(func.count()).select_from(Notice)) or 0


def test_submission_puts_one_job_for_its_events_and_a_worker_tells_them(queued_app: Flask, county: County) -> None:
    submit(county)
    assert queued_app.extensions["queues"].waiting()[EVENTS] == 1
    work(queued_app)
    assert notices() == 4
    assert queued_app.extensions["queues"].failed() == dict.fromkeys(QUEUES, 0)


def test_burst_of_submissions_puts_few_jobs_and_all_are_told(queued_app: Flask, county: County) -> None:
    for _ in range(6):
        submit(county)
    assert queued_app.extensions["queues"].waiting()[EVENTS] == relay.BURST
    work(queued_app)
    assert notices() == 24
    assert set(current_session().scalars(select(Outbox.state))) == {"done"}


def test_every_kind_of_job_holds_ids_in_json_and_nothing_else(
    queued_app: Flask, county: County, valkey: Valkey
) -> None:
    submit(county)
    queues: Queues = queued_app.extensions["queues"]
    for task in TASKS:
        assert queues.put(task, [7] if task in ("deliver", "send") else [])
    redis: Any = queues.connection
    keys = list(redis.scan_iter("rq:job:*"))
    assert len(keys) == 1 + len(TASKS)
    functions = set()
    for key in keys:
        fields = redis.hgetall(key)
        raw = fields[b"data"]
        data = zlib.decompress(raw) if raw[:1] == b"x" else raw
        function, instance, args, kwargs = json.loads(data)
        functions.add(function)
        assert instance is None
        assert all(isinstance(arg, int) for arg in args)
        assert kwargs == {}
        assert MARKER.encode() not in b"".join(fields.values()) + data
        assert not fields[b"description"].strip(b"abcdefghijklmnopqrstuvwxyz_0123456789 ")
        assert 0 < redis.ttl(key) <= 24 * 3600
        assert fields[b"result_ttl"] == b"0"
        assert int(fields[b"failure_ttl"]) == FAILED_KEPT_SECONDS
        assert int(fields[b"timeout"]) > 0
    assert functions == {task.function for task in TASKS.values()}


def test_job_that_somebody_else_wrote_into_redis_runs_nothing(queued_app: Flask, tmp_path_factory: object) -> None:
    queues: Queues = queued_app.extensions["queues"]
    marker = queued_app.config["SETTINGS"].instance_dir / "was-run"
    queue = queues.queue(EVENTS)
    queue.enqueue("os.mkdir", str(marker))
    job = Job.create("feedback.jobs.tasks.deliver", args=(1,), connection=queues.connection, serializer=JSONSerializer)
    job._success_callback_name = "os.mkdir"
    queue.enqueue_job(job)
    work(queued_app)
    assert not marker.exists()
    assert queues.failed() == {**dict.fromkeys(QUEUES, 0), EVENTS: 1}


def test_failed_job_leaves_no_words_of_a_ticket_in_redis_nor_in_the_log(
    queued_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE outbox RENAME TO gone"))
    queues: Queues = queued_app.extensions["queues"]
    queues.queue(EVENTS).enqueue("feedback.jobs.tasks.deliver", MARKER)
    work(queued_app, EVENTS)
    redis: Any = queues.connection
    assert queues.failed() == {**dict.fromkeys(QUEUES, 0), EVENTS: 1}
    (result,) = redis.scan_iter("rq:results:*")
    kept = zlib.decompress(base64.b64decode(redis.xrange(result)[0][1][b"exc_string"]))
    assert b"TaskFailed: deliver: OperationalError" in kept
    assert MARKER.encode() not in kept
    assert MARKER not in "".join(str(r.exc_text) for r in caplog.records if r.name.startswith("feedback"))


def test_submitting_with_redis_away_works_at_once_and_its_notices_go_out_when_it_is_back(
    queued_app: Flask, county: County, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    valkey.stop()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="feedback.jobs.relay"):
        for _ in range(3):
            submit(county)
    assert time.monotonic() - began < 3
    assert len(caplog.records) <= 1
    assert relay.enqueue_due(utc_now() + timedelta(seconds=10)) == 0
    valkey.start()
    time.sleep(2.1)
    assert relay.enqueue_due(utc_now() + timedelta(seconds=10)) == 6
    work(queued_app)
    assert notices() == 12


def test_flushed_redis_loses_no_notice_and_doubles_none(queued_app: Flask, county: County) -> None:
    for _ in range(5):
        submit(county)
    queues: Queues = queued_app.extensions["queues"]
    queues.connection.flushall()
    later = utc_now() + timedelta(seconds=10)
    assert relay.enqueue_due(later) == 10
    assert relay.enqueue_due(later) == 10
    work(queued_app)
    assert notices() == 20
    assert current_session().scalars(select(Outbox.attempts)).all() == [1] * 10
    assert relay.enqueue_due(later) == 0


def test_relay_adds_nothing_to_a_queue_that_is_being_worked_off(queued_app: Flask, county: County) -> None:
    submit(county)
    queues: Queues = queued_app.extensions["queues"]
    queues.put("deliver", list(range(1000, 1400)))
    assert relay.enqueue_due(utc_now() + timedelta(seconds=10)) == 0


def test_periodic_job_is_not_put_twice_while_one_waits(queued_app: Flask) -> None:
    queues: Queues = queued_app.extensions["queues"]
    for _ in range(3):
        assert queues.put_unless_waiting("sweep")
        assert queues.put_unless_waiting("relay_due")
        assert queues.put_unless_waiting("purge")
    assert queues.waiting() == {"sweep": 1, "events": 0, "mail": 0, "chores": 2}


def test_no_job_outlives_the_lease_under_which_it_works() -> None:
    assert TASKS["deliver"].seconds < EVENT_LEASE.total_seconds()
    assert TASKS["send"].seconds < DELIVERY_LEASE.total_seconds()


def test_process_that_redis_failed_does_not_wait_for_it_again_for_a_while(app: Flask) -> None:
    queues = Queues("redis://127.0.0.1:1/0")
    assert not queues.put("sweep")
    began = time.monotonic()
    assert not any(queues.put("sweep") for _ in range(1000))
    assert time.monotonic() - began < 0.5
    assert queues.waiting() is None
