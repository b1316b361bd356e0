"""What the system does when time is up: alarms first, then signing, silence and waits that are over. One sweep does it all."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Conflict
from feedback.kernel.transaction import transaction
from feedback.sla import sweep
from feedback.sla.models import SweepRun
from feedback.tickets.actions import run_action
from feedback.tickets.models import Ticket

BATCH = 500
ACTION_AT_END_OF = {"signing": "acknowledge", "confirmation": "lapse", "pause": "wake"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepOutcome:
    """What one sweep did."""

    alarms: int
    actions: int
    failures: int


def run_sweep(now: datetime, by: str = "worker") -> SweepOutcome:
    """Do what is due at `now`: alarms in batches, then each ticket's own step in a transaction of its own.

    Safe to run at any time and in several processes: the database decides who does what. One bad ticket is logged and
    counted, and stops nothing.
    """
    fired = sweep.fire_due(now, BATCH)
    actions = failures = 0
    tried: set[tuple[str, int]] = set()
    while True:
        expired = [e for e in sweep.list_expired(now, BATCH) if (e.kind, e.ticket_id) not in tried]
        if not expired:
            break
        for item in expired:
            tried.add((item.kind, item.ticket_id))
            try:
                actions += _act(item, now)
            except Exception:
                failures += 1
                log.exception("sweep: %s of ticket %s failed", item.kind, item.ticket_id)
    outcome = SweepOutcome(fired.alarms, actions, failures + fired.failures)
    with transaction() as session:
        session.add(
            SweepRun(
                started_at=now,
                finished_at=max(now, utc_now()) if by != "demo" else now,
                alarms=outcome.alarms,
                actions=outcome.actions,
                failures=outcome.failures,
                by=by,
            )
        )
    return outcome


def _act(item: sweep.Expired, now: datetime) -> int:
    """Take the step that the end of this time asks for; 0 where the ticket has moved on meanwhile."""
    session = current_session()
    ticket = session.get(Ticket, item.ticket_id)
    if ticket is None:
        return 0
    if item.kind == "confirmation" and sweep.give_time_after_lost_reminder(item.ticket_id, now):
        return 0
    try:
        run_action(ACTION_AT_END_OF[item.kind], ticket.reference, {}, actor=SYSTEM, now=now)
    except Conflict:
        return 0
    return 1
