"""Who sees which ticket: object, list and count agree, and what a ticket is about shuts people out."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import func, select

from feedback.intake.submission import submit_ticket
from feedback.kernel.errors import Forbidden, Invalid, NotFound
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.people.models import Deputy
from feedback.tickets.actions import ACTIONS, run_action
from feedback.tickets.identity import submitters
from feedback.tickets.models import Identity, Seat, Ticket, TimelineEntry
from feedback.tickets.visibility import get_ticket, standings, visible
from tests.support.county import PEOPLE, START, County
from tests.support.story import PLAIN, Story

LOGINS = [login for login, _ in PEOPLE]


def sees(county: County, login: str, reference: str) -> bool:
    """Whether the object check lets them in; the SQL filter is held against it."""
    actor = county.actor(login)
    try:
        get_ticket(county.session, actor, reference)
        found = True
    except NotFound:
        found = False
    listed = county.session.scalars(select(Ticket.reference).where(visible(actor))).all()
    counted = county.session.scalar(select(func.count()).select_from(Ticket).where(visible(actor)))
    assert (reference in listed) == found
    assert counted == len(listed)
    return found


def watchers(county: County, reference: str) -> set[str]:
    return {login for login in LOGINS if sees(county, login, reference)}


def test_only_those_concerned_see_a_ticket(any_county: County) -> None:
    story = Story(any_county).submit()
    assert watchers(any_county, story.reference) == {
        "s", "hw", "hw2", "lw", "dp1", "d", "d2", "su", "ad", "lp", "lr",
    }  # fmt: skip


def test_another_branch_and_admin_and_auditor_see_nothing(any_county: County) -> None:
    any_county.add_person("lp2", "leader@p2")
    story = Story(any_county).submit(category="works/a")
    assert not {"adm", "au", "x", "s2", "hb", "hw"} & watchers(any_county, story.reference)
    assert not sees(any_county, "lp2", story.reference)


def test_former_unit_keeps_reading_a_named_ticket_but_not_a_confidential_one(any_county: County) -> None:
    for privacy, still in (("named", True), ("confidential", False)):
        story = (
            Story(any_county)
            .submit(privacy=privacy, area="village")
            .act("dp1", "transfer", unit="roads", reason="应由道路部门办理")
        )
        assert sees(any_county, "hw", story.reference) is still
        assert sees(any_county, "hr", story.reference)


def test_ticket_about_a_head_is_invisible_to_that_unit(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN, about=["la"])
    assert story.state == "submitted"
    assert story.ticket.routing["reason"] == "about_someone"
    seen_by = watchers(any_county, story.reference)
    assert not {"la", "ha"} & seen_by
    assert {"s", "dp1", "d"} <= seen_by
    with pytest.raises(Invalid) as refused:
        story.act("dp1", "dispatch", lead="a")
    assert "lead" in refused.value.errors


def test_ticket_about_an_office_is_worked_by_the_office_above(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN, about=["p1"])
    assert not {"dp1", "lp"} & watchers(any_county, story.reference)
    story.act("d", "dispatch", lead="water")
    assert story.state == "dispatched"


def test_ticket_about_the_root_is_worked_by_its_named_dispatcher_and_no_office_below(any_county: County) -> None:
    with transaction() as session:
        put_setting(session, "root_dispatchers", ["d"], now=START)
    story = Story(any_county).submit(text=PLAIN, about=["root"])
    with pytest.raises(Forbidden):
        story.act("dp1", "dispatch", lead="water")
    story.act("d", "dispatch", lead="water")
    assert story.state == "dispatched"


def test_office_below_works_it_and_office_above_only_reads(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    with pytest.raises(Forbidden):
        story.act("d", "dispatch", lead="water")
    story.act("dp1", "dispatch", lead="water")


def test_deputies_of_whom_it_is_about_are_shut_out(any_county: County) -> None:
    with transaction() as session:
        session.add(Deputy(account_id=any_county.accounts["la"].id, deputy_id=any_county.accounts["dp1"].id))
    story = Story(any_county).submit(text=PLAIN, about=["la"])
    assert not sees(any_county, "dp1", story.reference)


def test_its_own_submitter_sees_it_even_if_it_is_about_their_unit(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN, about=["village"])
    assert sees(any_county, "s", story.reference)
    assert not sees(any_county, "s2", story.reference)


def test_moved_person_sees_by_the_new_role_at_once(any_county: County) -> None:
    story = Story(any_county).submit()
    assert sees(any_county, "hw", story.reference)
    with transaction() as session:
        for grant in session.get_one(type(any_county.accounts["hw"]), any_county.accounts["hw"].id).grants:
            grant.valid_to = START
    assert not sees(any_county, "hw", story.reference)


def test_confidential_submitter_is_an_alias_to_everybody(any_county: County) -> None:
    story = Story(any_county).submit(privacy="confidential").act("hw", "acknowledge")
    session, ticket = any_county.session, story.ticket
    seat = session.scalars(select(Seat).where(Seat.ticket_id == ticket.id)).one()
    shown = submitters(session, [seat])[seat.id]
    assert (shown.login, shown.name) == (None, None)
    assert shown.town_id == any_county.units["root"].id, "fewer than five could have written in that town"
    by_seat = session.scalars(select(TimelineEntry).where(TimelineEntry.ticket_id == ticket.id)).all()
    assert by_seat[0].account_id is None
    assert by_seat[0].seat_id == seat.id
    sealed = session.get_one(Identity, seat.id).sealed
    assert b"account_id" not in sealed, "kept encrypted"


def test_protected_ticket_without_an_area_does_not_lie_in_its_submitters_village(any_county: County) -> None:
    few = Story(any_county).submit(privacy="confidential")
    assert few.ticket.area_id == any_county.units["root"].id
    for number in range(4):
        any_county.add_person(f"more{number}", "submitter@town")
    assert Story(any_county).submit(privacy="confidential").ticket.area_id == any_county.units["town"].id
    assert Story(any_county).submit().ticket.area_id == any_county.units["village"].id


def test_town_is_named_where_five_could_have_written(any_county: County) -> None:
    for number in range(4):
        any_county.add_person(f"more{number}", "submitter@town")
    story = Story(any_county).submit(privacy="confidential")
    seat = any_county.session.scalars(select(Seat).where(Seat.ticket_id == story.ticket.id)).one()
    assert seat.town_id == any_county.units["town"].id


def test_on_behalf_only_the_person_it_is_for_confirms(any_county: County) -> None:
    story = Story(any_county)
    story.submit("dp1", on_behalf_of={"login": "s"})
    assert story.ticket.channel == "on_behalf"
    story.act("hw", "acknowledge").act("hw", "resolve", outcome="solved", text="已修好并试水")
    with pytest.raises(Forbidden):
        story.act("dp1", "confirm", verdict="solved")
    story.act("s", "confirm", verdict="solved")
    assert story.state == "closed.confirmed"


def test_submitter_may_not_write_for_somebody_else(any_county: County) -> None:
    with pytest.raises(Forbidden):
        Story(any_county).submit("s", on_behalf_of={"login": "s2"})


def test_handler_must_say_for_whom(any_county: County) -> None:
    with pytest.raises(Invalid) as refused:
        Story(any_county).submit("hw")
    assert "on_behalf_of" in refused.value.errors


def test_anonymous_is_refused_with_a_sentence(any_county: County) -> None:
    with pytest.raises(Invalid) as refused:
        submit_ticket({"text": PLAIN, "privacy": "anonymous"}, actor=any_county.actor("s"), now=START)
    assert "confidential" in str(refused.value.errors["privacy"])


def test_bad_fields_are_all_named_and_nothing_is_kept(any_county: County) -> None:
    fields = {
        "text": PLAIN,
        "category": "no/such",
        "area": "nowhere",
        "about": ["nobody"],
        "urgency": "complex",
    }
    with pytest.raises(Invalid) as refused:
        submit_ticket(fields, actor=any_county.actor("s"), now=START)
    assert set(refused.value.errors) == {"category", "area", "about.0", "urgency"}
    assert any_county.session.scalar(select(func.count()).select_from(Ticket)) == 0


def test_standings_agree_with_visibility_for_everybody(any_county: County) -> None:
    stories = [
        Story(any_county).submit(),
        Story(any_county).submit(text=PLAIN, about=["p1"]),
        Story(any_county).submit(category="works/a", privacy="confidential"),
    ]
    for story, login in itertools.product(stories, LOGINS):
        actor = any_county.actor(login)
        related = any(s.relation != "none" for s in standings(any_county.session, actor, story.ticket, START))
        assert related == sees(any_county, login, story.reference), (login, story.reference)


def test_nobody_out_of_sight_can_do_anything(any_county: County) -> None:
    story = Story(any_county).submit(category="works/a")
    for login, name in itertools.product(("hb", "s2", "x", "adm"), sorted(ACTIONS)):
        with pytest.raises(NotFound):
            run_action(name, story.reference, {}, actor=any_county.actor(login), now=story.now)
    assert story.ticket.version == 2
