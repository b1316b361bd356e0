"""F3: the scheduler is killed inside its rounds while clocks come due. F8: several schedulers, one of them asleep for a while."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.sla.models import SlaClock, SweepRun
from feedback.supervision.heartbeat import PATIENCE, heartbeat_path
from tests.faults.clients import Clients
from tests.faults.dose import Dose
from tests.faults.ledger import Ledger
from tests.faults.open_write import is_write_open, stop_in_a_write
from tests.faults.site import Site, eventually, snapshot
from tests.faults.timers import judge_timers
from tests.faults.verdict import Verdict, count_rows, judge_intake

CLIENTS = 2
POLICY = """\
name,order,dispatch,signing,first_response,resolution,leg_floor,alarms
minutes,1,1min,1min,1min,1min,1min,10%:handler;30%:handler;50%:handler;70%:unit_head;100%:supervisor
"""
FIRST_MS, SHARE = 12.0, 0.8
"""How long a round is thought to take before one was seen, and in which part of it the kill is drawn."""
MEETINGS = 4
"""How often an open write is looked for: the one that was met may be somebody else's slow one."""
LONG_SLEEP, SHORT_SLEEP = 33.0, 5.0
"""Longer than a lease of the outbox; longer than the scheduler's patience with workers."""


def scheduler_killed(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F3. No worker runs, so the scheduler sweeps itself. A kill landed if clocks were due and its round was not ended."""
    ledger, clients = _clocks_by_minutes(site, dose)
    draw = Random(dose.seed)
    try:
        _await_due(site, 1, 90)
        for _ in range(dose.kills):
            verdict.landed += _kill_in_round(site, draw)
            verdict.kills += 1
        site.start_part("scheduler")
        _end(site, ledger, clients, dose, verdict)
    finally:
        clients.finish()
        ledger.close()


def schedulers_asleep(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F8. Two and four schedulers by turns; one stands still and wakes. It landed if the others swept meanwhile.

    In each fourth round it stands still inside an open write, where on SQLite nobody else can do anything.
    """
    ledger, clients = _clocks_by_minutes(site, dose)
    draw = Random(dose.seed)
    running: list[subprocess.Popen[bytes]] = []
    in_a_write = 0
    try:
        for number in range(dose.kills):
            wanted = 2 if number % 2 == 0 else 4
            while len(running) < wanted:
                running.append(site.start_part("scheduler"))
            while len(running) > wanted:
                running.pop().terminate()
            before = utc_now()
            eventually(lambda before=before: sweeps_since(site, before) > 0, 60)  # type: ignore[misc]
            time.sleep(draw.uniform(0.5, 4.0))
            asleep = draw.choice(running)
            if number % 4 == 3:
                in_a_write += _sleeps_in_a_write(site, asleep, draw)
            else:
                verdict.landed += _sleeps(site, asleep, LONG_SLEEP if number % 5 == 1 else SHORT_SLEEP)
            verdict.kills += 1
        verdict.landed += in_a_write
        verdict.figures["in_a_write"] = in_a_write
        _end(site, ledger, clients, dose, verdict)
    finally:
        clients.finish()
        ledger.close()


def _sleeps(site: Site, scheduler: subprocess.Popen[bytes], seconds: float) -> bool:
    """Let it stand still for so long, and until others have swept meanwhile; whether they have."""
    scheduler.send_signal(signal.SIGSTOP)
    began = utc_now()
    time.sleep(seconds)
    have_swept = eventually(lambda: sweeps_since(site, began) > 0, 20)
    scheduler.send_signal(signal.SIGCONT)
    return have_swept


def _sleeps_in_a_write(site: Site, scheduler: subprocess.Popen[bytes], draw: Random) -> bool:
    """Let it stand still with a transaction open; whether that moment was met, and the same write open until the end."""
    for _ in range(MEETINGS):
        was_met = stop_in_a_write(site, scheduler.pid, draw)
        if was_met:
            time.sleep(SHORT_SLEEP)
            was_met = is_write_open(site, SHORT_SLEEP)
        scheduler.send_signal(signal.SIGCONT)
        if was_met:
            return True
    return False


def _clocks_by_minutes(site: Site, dose: Dose) -> tuple[Ledger, Clients]:
    """Web alone, a policy whose clocks run for a minute, and clients that keep submitting."""
    tokens = site.people(CLIENTS, 3)
    policy = site.folder / "policies.csv"
    policy.write_text(POLICY, encoding="utf-8")
    site.flask("policies", "import", str(policy))
    site.redis.start()
    site.start_web()
    ledger = Ledger(site.folder / "ledger.jsonl")
    clients = Clients(site.port, tokens, ledger, dose.seed, pause=1.0)
    clients.begin()
    return ledger, clients


def _kill_in_round(site: Site, draw: Random) -> bool:
    """Start a scheduler, let it come to the round in which it sweeps, kill it there; whether the round was cut off."""
    scheduler = site.start_part("scheduler")
    site.beside.remove(scheduler)
    path = heartbeat_path(site.folder)
    first = eventually(lambda: _beat_of(path, scheduler.pid), 40)
    try:
        if first is None:
            return False
        sweeping_from = first + timedelta(seconds=PATIENCE)
        time.sleep(max(0.0, (sweeping_from - utc_now()).total_seconds() - 0.3))
        _await_due(site, 1, 30)
        length = _round_ms(site) * SHARE / 1000
        beat = _next_beat(path, scheduler.pid, sweeping_from, first)
        time.sleep(draw.uniform(0, length))
    finally:
        scheduler.kill()
        scheduler.wait()
    with site.app.app_context():
        ended = current_session().scalar(select(func.count()).where(SweepRun.started_at == beat)) if beat else 1
        current_session().rollback()
    return not ended


def _next_beat(path: Path, pid: int, not_before: datetime, last: datetime) -> datetime | None:
    """The start of the next round that sweeps, seen within a millisecond; None where none comes."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        beat = _beat_of(path, pid)
        if beat is not None and beat > not_before and beat != last:
            return beat
        time.sleep(0.0005)
    return None


def _beat_of(path: Path, pid: int) -> datetime | None:
    with contextlib.suppress(OSError, ValueError):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["pid"] == pid:
            return datetime.fromisoformat(told["at"])
    return None


def _await_due(site: Site, least: int, seconds: float) -> None:
    """Wait until so many clocks have an alarm that is due."""

    def due() -> bool:
        with site.app.app_context():
            found = current_session().scalar(select(func.count()).where(SlaClock.next_alarm_at <= utc_now())) or 0
            current_session().rollback()
        return found >= least

    eventually(due, seconds)


def _round_ms(site: Site) -> float:
    """The shortest of the last rounds that did something, in milliseconds."""
    query = select(SweepRun.started_at, SweepRun.finished_at).where(SweepRun.alarms > 0)
    with site.app.app_context():
        rows = current_session().execute(query.order_by(SweepRun.id.desc()).limit(5)).all()
        current_session().rollback()
    return min([(row.finished_at - row.started_at).total_seconds() * 1000 for row in rows], default=FIRST_MS)


def sweeps_since(site: Site, began: datetime) -> int:
    """Sweeps that began after this instant and were ended."""
    with site.app.app_context():
        found = current_session().scalar(select(func.count()).where(SweepRun.started_at > began)) or 0
        current_session().rollback()
    return found


def _end(site: Site, ledger: Ledger, clients: Clients, dose: Dose, verdict: Verdict) -> None:
    """No more tickets; wait until the last clock is past due and swept, then judge."""
    while len(ledger.asked()) < dose.size:
        time.sleep(0.2)
    clients.finish()

    def is_over() -> bool:
        with site.app.app_context():
            soon = utc_now() + timedelta(hours=1)  # what is raised a working day later is not waited for
            left = current_session().scalar(select(func.count()).where(SlaClock.next_alarm_at < soon))
            current_session().rollback()
        return left == 0

    if not eventually(is_over, 240):
        verdict.note("lost", ["clocks still wait four minutes after the last ticket"])
    with snapshot(site) as session:
        judge_timers(session, ledger, verdict)
        judge_intake(session, ledger, verdict)
        verdict.figures |= {"rows": count_rows(session), "submissions": len(ledger.asked())}
        verdict.figures["sweeps"] = session.scalar(select(func.count()).select_from(SweepRun))
