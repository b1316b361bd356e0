"""Events told by one job: read together, they reach whom each would reach alone; one that fails holds up no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from feedback.intake.submission import submit_ticket
from feedback.jobs import tasks
from feedback.kernel import outbox
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.audience import recipients
from feedback.notifications.circle import Circle
from feedback.notifications.delivery import deliver_events
from feedback.notifications.gathered import Gathered
from feedback.notifications.models import Notice
from feedback.people.models import Deputy
from feedback.sla.sweep import fire_due
from feedback.tickets.actions import run_action
from tests.support.county import START, County
from tests.support.statements import counted_statements

LATER = START + timedelta(days=3)


def submit(county: County, number: int = 0, **fields: Any) -> str:
    words = {"text": f"The lamp number {number} at the bridge has been dark for a week.", **fields}
    return submit_ticket(words, actor=county.actor("s"), now=START + timedelta(seconds=number)).reference


def act(county: County, login: str, action: str, reference: str, minutes: int, **fields: Any) -> None:
    now = START + timedelta(minutes=minutes)
    run_action(action, reference, fields, actor=county.actor(login, now), now=now)


def busy_county(county: County) -> None:
    """Steps of several tickets: by hand and by the catalogue, protected, with an assist, a question, a request, alarms."""
    submit(county)
    by_hand = submit(county, 1)
    act(county, "dp1", "dispatch", by_hand, 2, lead="water", assists=[{"unit": "roads"}])
    act(county, "hw", "acknowledge", by_hand, 3)
    act(county, "hw", "assign", by_hand, 4, assignee="hw2")
    asked = submit(county, 2, category="water", privacy="confidential")
    act(county, "hw", "acknowledge", asked, 3)
    act(county, "hw", "ask_submitter", asked, 4, text="Which lamp is it?")
    solved = submit(county, 3, category="water")
    act(county, "hw2", "acknowledge", solved, 4)
    act(county, "hw2", "resolve", solved, 5, outcome="solved", text="The lamp was changed this morning.")
    fire_due(LATER, limit=100)


def waiting() -> list[int]:
    return list(current_session().scalars(select(Outbox.id).where(Outbox.state == "new").order_by(Outbox.id)))


def test_events_read_together_reach_whom_each_reaches_alone(any_county: County) -> None:
    busy_county(any_county)
    with transaction() as session:
        for absent, deputy in (("hw", "hr"), ("hw2", "lw"), ("dp1", "lw")):
            pair = {"account_id": any_county.accounts[absent].id, "deputy_id": any_county.accounts[deputy].id}
            session.add(Deputy(**pair, valid_from=START, valid_to=None))
    ids = waiting()
    session = current_session()
    together = Gathered(session, ids, LATER)
    assert {row.event for row in together.rows.values()} >= {"ticket.submitted", "ticket.submitter_asked", "sla.alarm"}
    reached = set()
    for outbox_id in ids:
        alone = Gathered(session, [outbox_id], LATER)
        row, ticket = alone.rows[outbox_id], next(iter(alone.tickets.values()))
        told = recipients(Circle(alone, row, ticket))
        assert recipients(Circle(together, row, ticket)) == told, row.event
        reached.update(told)
    assert len(reached) >= 5
    session.rollback()


def test_event_that_cannot_be_told_holds_up_none_of_those_told_with_it(any_county: County) -> None:
    for number in range(3):
        submit(any_county, number, category="water")
    ids = waiting()
    broken = ids[3]
    with transaction() as session:
        session.execute(update(Outbox).where(Outbox.id == broken).values(payload=[]))
    deliver_events(ids, now=LATER, settings=current_app.config["SETTINGS"])
    session = current_session()
    states = {row.id: row.state for row in session.execute(select(Outbox.id, Outbox.state))}
    assert states == dict.fromkeys(ids, outbox.DONE) | {broken: outbox.NEW}
    told = set(session.scalars(select(Notice.outbox_id)))
    assert broken not in told
    assert len(told) == 2


def test_rows_that_cannot_even_be_read_together_are_read_one_by_one(county: County) -> None:
    for number in range(3):
        submit(county, number, category="water")
    ids = waiting()
    with transaction() as session:
        session.connection().exec_driver_sql("UPDATE outbox SET payload = '{' WHERE id = ?", (ids[1],))
    deliver_events(ids, now=LATER, settings=current_app.config["SETTINGS"])
    session = current_session()
    states = {row.id: row.state for row in session.execute(select(Outbox.id, Outbox.state))}
    assert states == dict.fromkeys(ids, outbox.DONE) | {ids[1]: outbox.NEW}


def test_what_cannot_be_read_of_one_ticket_holds_up_no_event_of_another(county: County) -> None:
    for number in range(3):
        submit(county, number, category="water")
    ids = waiting()
    with transaction() as session:
        session.connection().exec_driver_sql("UPDATE timeline SET facts = '{' WHERE ticket_id = 2")
    deliver_events(ids, now=LATER, settings=current_app.config["SETTINGS"])
    session = current_session()
    of_tickets = {row.ticket_id: row.state for row in session.execute(select(Outbox.ticket_id, Outbox.state))}
    assert of_tickets == {1: outbox.DONE, 2: outbox.NEW, 3: outbox.DONE}


def test_job_whose_events_were_told_already_waits_for_no_writer(county: County) -> None:
    submit(county, category="water")
    ids = waiting()
    deliver_events(ids, now=utc_now(), settings=current_app.config["SETTINGS"])
    with counted_statements() as asked:
        tasks.deliver.__wrapped__(*ids)  # type: ignore[attr-defined]
    assert not [each for each in asked if each.startswith(("UPDATE", "INSERT"))]
    assert len(asked) <= 3


def test_ten_times_as_many_events_of_the_same_people_need_no_more_statements(county: County) -> None:
    settings = current_app.config["SETTINGS"]
    submit(county, category="water")
    deliver_events(waiting(), now=LATER, settings=settings)  # what a process keeps is kept now
    submit(county, 1, category="water")
    with counted_statements() as few:
        deliver_events(waiting(), now=LATER, settings=settings)
    for number in range(2, 12):
        submit(county, number, category="water")
    with counted_statements() as many:
        deliver_events(waiting(), now=LATER, settings=settings)
    assert len(many) == len(few)
    assert len(few) <= 18
