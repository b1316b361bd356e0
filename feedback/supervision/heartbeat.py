"""Signs of life of what happens by itself: when a sweep last finished, when the scheduler last went round. No sweeping here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.sla.models import SlaAlarm, SlaClock, SweepRun

PATIENCE = 3
"""After so many missed intervals the scheduler sweeps itself."""
GRACE = timedelta(seconds=15)
SLACK = timedelta(minutes=1)
NEWEST = 500
"""So many of the newest alarms say how late they come."""


@dataclass(frozen=True)
class Beat:
    """When a sweep finished, and which kind of process ran it (worker, scheduler, cli)."""

    at: datetime
    by: str


def last_sweep(session: Session, now: datetime, *, by: str | None = None) -> Beat | None:
    """The newest finished sweep (of one kind of process); those of a time tried out in advance don't count."""
    query = select(SweepRun.finished_at, SweepRun.by).where(SweepRun.finished_at <= now + SLACK)
    if by is not None:
        query = query.where(SweepRun.by == by)
    row = session.execute(query.order_by(SweepRun.finished_at.desc()).limit(1)).first()
    return Beat(row.finished_at, row.by) if row else None


def longest_silence(sweep_seconds: int) -> timedelta:
    """For how long no sweep may finish before the site is not ready."""
    return PATIENCE * timedelta(seconds=sweep_seconds) + GRACE


def is_alive(session: Session, now: datetime, sweep_seconds: int) -> bool:
    """Whether clocks are being looked at."""
    beat = last_sweep(session, now)
    return beat is not None and now - beat.at <= longest_silence(sweep_seconds)


@dataclass(frozen=True)
class Lag:
    """How late alarms are: by how much at most the newest ones came, and since when one waits that is due already."""

    largest: timedelta
    waiting_since: datetime | None


def alarm_lag(session: Session, now: datetime) -> Lag:
    """From due to fired, over the newest alarms that were sent and are not older than an hour."""
    newest = select(SlaAlarm.due_at, SlaAlarm.fired_at, SlaAlarm.is_sent).order_by(SlaAlarm.id.desc()).limit(NEWEST)
    lags = [
        fired_at - due_at
        for due_at, fired_at, is_sent in session.execute(newest)
        if is_sent and now - timedelta(hours=1) <= fired_at
    ]
    waiting = session.scalar(select(func.min(SlaClock.next_alarm_at)).where(SlaClock.next_alarm_at <= now))
    return Lag(max(lags, default=timedelta(0)), waiting)


def heartbeat_path(instance_dir: Path) -> Path:
    return instance_dir / "run" / "scheduler.json"


def write_heartbeat(instance_dir: Path, now: datetime) -> None:
    """Leave word that this process went round as scheduler. Raises OSError where the folder can't be written to."""
    path = heartbeat_path(instance_dir)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"at": now.isoformat(), "pid": os.getpid()}), encoding="utf-8")
    fresh.replace(path)


def read_heartbeat(instance_dir: Path) -> datetime | None:
    """When a scheduler of this instance last went round on this machine; None where none did."""
    try:
        told = json.loads(heartbeat_path(instance_dir).read_text(encoding="utf-8"))
        return datetime.fromisoformat(told["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
