"""The judge of timers sees an alarm that was never raised, one raised or sent twice, and a due time that is another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from feedback.intake.submission import submit_ticket
from feedback.kernel.clock import utc_now
from feedback.kernel.outbox import Outbox
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.supervision.escalation import run_sweep
from tests.faults.ledger import Ledger
from tests.faults.timers import judge_timers
from tests.faults.twin import plant_twin
from tests.faults.verdict import Verdict
from tests.support.county import START, County


@pytest.fixture
def ledger(session: Session, county: County, tmp_path: Path) -> Iterator[Ledger]:
    """Of a ticket whose due times were told when it came, and which were all swept since."""
    made = Ledger(tmp_path / "ledger")
    reference = submit_ticket({"text": "Dark.", "category": "water"}, actor=county.actor("s"), now=START).reference
    clocks = session.scalars(select(SlaClock)).all()
    assert len(clocks) > 2
    made.write("clocks", reference=reference, clocks=[{"id": c.id, "due_at": c.due_at.isoformat()} for c in clocks])
    session.rollback()
    assert run_sweep(utc_now(), by="test").alarms > 2
    yield made
    made.close()


def judge(session: Session, ledger: Ledger) -> tuple[int, int, int]:
    """How many are lost, double, half; whatever was planted and not committed is gone afterwards."""
    verdict = Verdict("F3", "sqlite", 1)
    session.expire_all()
    judge_timers(session, ledger, verdict)
    session.rollback()
    return verdict.lost, verdict.double, verdict.half


def sent_alarm(session: Session) -> tuple[int, int]:
    """The id of an alarm and of the event by which it was sent."""
    alarm = session.scalars(select(SlaAlarm).where(SlaAlarm.is_sent)).first()
    assert alarm is not None
    key = f"alarm:{alarm.clock_id}:{alarm.round}:{alarm.level}:{alarm.deadline_version}"
    return alarm.id, session.scalars(select(Outbox.id).where(Outbox.unique_key == key)).one()


def test_judge_finds_alarms_that_are_not_there_or_not_whole(session: Session, ledger: Ledger) -> None:
    assert judge(session, ledger) == (0, 0, 0)
    alarm, event = sent_alarm(session)
    unsent = session.scalars(select(SlaAlarm.id).where(SlaAlarm.is_sent.is_(False))).first()
    assert unsent is not None
    session.execute(delete(SlaAlarm).where(SlaAlarm.id == unsent))
    assert judge(session, ledger) == (1, 0, 0), "never raised"
    session.execute(delete(Outbox).where(Outbox.id == event))
    assert judge(session, ledger) == (0, 0, 1), "written and never sent"
    session.execute(delete(SlaAlarm).where(SlaAlarm.id == alarm))
    assert judge(session, ledger) == (1, 0, 1), "sent and not written"


def test_judge_finds_alarms_that_are_there_twice(session: Session, ledger: Ledger) -> None:
    alarm, event = sent_alarm(session)
    plant_twin(SlaAlarm, alarm)
    assert judge(session, ledger) == (0, 1, 0), "raised twice"
    plant_twin(Outbox, event)
    assert judge(session, ledger) == (0, 2, 0), "sent twice"


def test_judge_finds_breaches_and_due_times_that_are_others_than_were_told(session: Session, ledger: Ledger) -> None:
    clock = session.scalars(select(SlaClock).where(SlaClock.breached_at.is_not(None))).first()
    assert clock is not None
    number, due_at = clock.id, clock.due_at
    for wrong in (None, due_at + timedelta(seconds=1), due_at - timedelta(seconds=1)):
        session.execute(update(SlaClock).where(SlaClock.id == number).values(breached_at=wrong))
        assert judge(session, ledger) == (1, 0, 0), f"breached at {wrong}"
    told = (due_at + timedelta(seconds=1)).isoformat()
    ledger.write("clocks", reference="ZD-1", clocks=[{"id": 999_999, "due_at": told}])
    assert judge(session, ledger) == (1, 0, 0), "a clock that was told and is gone"
    ledger.write("clocks", reference="ZD-1", clocks=[{"id": number, "due_at": told}])
    assert judge(session, ledger) == (2, 0, 0), "and a due time that moved"
