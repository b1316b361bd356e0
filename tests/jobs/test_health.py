"""What machines and operators are told of the background parts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text, update

from feedback.intake.submission import submit_ticket
from feedback.jobs.queues import Queues
from feedback.jobs.retention import purge_expired
from feedback.kernel import outbox
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.idempotency import IdempotencyKey
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.people.tokens import IssueToken, issue_token
from feedback.sla.models import SweepRun
from feedback.supervision.escalation import run_sweep
from feedback.supervision.heartbeat import is_alive, write_heartbeat
from tests.jobs.conftest import Valkey
from tests.support.county import County


def add_sweep(seconds_ago: float, by: str = "worker") -> None:
    at = utc_now() - timedelta(seconds=seconds_ago)
    with transaction() as session:
        session.add(SweepRun(started_at=at, finished_at=at, by=by))


def test_site_is_ready_when_database_redis_and_sweeps_are_there(queued_app: Flask, valkey: Valkey) -> None:
    client = queued_app.test_client()
    assert client.get("/healthz").json == {"status": "alive"}
    first = client.get("/readyz")
    assert first.status_code == 503
    assert first.json == {
        "status": "not ready",
        "database": "up",
        "redis": "up",
        "scheduler": {"ok": False, "last_sweep_at": None, "by": None},
    }
    add_sweep(1)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json and ready.json["status"]) == (200, "ready")
    valkey.stop()
    away = client.get("/readyz")
    assert away.status_code == 503
    assert away.json is not None
    assert (away.json["database"], away.json["redis"], away.json["scheduler"]["ok"]) == ("up", "away", True)


def test_site_is_not_ready_when_the_database_is_gone(queued_app: Flask) -> None:
    add_sweep(1)
    with transaction() as session:
        session.execute(text("ALTER TABLE sweep_run RENAME TO gone"))
    answer = queued_app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"] == "down"
    assert queued_app.test_client().get("/healthz").status_code == 200


@pytest.mark.parametrize(("seconds_ago", "expected"), [(29, True), (31, False), (-50, True), (-3600, False)])
def test_sweep_counts_as_life_for_three_intervals_and_a_grace_but_not_one_of_the_future(
    app: Flask, seconds_ago: float, expected: bool
) -> None:
    add_sweep(seconds_ago)
    assert is_alive(current_session(), utc_now(), 5) is expected


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, 404),
        ("10.1.2.3", {"Authorization": "Bearer zd_nonsense"}, 404),
        ("127.0.0.1", {"Authorization": "Bearer zd_nonsense"}, 404),
        ("127.0.0.1", {"Cookie": "zhida=somebody"}, 404),
    ],
)
def test_metrics_are_for_this_machine(app: Flask, address: str, headers: dict[str, str], status: int) -> None:
    answer = app.test_client(use_cookies=False).get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert (b"zhida_requests" in answer.data) is (status == 200)


def test_metrics_open_with_an_admins_token_and_with_no_other(county: County, app: Flask) -> None:
    now = utc_now()
    for login, scopes, status in (("adm", ["admin"], 200), ("adm", ["read"], 404), ("hw", ["read"], 404)):
        issued = issue_token(
            IssueToken.parse({"login": login, "scopes": scopes}), actor=county.actor("adm", now), now=now
        )
        for address in ("10.1.2.3", "127.0.0.1"):
            answer = app.test_client().get(
                "/metrics",
                headers={"Authorization": f"Bearer {issued.token}"},
                environ_base={"REMOTE_ADDR": address},
            )
            assert answer.status_code == status, (login, scopes, address)


def test_metrics_count_what_waits(county: County, app: Flask) -> None:
    submit_ticket({"text": "The lamp is dark.", "category": "water"}, actor=county.actor("s"), now=utc_now())
    shown = app.test_client().get("/metrics").get_data(as_text=True)
    assert 'zhida_outbox{state="new",what="events"} 2.0' in shown
    assert 'zhida_tickets{status="dispatched"} 1.0' in shown


def test_metrics_say_how_late_alarms_come_and_since_when_one_waits(county: County, app: Flask) -> None:
    began = utc_now() - timedelta(days=2)
    words = {"text": "The lamp is dark.", "category": "water", "urgency": "urgent"}
    submit_ticket(words, actor=county.actor("s", began), now=began)
    waits = _gauge(app, "zhida_alarm_waiting_seconds")
    assert waits > 24 * 3600
    assert _gauge(app, "zhida_alarm_lag_seconds") == 0
    run_sweep(utc_now())
    assert _gauge(app, "zhida_alarm_waiting_seconds") == 0
    assert 60 < _gauge(app, "zhida_alarm_lag_seconds") < waits


def _gauge(app: Flask, name: str) -> float:
    shown = app.test_client().get("/metrics").get_data(as_text=True)
    return float(next(line.split()[1] for line in shown.splitlines() if line.startswith(f"{name} ")))


def test_operator_sees_queues_what_was_given_up_and_the_last_sweep(queued_app: Flask, county: County) -> None:
    submit_ticket({"text": "The lamp is dark.", "category": "water"}, actor=county.actor("s"), now=utc_now())
    with transaction() as session:
        session.execute(
            update(Outbox).where(Outbox.event == "ticket.submitted").values(state=outbox.DEAD, last_error="KeyError")
        )
    add_sweep(1, "scheduler")
    write_heartbeat(queued_app.config["SETTINGS"].instance_dir, utc_now())
    runner = queued_app.test_cli_runner()
    status = json.loads(runner.invoke(args=["jobs", "status", "--json"]).output)
    assert status["redis"] == "up"
    assert status["queues"]["events"] == 1
    assert status["outbox"]["events"] == {"dead": 1, "new": 1}
    assert (status["scheduler"]["ok"], status["scheduler"]["by"]) == (True, "scheduler")
    assert status["scheduler"]["heartbeat_at"] is not None
    assert [(letter["event"], letter["error"]) for letter in status["dead"]] == [("ticket.submitted", "KeyError")]
    words = runner.invoke(args=["jobs", "status"]).output
    assert "queue events: 1 waiting, 0 failed" in words
    assert "given up: event" in words


def test_operator_drains_the_outbox_without_redis_or_workers(county: County, app: Flask) -> None:
    submit_ticket({"text": "The lamp is dark.", "category": "water"}, actor=county.actor("s"), now=utc_now())
    runner = app.test_cli_runner()
    drained = json.loads(runner.invoke(args=["outbox", "drain", "--json"]).output)
    assert drained == {"events": 2, "sent": 0, "failed": 0, "waiting": 0, "dead": 0}
    assert runner.invoke(args=["outbox", "drain"]).output.startswith("0 events told")
    assert json.loads(runner.invoke(args=["jobs", "status", "--json"]).output)["redis"] == "away"


def test_what_is_kept_for_a_while_is_purged_and_the_rest_stays(app: Flask) -> None:
    now = utc_now()
    for days in (0.5, 8):
        add_sweep(days * 24 * 3600)
    with transaction() as session:
        for hours in (1, 25):
            session.add(
                IdempotencyKey(
                    caller_key="c",
                    route="r",
                    key=str(hours),
                    body_digest="d",
                    reference="ZD-1",
                    version=1,
                    answer={},
                    created_at=now - timedelta(hours=hours),
                )
            )
    assert purge_expired(now=now) == 2
    assert purge_expired(now=now) == 0


def test_queues_answer_nothing_when_redis_is_away(app: Flask) -> None:
    queues: Queues = app.extensions["queues"]
    assert (queues.waiting(), queues.failed(), queues.is_up()) == (None, None, False)
