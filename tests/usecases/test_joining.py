"""Tickets on one matter are joined: the elder's clocks stand, each who raised it votes, and each may part again."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from feedback.kernel.db import db
from feedback.kernel.errors import Conflict, Invalid, NotFound, Refused
from feedback.notifications.delivery import drain
from feedback.notifications.queries import list_notices
from feedback.reading.look_alikes import Asked, find_look_alikes
from feedback.reading.needs import list_waiting
from feedback.reading.queries import list_tickets, ticket_view
from feedback.reading.search import TicketFilters
from feedback.reading.timeline import list_timeline
from feedback.reports.invariants import find_faults
from feedback.sla.models import SlaClock
from feedback.tickets.actions import run_action
from feedback.tickets.models import Seat, Ticket
from feedback.tickets.summaries import summary_of
from feedback.tickets.visibility import get_ticket
from tests.support.county import County
from tests.support.journey import Journey

CADRES = ("s", "s2", "s3")


@pytest.fixture
def journey(county: County) -> Journey:
    county.add_person("s3", "submitter@village")
    return Journey(county)


@pytest.fixture
def any_journey(any_county: County) -> Journey:
    any_county.add_person("s3", "submitter@village")
    return Journey(any_county)


def raise_three(journey: Journey) -> list[str]:
    """The same matter from three people, the eldest first; the two younger ones joined by the dispatcher."""
    found = [journey.submit(by=login, text=f"The square is dark, says {login}") for login in CADRES]
    journey.act(found[0], "dispatch", "dp1", lead="water")
    for younger in found[1:]:
        journey.act(younger, "join", "dp1", into=found[0])
    return found


def claim(journey: Journey, reference: str) -> None:
    """The lead says that it is done (after signing for it, where that is still to do)."""
    if state_of(journey, reference) == "dispatched":
        journey.act(reference, "acknowledge", "hw")
    journey.act(reference, "resolve", "hw", outcome="solved", text="A new lamp was put in")


def state_of(journey: Journey, reference: str) -> str:
    found = journey.ticket(reference)
    return f"{found.status}.{found.closure_reason}" if found.closure_reason else found.status


def is_sound(journey: Journey) -> bool:
    journey.county.session.rollback()
    return [str(fault) for fault in find_faults(journey.county.session)] == []


def test_three_joined_vote_and_one_dispute_sends_it_back_for_all(any_journey: Journey) -> None:
    journey = any_journey
    elder, *younger = raise_three(journey)
    assert [state_of(journey, one) for one in younger] == ["closed.joined", "closed.joined"]
    claim(journey, elder)
    journey.act(elder, "confirm", "s", verdict="solved")
    assert state_of(journey, elder) == "resolved"
    shown = {login: "confirm" in steps_shown(journey, elder, login) for login in ("s", "s2", "hw", "lr")}
    assert shown == {"s": True, "s2": False, "hw": False, "lr": True}, "nobody is pressed by what others said"
    journey.act(elder, "dispute", "s2", reason="My side of the square is still dark")
    assert state_of(journey, elder) == "in_progress"
    assert journey.ticket(elder).round == 2
    claim(journey, elder)
    for login in ("s", "s2"):
        journey.act(elder, "confirm", login, verdict="solved")
        assert state_of(journey, elder) == "resolved", login
    journey.act(elder, "confirm", "s3", verdict="partly")
    assert state_of(journey, elder) == "closed.confirmed"
    assert is_sound(journey)


def steps_shown(journey: Journey, reference: str, login: str) -> list[str]:
    reader = journey.county.actor(login, journey.now)
    ticket = get_ticket(journey.county.session, reader, reference)
    return [item.action for item in list_timeline(journey.county.session, ticket, reader, journey.now)]


@pytest.mark.parametrize(("spoke", "ending"), [(("s2",), "closed.confirmed"), ((), "closed.unanswered")])
def test_where_the_time_ends_one_word_counts_and_silence_stays_silence(
    journey: Journey, spoke: tuple[str, ...], ending: str
) -> None:
    elder, *_younger = raise_three(journey)
    claim(journey, elder)
    for login in spoke:
        journey.act(elder, "confirm", login, verdict="solved")
    journey.act(elder, "lapse", "system")
    assert state_of(journey, elder) == ending
    assert is_sound(journey)


def test_an_elder_that_is_joined_in_turn_takes_everybody_along(any_journey: Journey) -> None:
    journey = any_journey
    eldest = journey.submit_elder(by="s3")
    elder = journey.submit(by="s")
    younger = journey.submit(by="s2")
    journey.act(younger, "join", "dp1", into=elder)
    journey.act(elder, "join", "dp1", into=eldest)
    seats = {login: seat_of(journey, eldest, login) for login in CADRES}
    assert all(seats.values())
    assert journey.ticket(younger).joined_into_id == journey.ticket(eldest).id
    with pytest.raises(NotFound):
        get_ticket(journey.county.session, journey.county.actor("s2"), elder)
    journey.act(younger, "unjoin", "s2", reason="Mine is the lamp by the well")
    assert state_of(journey, younger) == "submitted"
    assert seat_of(journey, eldest, "s2") is None
    assert seat_of(journey, eldest, "s") is not None
    assert is_sound(journey)


def seat_of(journey: Journey, reference: str, login: str) -> Seat | None:
    """The seat that this person holds on the ticket now."""
    key = journey.county.actor(login).submitter_key
    query = select(Seat).where(Seat.ticket_id == journey.ticket(reference).id, Seat.submitter_key == key)
    return journey.county.session.scalars(query.where(Seat.left_at.is_(None))).first()


def test_a_ticket_taken_apart_goes_on_by_its_own_clocks_and_the_time_joined_is_a_pause(journey: Journey) -> None:
    elder = journey.submit(by="s")
    younger = journey.submit(by="s2")
    journey.act(younger, "dispatch", "dp1", lead="water")
    before = journey.ticket(younger).due_at
    assert before is not None
    journey.act(younger, "join", "dp1", into=elder)
    assert journey.ticket(younger).due_at is None
    assert open_clocks(journey, younger) == []
    journey.now += timedelta(days=7)
    journey.act(younger, "unjoin", "dp1", reason="It is another lamp")
    after = journey.ticket(younger)
    assert state_of(journey, younger) == "dispatched"
    assert after.due_at is not None
    assert timedelta(days=6) < after.due_at - before < timedelta(days=8)
    assert {"resolution", "signing", "leg"} <= set(open_clocks(journey, younger))
    assert seat_of(journey, elder, "s2") is None
    journey.act(younger, "acknowledge", "hw")
    assert is_sound(journey)


def open_clocks(journey: Journey, reference: str) -> list[str]:
    ticket = journey.ticket(reference)
    running = (SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None))
    return list(journey.county.session.scalars(select(SlaClock.kind).where(SlaClock.ticket_id == ticket.id, *running)))


def test_a_ticket_joined_while_a_question_waits_is_in_work_again_when_it_parts(journey: Journey) -> None:
    elder = journey.submit_elder()
    younger = journey.to("waiting_for_submitter")
    journey.act(younger, "join", "dp1", into=elder)
    journey.act(younger, "unjoin", "dp1", reason="It is another lamp")
    assert state_of(journey, younger) == "in_progress"
    assert is_sound(journey)


def test_nobody_joins_what_can_not_be_joined(journey: Journey) -> None:
    elder, younger = journey.submit(by="s"), journey.submit(by="s2")
    refused = {
        "itself": (younger, younger),
        "younger": (elder, younger),
        "unknown": (younger, "ZD-22222-22222"),
        "strange": (younger, "' OR 1=1 --"),
    }
    for ticket, into in refused.values():
        with pytest.raises(Invalid) as invalid:
            journey.act(ticket, "join", "dp1", into=into)
        assert list(invalid.value.errors) == ["into"]
    with pytest.raises(Invalid):
        journey.act(younger, "join", "s2", into=elder)  # a submitter may not see another's ticket
    journey.act(elder, "withdraw", "s", reason="It shines again")
    with pytest.raises(Conflict) as closed:
        journey.act(younger, "join", "dp1", into=elder)
    assert closed.value.code == "elder_closed"
    assert state_of(journey, younger) == "submitted"


def test_no_circle_and_no_second_elder(journey: Journey) -> None:
    eldest = journey.submit_elder(by="s3")
    elder, younger = journey.submit(by="s"), journey.submit(by="s2")
    journey.act(elder, "join", "dp1", into=eldest)
    with pytest.raises(Conflict) as joined:
        journey.act(younger, "join", "dp1", into=elder)
    assert joined.value.code == "elder_joined"
    with pytest.raises(Invalid):
        journey.act(eldest, "join", "dp1", into=elder)
    with pytest.raises(Conflict):
        journey.act(elder, "join", "dp1", into=eldest)


def test_a_ticket_about_somebody_is_never_joined(journey: Journey) -> None:
    elder = journey.submit_elder(about=["roads"])
    younger = journey.submit(by="s")
    with pytest.raises(Invalid):
        journey.act(younger, "join", "dp1", into=elder)


def test_a_submitter_joins_by_a_published_summary_and_reads_no_word_of_the_other(any_journey: Journey) -> None:
    journey = any_journey
    elder = journey.submit(by="s", text="Old Wang's lamp on the square is dark")
    journey.act(elder, "publish_summary", "dp1", text="A lamp is dark on the square")
    summary = summary_of(journey.county.session, journey.ticket(elder))
    assert summary is not None
    token = summary.token
    younger = journey.submit(by="s2", text="Nobody sees the steps at night")
    journey.act(younger, "join", "s2", into=token)
    assert state_of(journey, younger) == "closed.joined"
    claim_after_dispatch(journey, elder)
    session, reader = journey.county.session, journey.county.actor("s2", journey.now)
    view = ticket_view(session, get_ticket(session, reader, elder), reader, journey.now)
    assert (view.title, view.text) == ("Nobody sees the steps at night", "Nobody sees the steps at night")
    assert view.raised.by == 2
    assert {"confirm", "dispute"} <= set(view.allowed_actions)
    assert "withdraw" not in view.allowed_actions
    drain(now=journey.now, settings=current_app.config["SETTINGS"])
    titles = {notice.title for notice in list_notices(session, reader).items}
    assert titles == {"Nobody sees the steps at night"}
    found = list_tickets(session, reader, TicketFilters(q="Wang"), now=journey.now)
    assert found.items == []
    alike = find_look_alikes(
        session, reader, Asked(None, "Old Wang's lamp on the square is dark"), now=journey.now, least=0
    )
    assert {one.title for one in alike} == {"Nobody sees the steps at night"}


def claim_after_dispatch(journey: Journey, reference: str) -> None:
    journey.act(reference, "dispatch", "dp1", lead="water")
    claim(journey, reference)


def test_a_submitter_joins_while_submitting_and_the_department_is_not_bothered_twice(journey: Journey) -> None:
    journey.county.add_catalogue("lamps", "roads", "lamp")
    elder = journey.submit(by="s", text="The square is dark")
    journey.act(elder, "publish_summary", "dp1", text="It is dark on the square")
    summary = summary_of(journey.county.session, journey.ticket(elder))
    assert summary is not None
    token = summary.token
    younger = journey.submit(by="s2", text="No lamp burns on the square", join=token)
    assert state_of(journey, younger) == "closed.joined"
    assert journey.ticket(younger).first_dispatched_at is None
    assert seat_of(journey, elder, "s2") is not None
    journey.act(elder, "withdraw_summary", "dp1")
    late = journey.submit(by="s3", text="No lamp burns on the square", join=token)
    assert state_of(journey, late) == "dispatched", "what can't be joined goes its own way"
    assert is_sound(journey)


def test_one_person_has_one_vote_however_often_they_raise_it(journey: Journey) -> None:
    elder, younger = journey.submit(by="s"), journey.submit(by="s")
    journey.act(younger, "join", "s", into=elder)
    claim_after_dispatch(journey, elder)
    journey.act(elder, "confirm", "s", verdict="solved")
    assert state_of(journey, elder) == "closed.confirmed"


def test_whoever_has_voted_is_asked_no_more_and_the_elder_can_not_be_withdrawn(journey: Journey) -> None:
    elder, *_younger = raise_three(journey)
    with pytest.raises(Conflict) as refused:
        journey.act(elder, "withdraw", "s", reason="It shines again", asked_to=False)
    assert refused.value.code == "others_joined"
    claim(journey, elder)
    journey.act(elder, "confirm", "s", verdict="solved")
    waiting = {
        login: [
            need.row.reference
            for need in list_waiting(
                journey.county.session, journey.county.actor(login, journey.now), journey.now
            ).needs
        ]
        for login in CADRES
    }
    assert waiting == {"s": [], "s2": [elder], "s3": [elder]}


def test_two_joins_at_once_make_two_seats(any_app: Flask, any_journey: Journey) -> None:
    journey = any_journey
    elder, *younger = [journey.submit(by=login) for login in CADRES]
    barrier, failed = Barrier(2), []

    dispatcher, now = journey.county.actor("dp1", journey.now), journey.now + timedelta(seconds=5)

    def join(reference: str) -> None:
        with any_app.app_context():
            barrier.wait()
            try:
                run_action("join", reference, {"into": elder}, actor=dispatcher, now=now)
            except Refused as error:
                failed.append(error)
            finally:
                db.session.remove()

    journey.county.session.rollback()
    threads = [Thread(target=join, args=(reference,)) for reference in younger]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    seats = select(Seat).where(Seat.ticket_id == journey.ticket(elder).id)
    assert len(journey.county.session.scalars(seats).all()) == 3
    states = journey.county.session.scalars(select(Ticket.closure_reason).where(Ticket.reference.in_(younger)))
    assert set(states) == {"joined"}
    assert is_sound(journey)
