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
from feedback.kernel.transaction import transaction
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
    """How many are lost, double, half."""
    verdict = Verdict("F3", "sqlite", 1)
    session.rollback()
    session.expire_all()
    judge_timers(session, ledger, verdict)
    return verdict.lost, verdict.double, verdict.half


def breached(session: Session) -> SlaClock:
    found = session.scalars(select(SlaClock).where(SlaClock.breached_at.is_not(None))).first()
    assert found is not None
    session.rollback()
    return found


def sent_alarm(session: Session) -> tuple[SlaAlarm, Outbox]:
    """An alarm and the event by which it was sent."""
    alarm = session.scalars(select(SlaAlarm).where(SlaAlarm.is_sent)).first()
    assert alarm is not None
    key = f"alarm:{alarm.clock_id}:{alarm.round}:{alarm.level}:{alarm.deadline_version}"
    return alarm, session.scalars(select(Outbox).where(Outbox.unique_key == key)).one()


def test_judge_finds_nothing_where_every_alarm_was_raised_once(session: Session, ledger: Ledger) -> None:
    assert judge(session, ledger) == (0, 0, 0)


def test_judge_counts_an_alarm_that_was_never_raised_as_lost(session: Session, ledger: Ledger) -> None:
    number = session.scalars(select(SlaAlarm.id).where(SlaAlarm.is_sent.is_(False))).first()
    assert number is not None
    with transaction() as writing:
        writing.execute(delete(SlaAlarm).where(SlaAlarm.id == number))
    assert judge(session, ledger) == (1, 0, 0)


def test_judge_counts_an_alarm_that_was_raised_twice_as_double(session: Session, ledger: Ledger) -> None:
    alarm, _ = sent_alarm(session)
    plant_twin(SlaAlarm, alarm.id)
    assert judge(session, ledger) == (0, 1, 0)


def test_judge_counts_an_alarm_that_was_sent_twice_as_double(session: Session, ledger: Ledger) -> None:
    _, event = sent_alarm(session)
    plant_twin(Outbox, event.id)
    assert judge(session, ledger) == (0, 1, 0)


def test_judge_counts_an_alarm_that_was_not_sent_as_half(session: Session, ledger: Ledger) -> None:
    _, event = sent_alarm(session)
    with transaction() as writing:
        writing.execute(delete(Outbox).where(Outbox.id == event.id))
    assert judge(session, ledger) == (0, 0, 1)


def test_judge_counts_an_alarm_that_was_sent_and_not_written_as_half_and_lost(session: Session, ledger: Ledger) -> None:
    alarm, _ = sent_alarm(session)
    with transaction() as writing:
        writing.execute(delete(SlaAlarm).where(SlaAlarm.id == alarm.id))
    assert judge(session, ledger) == (1, 0, 1)


@pytest.mark.parametrize("shift", [None, timedelta(seconds=1), timedelta(seconds=-1)])
def test_judge_counts_a_breach_that_is_not_at_the_due_time_as_lost(
    session: Session, ledger: Ledger, shift: timedelta | None
) -> None:
    clock = breached(session)
    wrong = None if shift is None else clock.due_at + shift
    with transaction() as writing:
        writing.execute(update(SlaClock).where(SlaClock.id == clock.id).values(breached_at=wrong))
    assert judge(session, ledger)[0] == 1


def test_judge_counts_a_due_time_that_is_not_the_one_told_as_lost(session: Session, ledger: Ledger) -> None:
    clock = breached(session)
    told = (clock.due_at + timedelta(seconds=1)).isoformat()
    ledger.write("clocks", reference="ZD-1", clocks=[{"id": clock.id, "due_at": told}])
    assert judge(session, ledger)[0] == 1


def test_judge_counts_a_clock_that_was_told_and_is_gone_as_lost(session: Session, ledger: Ledger) -> None:
    ledger.write("clocks", reference="ZD-1", clocks=[{"id": 999_999, "due_at": START.isoformat()}])
    assert judge(session, ledger)[0] == 1
