"""Whether each alarm was written and sent once, and each breach at the due time that the client was told. Reads only."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.clock import utc_now
from feedback.kernel.outbox import Outbox
from feedback.sla.models import SlaAlarm, SlaClock
from tests.faults.ledger import Ledger
from tests.faults.verdict import Verdict

SETTLING = timedelta(seconds=10)


def judge_timers(session: Session, ledger: Ledger, verdict: Verdict) -> None:
    """Levels that passed have an alarm row each, what was sent has one event, and `breached_at` is the due time told."""
    over = utc_now() - SETTLING
    clocks = {clock.id: clock for clock in session.scalars(select(SlaClock))}
    alarms = list(session.scalars(select(SlaAlarm)))
    by_level = Counter((alarm.clock_id, alarm.round, alarm.level, alarm.deadline_version) for alarm in alarms)
    verdict.note("double", [f"alarm {each} is there {n} times" for each, n in by_level.items() if n > 1])
    events = Counter(
        row.unique_key for row in session.scalars(select(Outbox).where(Outbox.event == "sla.alarm")) if row.unique_key
    )
    sent = {f"alarm:{a.clock_id}:{a.round}:{a.level}:{a.deadline_version}" for a in alarms if a.is_sent}
    verdict.note("half", [f"{key} was written and not sent" for key in sorted(sent - set(events))])
    verdict.note("half", [f"{key} was sent and not written" for key in sorted(set(events) - sent)])
    verdict.note("double", [f"{key} was sent {count} times" for key, count in events.items() if count > 1])
    missing, wrong = [], []
    for clock in clocks.values():
        stopped = clock.met_at or clock.dropped_at or over
        for level in clock.ladder:
            is_past = datetime.fromisoformat(level["at"]) < min(stopped, over)
            if is_past and (clock.id, clock.round, level["level"], clock.deadline_version) not in by_level:
                missing.append(f"clock {clock.id} ({clock.kind}): level {level['label']} was never raised")
        if clock.kind != "confirmation" and clock.due_at < min(stopped, over) and clock.breached_at != clock.due_at:
            wrong.append(f"clock {clock.id} ({clock.kind}): due {clock.due_at}, breached {clock.breached_at}")
    verdict.note("lost", missing + wrong)
    told = {clock["id"]: clock for line in ledger.lines("clocks") for clock in line["clocks"]}
    moved = [
        f"clock {number} was told to be due {clock['due_at']}"
        for number, clock in told.items()
        if number not in clocks or clocks[number].due_at != datetime.fromisoformat(clock["due_at"])
    ]
    verdict.note("lost", moved)
    verdict.figures |= {"alarms": len(alarms), "breaches": sum(c.breached_at is not None for c in clocks.values())}
