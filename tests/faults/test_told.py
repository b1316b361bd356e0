"""The judge of notices and mails sees one that is missing, one too many, one for somebody whom no rule names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from feedback.intake.submission import submit_ticket
from feedback.kernel import outbox
from feedback.kernel.outbox import Delivery, Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import drain
from feedback.notifications.models import Notice
from tests.faults.told import judge_told
from tests.faults.twin import plant_twin
from tests.faults.verdict import Verdict
from tests.jobs.sink import Sink
from tests.support.county import START, County


@pytest.fixture
def sink(session: Session, county: County) -> Iterator[Sink]:
    """What took the mails of a ticket of which everybody was told."""
    server = Sink()
    with transaction() as writing:
        for login in ("s", "hw", "lw"):
            writing.merge(county.accounts[login]).email = f"{login}@people.test"
    submit_ticket({"text": "Dark.", "category": "water"}, actor=county.actor("s"), now=START)
    own = current_app.config["SETTINGS"]
    drained = drain(now=START + timedelta(minutes=1), settings=replace(own, smtp_url=server.url))
    assert drained.sent == len(server.taken) > 1
    yield server
    server.close()


def judge(session: Session, sink: Sink | None = None, most_mails: int = 1) -> tuple[int, int, int]:
    """How many are lost, double, half; whatever was planted and not committed is gone afterwards."""
    verdict = Verdict("F2", "sqlite", 1)
    session.expire_all()
    judge_told(session, sink, verdict, most_mails=most_mails)
    session.rollback()
    return verdict.lost, verdict.double, verdict.half


def test_judge_finds_notices_that_are_missing_or_too_many(session: Session, county: County, sink: Sink) -> None:
    assert judge(session, sink) == (0, 0, 0)
    number, event = session.execute(select(Notice.id, Notice.outbox_id)).first() or (0, 0)
    session.execute(delete(Notice).where(Notice.id == number))
    assert judge(session) == (1, 0, 0), "not there"
    session.add(Outbox(event="ticket.submitted", ticket_id=99, created_at=START, available_at=START))
    assert judge(session) == (1, 0, 0), "an event of no ticket, of which nobody can be told"
    stranger = f"account:{county.accounts['x'].id}"
    session.add(Notice(outbox_id=event, recipient=stranger, event="ticket.submitted", facts={}, created_at=START))
    assert judge(session) == (0, 1, 0), "to somebody whom no rule names"
    plant_twin(Notice, number)
    assert judge(session) == (0, 1, 0), "there twice"


def test_judge_finds_mails_that_are_missing_or_too_many(session: Session, sink: Sink) -> None:
    number = session.scalars(select(Delivery.id)).first()
    session.execute(update(Delivery).where(Delivery.id == number).values(state=outbox.DEAD))
    assert judge(session, sink) == (1, 0, 0), "given up"
    session.execute(delete(Delivery).where(Delivery.id == number))
    assert judge(session, sink) == (0, 1, 0), "of no row"
    first = sink.taken[0]
    sink.taken.append(first)
    assert judge(session, sink, most_mails=2) == (0, 0, 0), "one copy is allowed"
    sink.taken.append(first)
    assert judge(session, sink, most_mails=2) == (0, 1, 0), "two are not"
    sink.taken[:] = [taken for taken in sink.taken if taken is not first]
    assert judge(session, sink, most_mails=2) == (1, 0, 0), "marked as sent and never taken"
