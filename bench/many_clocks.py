"""A site with very many open clocks of which some are due: rows alone, written in bulk, for bench.clocks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import delete, insert, update

from bench.empty_site import empty_site
from feedback.kernel.db import db
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.sla.sweep import fire_due

NOW = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
BATCH = 500
ROWS = 20_000


def fill(folder: Path, size: int, due: int, database_url: str | None = None) -> Flask:
    """The site, on an SQLite file in `folder` where no empty database is named.

    Its first `due` clocks have an alarm at NOW, the others in the weeks after it.
    """
    folder.mkdir(parents=True)
    app = empty_site(folder, database_url or f"sqlite:///{folder / 'zhida.db'}", since=NOW - timedelta(days=30))
    with app.app_context():
        for rows in _batches(size, due):
            with transaction() as session:
                session.execute(insert(SlaClock), rows)
        with db.engine.connect() as connection:
            at_rest = {"sqlite": "PRAGMA wal_checkpoint(TRUNCATE)", "postgresql": "ANALYZE"}
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(at_rest[db.engine.dialect.name])
        db.session.remove()
    return app


def _batches(size: int, due: int) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, size, ROWS):
        yield [_row(number, due) for number in range(first, min(first + ROWS, size))]


def _row(number: int, due: int) -> dict[str, Any]:
    ahead = timedelta(0) if number < due else timedelta(seconds=3600 + number % 2_000_000)
    ends = NOW + ahead + timedelta(days=1)
    started = ends - timedelta(days=5)
    levels = [("50%", "handler", NOW + ahead), ("100%", "supervisor", ends)]
    return {
        "ticket_id": number + 1,
        "kind": "resolution",
        "round": 1,
        "started_at": started,
        "amount_name": "resolution",
        "amount": "5d",
        "calendar_id": 1,
        "policy_id": 1,
        "gaps": [],
        "due_at": ends,
        "original_due_at": ends,
        "deadline_version": 1,
        "ladder": [
            {"level": place, "label": label, "at": at.isoformat(), "audience": who}
            for place, (label, who, at) in enumerate(levels, start=1)
        ],
        "next_level": 0,
        "next_alarm_at": NOW + ahead,
        "is_provisional": False,
    }


def sweep_once(app: Flask, due: int) -> dict[str, float]:
    """One sweep, timed; what it wrote is taken back so that the next finds the same."""
    with app.app_context():
        fire_due(NOW - timedelta(days=9), BATCH)
        cpu, wall = time.process_time(), time.perf_counter()
        done = fire_due(NOW, BATCH)
        taken = {"cpu_seconds": time.process_time() - cpu, "seconds": time.perf_counter() - wall}
        if (done.alarms, done.failures) != (due, 0):
            raise RuntimeError(f"the sweep wrote {done} and not {due} alarms")
        with transaction() as session:
            session.execute(delete(SlaAlarm))
            session.execute(delete(Outbox))
            session.execute(update(SlaClock).where(SlaClock.next_level == 1).values(next_level=0, next_alarm_at=NOW))
        db.session.remove()
    return taken
