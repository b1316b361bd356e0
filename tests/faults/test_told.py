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
    """How many are lost, double, half."""
    verdict = Verdict("F2", "sqlite", 1)
    session.rollback()
    session.expire_all()
    judge_told(session, sink, verdict, most_mails=most_mails)
    return verdict.lost, verdict.double, verdict.half


def first_notice(session: Session) -> int:
    found = session.scalars(select(Notice.id)).first()
    assert found is not None
    session.rollback()
    return found


def test_judge_finds_nothing_where_everybody_was_told_once(session: Session, sink: Sink) -> None:
    assert judge(session, sink) == (0, 0, 0)


def test_judge_counts_a_notice_that_is_not_there_as_lost(session: Session, sink: Sink) -> None:
    with transaction() as writing:
        writing.execute(delete(Notice).where(Notice.id == first_notice(session)))
    assert judge(session) == (1, 0, 0)


def test_judge_counts_a_second_notice_as_double(session: Session, sink: Sink) -> None:
    plant_twin(Notice, first_notice(session))
    assert judge(session) == (0, 1, 0)


def test_judge_counts_a_notice_to_somebody_whom_no_rule_names_as_double(
    session: Session, county: County, sink: Sink
) -> None:
    event = session.scalars(select(Outbox.id)).first()
    stranger = f"account:{county.accounts['x'].id}"
    with transaction() as writing:
        writing.add(Notice(outbox_id=event, recipient=stranger, event="ticket.submitted", facts={}, created_at=START))
    assert judge(session) == (0, 1, 0)


def test_judge_counts_an_event_of_no_ticket_as_lost(session: Session, sink: Sink) -> None:
    with transaction() as writing:
        writing.add(Outbox(event="ticket.submitted", ticket_id=99, created_at=START, available_at=START))
    assert judge(session) == (1, 0, 0)


def test_judge_counts_a_mail_that_is_marked_as_sent_and_was_never_taken_as_lost(session: Session, sink: Sink) -> None:
    sink.taken.pop()
    assert judge(session, sink) == (1, 0, 0)


def test_judge_counts_a_mail_that_was_not_sent_in_the_end_as_lost(session: Session, sink: Sink) -> None:
    number = session.scalars(select(Delivery.id)).first()
    with transaction() as writing:
        writing.execute(update(Delivery).where(Delivery.id == number).values(state=outbox.DEAD))
    assert judge(session, sink) == (1, 0, 0)


def test_judge_counts_a_mail_of_another_row_as_double(session: Session, sink: Sink) -> None:
    with transaction() as writing:
        number = writing.scalars(select(Delivery.id)).first()
        writing.execute(delete(Delivery).where(Delivery.id == number))
    assert judge(session, sink) == (0, 1, 0)


@pytest.mark.parametrize(("copies", "doubles"), [(1, 0), (2, 1)])
def test_judge_allows_one_copy_of_a_mail_and_counts_more_as_double(
    session: Session, sink: Sink, copies: int, doubles: int
) -> None:
    sink.taken += [sink.taken[0]] * copies
    assert judge(session, sink, most_mails=2) == (0, doubles, 0)
