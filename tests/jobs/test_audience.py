"""Who is told of what: by role and unit, never whoever acted, never anybody the ticket is shut from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from feedback.intake.submission import submit_ticket
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Outbox, publish
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import deliver_events
from feedback.notifications.models import Notice
from feedback.people.models import Deputy, RoleGrant
from feedback.people.queries import submitter_key
from feedback.sla.sweep import fire_due
from feedback.tickets.actions import run_action
from feedback.tickets.models import Ticket, TicketRequest
from tests.support.county import START, County

TEXT = "The lamp at the bridge has been dark for a week."


def submit(county: County, login: str = "s", now: datetime = START, **fields: Any) -> str:
    return submit_ticket({"text": TEXT, **fields}, actor=county.actor(login), now=now).reference


def act(county: County, login: str, action: str, reference: str, minutes: int = 1, **fields: Any) -> None:
    now = START + timedelta(minutes=minutes)
    run_action(action, reference, fields, actor=county.actor(login, now), now=now)


def names(county: County) -> dict[str, str]:
    """Recipients as they stand in the table, to readable names such as `hw` or `seat s`."""
    known = {f"account:{a.id}": login for login, a in county.accounts.items()}
    return known | {f"seat:{submitter_key(a.id)}": f"seat {login}" for login, a in county.accounts.items()}


def told(county: County, event: str, now: datetime = START + timedelta(hours=1)) -> set[str]:
    """Deliver all that waits, and give who was told of the newest event of that name."""
    session = current_session()
    for outbox_id in session.scalars(select(Outbox.id).where(Outbox.state == "new").order_by(Outbox.id)).all():
        deliver_events([outbox_id], now=now, settings=current_app.config["SETTINGS"])
    newest = session.scalars(select(Outbox.id).where(Outbox.event == event).order_by(Outbox.id.desc())).first()
    assert newest is not None, f"no {event} in the outbox"
    rows = session.scalars(select(Notice.recipient).where(Notice.outbox_id == newest)).all()
    assert len(rows) == len(set(rows))
    return {names(county)[row] for row in rows}


def test_dispatchers_of_the_nearest_office_hear_of_a_ticket_that_waits_for_them(any_county: County) -> None:
    submit(any_county)
    assert told(any_county, "ticket.submitted") == {"dp1"}


def test_lead_unit_and_submitter_hear_of_a_ticket_that_routing_was_sure_of(county: County) -> None:
    submit(county, category="water")
    assert told(county, "ticket.submitted") == set()
    assert told(county, "ticket.dispatched") == {"hw", "hw2", "lw", "seat s"}


def test_assists_hear_of_the_part_they_got(county: County) -> None:
    reference = submit(county)
    act(county, "dp1", "dispatch", reference, lead="water", assists=[{"unit": "roads"}])
    assert told(county, "ticket.dispatched") == {"hw", "hw2", "lw", "hr", "seat s"}


def test_whoever_acts_is_not_told_of_it(county: County) -> None:
    county.add_person("dh", "dispatcher@p1", "handler@water")
    reference = submit(county, category="water")
    act(county, "dh", "transfer", reference, unit="roads", reason="The lamp is theirs.")
    assert told(county, "ticket.transferred") == {"hr", "seat s"}
    act(county, "dp1", "transfer", reference, 2, unit="water", reason="No, it is not.")
    assert "dh" in told(county, "ticket.transferred")


def test_submitter_hears_each_public_step_and_the_handler_each_of_theirs(county: County) -> None:
    reference = submit(county, category="water")
    act(county, "hw", "acknowledge", reference, 1)
    assert told(county, "ticket.acknowledged") == {"seat s"}
    act(county, "hw", "reply", reference, 2, text="We look at it today.")
    assert told(county, "ticket.replied") == {"seat s"}
    act(county, "s", "comment", reference, 3, text="It is still dark.")
    assert told(county, "ticket.commented") == {"hw"}
    act(county, "hw", "resolve", reference, 4, outcome="solved", text="The lamp was replaced.")
    assert told(county, "ticket.resolved") == {"seat s"}
    act(county, "s", "dispute", reference, 5, reason="It went dark again.")
    assert told(county, "ticket.disputed") == {"hw", "lw"}


def test_internal_note_tells_nobody(county: County) -> None:
    reference = submit(county, category="water")
    act(county, "hw", "note", reference, 1, text="Ask the depot for a lamp.")
    assert told(county, "ticket.noted") == set()


def test_handler_who_was_moved_away_hears_nothing_more(county: County) -> None:
    reference = submit(county, category="water")
    act(county, "hw", "acknowledge", reference, 1)
    with transaction() as session:
        grant = session.scalars(select(RoleGrant).where(RoleGrant.account_id == county.accounts["hw"].id)).one()
        grant.valid_to = START + timedelta(minutes=2)
    act(county, "s", "comment", reference, 3, text="It is still dark.")
    assert told(county, "ticket.commented") == {"hw2"}


def test_ticket_about_a_unit_tells_nobody_of_it_nor_their_deputies(county: County) -> None:
    county.add_person("da", "dispatcher@p1", "handler@a")
    reference = submit(county, about=["a"], privacy="confidential", area="village")
    assert told(county, "ticket.submitted") == {"dp1"}
    act(county, "dp1", "dispatch", reference, lead="b")
    assert told(county, "ticket.dispatched") == {"hb", "seat s"}


def test_ticket_about_the_office_itself_goes_to_the_office_above(county: County) -> None:
    submit(county, about=["p1"])
    assert told(county, "ticket.submitted") == {"d", "d2"}


def test_deputy_of_an_absent_handler_hears_what_they_may_see_themselves(county: County) -> None:
    with transaction() as session:
        for deputy in ("hw2", "hr"):
            session.add(Deputy(account_id=county.accounts["hw"].id, deputy_id=county.accounts[deputy].id))
    reference = submit(county, category="water")
    act(county, "hw", "acknowledge", reference, 1)
    act(county, "s", "comment", reference, 2, text="It is still dark.")
    assert told(county, "ticket.commented") == {"hw", "hw2"}


def test_person_it_was_written_down_for_hears_of_it_and_the_writer_does_not(county: County) -> None:
    submit(county, "dp1", on_behalf_of={"login": "s"})
    assert told(county, "ticket.submitted") == {"seat s"}


def test_handler_who_raised_a_protected_ticket_does_not_stand_out_by_silence(county: County) -> None:
    county.add_person("hs", "submitter@village", "handler@water")
    reference = submit(county, "hs", category="water", privacy="confidential")
    act(county, "hw", "acknowledge", reference, 1)
    act(county, "lw", "assign", reference, 2, assignee="hs")
    act(county, "hs", "comment", reference, 3, text="It is still dark.")
    assert told(county, "ticket.commented") == {"hs"}


def test_handler_who_raised_a_named_ticket_is_not_told_of_their_own_words(county: County) -> None:
    county.add_person("hs", "submitter@village", "handler@water")
    reference = submit(county, "hs", category="water")
    assert told(county, "ticket.dispatched") == {"hw", "hw2", "lw", "hs", "seat hs"}
    act(county, "hs", "urge", reference, 200)
    assert told(county, "ticket.urged", START + timedelta(hours=5)) == {"hw", "hw2", "lw"}


def test_request_goes_to_a_second_person_and_its_answer_to_who_asked(county: County) -> None:
    reference = submit(county)
    act(county, "dp1", "decline", reference, 1, reason_code="outside_the_area", instead="The railway's own line.")
    assert told(county, "request.decline.made") == {"su", "d", "d2"}
    request = current_session().scalars(select(TicketRequest.id)).one()
    act(county, "su", "decide", reference, 2, request=request, decision="granted", text="That is so.")
    assert told(county, "request.decline.granted") == {"dp1", "seat s"}


def test_wish_for_a_lower_urgency_goes_to_who_may_grant_it_and_not_to_the_workers(county: County) -> None:
    reference = submit(county, category="water", urgency="urgent")
    act(county, "dp1", "set_urgency", reference, 1, urgency="normal", reason="Nobody is in danger.")
    assert told(county, "request.lower_urgency.made") == {"su"}
    act(county, "dp1", "set_urgency", reference, 2, urgency="critical", reason="It sparks.")
    assert told(county, "ticket.urgency_set") == {"hw", "hw2"}


def test_more_time_calls_the_dispatcher_above_the_unit_and_reminds_nobody_else(county: County) -> None:
    reference = submit(county, category="water")
    act(county, "hw", "acknowledge", reference, 1)
    due = (START + timedelta(days=8)).isoformat()
    act(
        county, "hw", "request_extension", reference, 2, reason="A pump comes.", due_at=due, interim="Lorries go round."
    )
    assert told(county, "request.extension.made") == {"d", "d2"}
    fire_due(START + timedelta(hours=6), 500)
    assert told(county, "sla.alarm", START + timedelta(hours=6)) == {"d", "d2"}
    request = current_session().scalars(select(TicketRequest.id)).one()
    act(county, "d", "decide", reference, 3, request=request, decision="granted", text="That is so.")
    assert told(county, "request.extension.granted") == {"hw", "seat s"}


def test_decided_request_calls_nobody_to_decide_it_any_more(county: County) -> None:
    reference = submit(county)
    act(county, "dp1", "decline", reference, 1, reason_code="outside_the_area", instead="The railway's own line.")
    request = current_session().scalars(select(TicketRequest.id)).one()
    act(county, "su", "decide", reference, 2, request=request, decision="refused", text="It is ours.")
    assert told(county, "request.decline.made") == set()
    assert told(county, "request.decline.refused") == {"dp1"}


def alarm(county: County, reference: str, audience: str, unit: str | None = None) -> None:
    with transaction() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.reference == reference)).one()
        unit_id = county.units[unit].id if unit else None
        payload = {"clock_id": 0, "kind": "resolution", "label": "100%", "audience": audience, "unit_id": unit_id}
        publish(session, "sla.alarm", now=START, ticket_id=ticket.id, payload={**payload, "is_breach": True})


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("handler", {"hw", "hw2"}),
        ("unit_head", {"lw"}),
        ("supervisor", {"su"}),
        ("leader", {"lr"}),
        ("dispatcher", {"dp1"}),
        ("adjudicator", {"ad"}),
        ("submitter", {"seat s"}),
        ("nobody at all", set()),
    ],
)
def test_alarm_goes_to_the_nearest_who_can_do_something(county: County, audience: str, expected: set[str]) -> None:
    alarm(county, submit(county, category="water"), audience, "water")
    assert told(county, "sla.alarm") == expected


def test_alarm_of_a_ticket_about_the_leader_passes_over_them(county: County) -> None:
    reference = submit(county, about=["lp"])
    act(county, "d", "dispatch", reference, lead="b")
    alarm(county, reference, "leader", "b")
    assert told(county, "sla.alarm") == {"lr"}
