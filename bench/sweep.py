"""Times the sweep: idle, and with clocks that are due. `python -m bench.sweep --idle 20` or `--due`; prints JSON."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time

from sqlalchemy import func, select

from feedback.factory import create_app
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.db import session as current_session
from feedback.sla import sweep
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.supervision.escalation import run_sweep


def idle(times: int) -> dict[str, object]:
    """Milliseconds of a sweep that finds nothing: looking alone, and with its note that it looked."""
    run_sweep(utc_now())
    looks, whole = [], []
    for _ in range(times):
        began = time.perf_counter()
        sweep.fire_due(utc_now(), 500)
        sweep.list_expired(utc_now(), 500)
        db.session.remove()
        looks.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        run_sweep(utc_now())
        db.session.remove()
        whole.append((time.perf_counter() - began) * 1000)
    return {
        "look_ms": round(statistics.median(looks), 2),
        "whole_ms": round(statistics.median(whole), 2),
        "whole_p95_ms": round(sorted(whole)[int(len(whole) * 0.95)], 2),
        "open_clocks": current_session().scalar(
            select(func.count()).where(SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None))
        ),
    }


def due() -> dict[str, object]:
    """Seconds of one sweep over everything that is due now, and what it wrote."""
    now = utc_now()
    waiting = SlaClock.next_alarm_at <= now
    clocks, tickets = (
        current_session()
        .execute(select(func.count(), func.count(func.distinct(SlaClock.ticket_id))).where(waiting))
        .one()
    )
    before = current_session().scalar(select(func.count()).select_from(SlaAlarm)) or 0
    db.session.remove()
    began = time.perf_counter()
    outcome = run_sweep(now)
    seconds = time.perf_counter() - began
    after = current_session().scalar(select(func.count()).select_from(SlaAlarm)) or 0
    return {
        "seconds": round(seconds, 2),
        "tickets": tickets,
        "clocks": clocks,
        "alarms_written": after - before,
        "tickets_per_second": round(tickets / seconds),
        "clocks_per_second": round(clocks / seconds),
        "actions": outcome.actions,
        "failures": outcome.failures,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--due", action="store_true")
    options = parser.parse_args()
    app = create_app()
    with app.app_context():
        print(json.dumps(due() if options.due else idle(options.idle or 20)))


if __name__ == "__main__":
    main()
