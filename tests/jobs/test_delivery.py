"""An event becomes its notices once, whoever takes it and however often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Flask, current_app
from sqlalchemy import func, select, update

from feedback.intake.submission import submit_ticket
from feedback.kernel import outbox
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Delivery, Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import deliver_events, drain
from feedback.notifications.models import Notice
from feedback.notifications.queries import list_dead
from feedback.settings import Settings
from tests.support.county import START, County

LATER = START + timedelta(minutes=1)


def settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def submit(county: County, **fields: Any) -> str:
    words = {"text": "The lamp at the bridge has been dark for a week.", "category": "water", **fields}
    return submit_ticket(words, actor=county.actor("s"), now=START).reference


def newest_event(name: str) -> int:
    found = current_session().scalars(select(Outbox.id).where(Outbox.event == name).order_by(Outbox.id.desc())).first()
    assert found is not None
    return found


def notices() -> Sequence[tuple[int, str]]:
    rows = current_session().execute(select(Notice.outbox_id, Notice.recipient).order_by(Notice.id))
    return [(outbox_id, recipient) for outbox_id, recipient in rows]


def state_of(outbox_id: int) -> Outbox:
    return current_session().get_one(Outbox, outbox_id, populate_existing=True)


def test_event_taken_again_after_it_was_told_changes_nothing(any_county: County) -> None:
    submit(any_county)
    event = newest_event("ticket.dispatched")
    deliver_events([event], now=LATER, settings=settings())
    before = notices()
    assert len(before) == 4
    deliver_events([event], now=LATER + timedelta(days=1), settings=settings())
    assert notices() == before
    assert state_of(event).attempts == 1


def test_event_of_a_worker_that_died_is_taken_by_another_when_its_lease_has_passed(any_county: County) -> None:
    submit(any_county)
    event = newest_event("ticket.dispatched")
    with transaction() as session:
        assert outbox.claim_events(session, [event], now=LATER)
    deliver_events([event], now=LATER + outbox.EVENT_LEASE, settings=settings())
    assert notices() == []
    deliver_events([event], now=LATER + outbox.EVENT_LEASE + timedelta(seconds=1), settings=settings())
    assert len(notices()) == 4
    with transaction() as session:
        assert not outbox.end_event(session, event, 1, state=outbox.DEAD, error="the dead one comes back")
    assert state_of(event).state == outbox.DONE


def test_outbox_replayed_whole_and_backwards_tells_nobody_twice(county: County) -> None:
    for _ in range(3):
        submit(county)
    drain(now=LATER, settings=settings())
    before = notices()
    assert len(before) == 12
    with transaction() as session:
        session.execute(update(Outbox).values(state=outbox.NEW, lease_until=None))
    ids = current_session().scalars(select(Outbox.id).order_by(Outbox.id.desc())).all()
    for outbox_id in ids:
        deliver_events([outbox_id], now=LATER, settings=settings())
    assert notices() == before


def test_event_that_cannot_be_told_is_tried_at_growing_gaps_and_then_listed(county: County) -> None:
    reference = submit(county)
    event = newest_event("ticket.dispatched")
    with transaction() as session:
        session.execute(update(Outbox).where(Outbox.id == event).values(payload=[]))
    now, waits = LATER, []
    for _ in outbox.EVENT_GAPS:
        deliver_events([event], now=now, settings=settings())
        row = state_of(event)
        assert row.state == outbox.NEW
        waits.append(row.available_at - now)
        deliver_events([event], now=row.available_at - timedelta(seconds=1), settings=settings())
        assert state_of(event).attempts == len(waits)
        now = row.available_at
    assert waits == list(outbox.EVENT_GAPS)
    deliver_events([event], now=now, settings=settings())
    assert state_of(event).state == outbox.DEAD
    letter = list_dead(current_session())[0]
    assert (letter.kind, letter.event, letter.reference, letter.attempts) == (
        "event",
        "ticket.dispatched",
        reference,
        6,
    )
    assert letter.error == "AttributeError"


def test_event_on_which_every_worker_dies_is_given_up(county: County) -> None:
    submit(county)
    event, now = newest_event("ticket.dispatched"), LATER
    for _ in range(len(outbox.EVENT_GAPS) + 1):
        with transaction() as session:
            assert outbox.claim_events(session, [event], now=now)
        now += outbox.EVENT_LEASE + timedelta(seconds=1)
    deliver_events([event], now=now, settings=settings())
    assert state_of(event).state == outbox.DEAD
    assert notices() == []


def test_event_of_a_clock_that_runs_ahead_is_told_at_once_and_one_put_off_is_not(county: County) -> None:
    submit(county)
    event = newest_event("ticket.dispatched")
    deliver_events([event], now=START - timedelta(hours=3), settings=settings())
    assert len(notices()) == 4
    with transaction() as session:
        outbox.publish(session, "sla.alarm", now=START, available_at=LATER)
    late = newest_event("sla.alarm")
    assert outbox.due_events(current_session(), LATER - timedelta(seconds=1), 10) == [newest_event("ticket.submitted")]
    assert late in outbox.due_events(current_session(), LATER, 10)


def test_drain_tells_everything_that_is_due_and_says_how_much(county: County) -> None:
    submit(county)
    submit(county, category=None)
    drained = drain(now=LATER, settings=settings())
    assert (drained.events, drained.sent, drained.waiting, drained.dead) == (3, 0, 0, 0)
    again = drain(now=LATER, settings=settings())
    assert again.events == 0


def test_protected_ticket_leaves_no_account_of_its_submitter_in_what_is_sent(county: County) -> None:
    submit(county, privacy="confidential")
    drain(now=LATER, settings=settings())
    account = f"account:{county.accounts['s'].id}"
    session = current_session()
    assert session.scalar(select(func.count()).select_from(Notice)) == 4
    assert session.scalar(select(func.count()).where(Notice.recipient == account)) == 0
    assert session.scalar(select(func.count()).where(Delivery.recipient == account)) == 0


def test_without_a_mail_server_no_message_is_written(app: Flask, county: County) -> None:
    assert app.config["SETTINGS"].smtp_url is None
    submit(county)
    drain(now=LATER, settings=settings())
    assert current_session().scalar(select(func.count()).select_from(Delivery)) == 0
