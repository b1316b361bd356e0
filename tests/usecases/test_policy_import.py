"""Policies from files: the defaults of the site, what is refused, versions, and which clocks an edit reaches."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import SYSTEM
from feedback.kernel.audit import AuditEntry
from feedback.kernel.errors import Forbidden
from feedback.sla.defaults import install_deadline_defaults
from feedback.sla.facts import Facts
from feedback.sla.models import SlaClock, SlaPolicy
from feedback.sla.policy_import import import_policies
from feedback.sla.queries import live_policies, match_policy
from feedback.sla.rollout import Rollout
from feedback.supervision.open_tickets import OpenTickets
from feedback.tickets.models import Ticket
from tests.support.calendars import at
from tests.support.county import START, County
from tests.support.story import PLAIN, Story

HEADER = "name,order,kind,urgency,category,unit,calendar,first_response,resolution,alarms\n"


def take(rows: str, **more: bool) -> Rollout:
    return import_policies((HEADER + rows).encode(), "p.csv", actor=SYSTEM, now=START, tickets=OpenTickets(), **more)


def facts(county: County, **changes: object) -> Facts:
    fields: dict[str, object] = {
        "kind": "demand",
        "urgency": "normal",
        "category": "water/leak",
        "area_codes": ("village", "town", "p1", "root"),
        "area_id": county.units["village"].id,
    }
    return Facts(**{**fields, **changes})  # type: ignore[arg-type]


# The table of deadlines, typed again: critical, urgent, normal, complex; "-" takes the demand's amount.
TABLE = """
dispatch             15min 30min 4wh 1wd
signing              15min 1h 4wh 1wd
first_response       30min 2h 1wd 1wd
return_window        none 2h 1wd 1wd
resolution:question  2h 1d 2wd 3wd
resolution:demand    2h 1d 5wd 15wd
resolution:suggestion - - 10wd 15wd
resolution:burden_lead - 1d 7wd 15wd
rework               2h 1d 5wd 10wd
confirmation         2d 3d 5wd 5wd
leg_floor            30min 4h 2wd 5wd
assist               1h 8h 3wd 7wd
decision             15min 1h 1wd 1wd
adjudication         1h 4h 1wd 2wd
appeal               5wd 5wd 5wd 5wd
wait                 2h 1d 5wd 5wd
urge                 30min 2h 1wd 1wd
whistle              30min 4h 3wd 5wd
"""
URGENCIES = ("critical", "urgent", "normal", "complex")
KINDS = ("question", "demand", "suggestion", "burden_lead")


@pytest.mark.parametrize("line", TABLE.split("\n")[1:-1], ids=lambda line: line.split()[0])
def test_default_policies_hold_the_whole_table(county: County, line: str) -> None:
    name, *amounts = line.split()
    column, _, only = name.partition(":")
    demand = {"resolution": ["2h", "1d", "5wd", "15wd"]}
    for place, urgency in enumerate(URGENCIES):
        for kind in KINDS:
            if only and kind != only:
                continue
            expected = demand[column][place] if amounts[place] == "-" else amounts[place]
            policy = match_policy(county.session, facts(county, kind=kind, urgency=urgency))
            assert policy is not None
            found = policy.amounts.get(column) or "none"
            assert found == expected, (kind, urgency)


def test_default_ladder_is_the_written_one(county: County) -> None:
    policies = live_policies(county.session)
    assert len(policies) == 16
    assert {policy.alarms for policy in policies} == {"50%:handler;80%:unit_head;100%:supervisor;+1wd:leader"}


def test_installing_the_defaults_again_changes_nothing(session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(SlaPolicy))
    install_deadline_defaults(now=START)
    assert session.scalar(select(func.count()).select_from(SlaPolicy)) == before


def test_lowest_order_that_fits_is_used(county: County) -> None:
    """Case 30: narrower conditions count only through the order."""
    take("water,20,,,water,,,1wd,3wd,\ntown,10,,,,town,,1wd,4wd,\nroads,5,,,roads,,,1wd,9wd,\n")

    def resolution(**changes: object) -> object:
        policy = match_policy(county.session, facts(county, **changes))
        return policy.amounts["resolution"] if policy else None

    assert resolution() == "4wd"
    assert resolution(area_codes=("p2", "root")) == "3wd"
    assert resolution(area_codes=("p2", "root"), category="water") == "3wd"
    assert resolution(area_codes=("p2", "root"), category="waterworks") == "5wd"
    assert resolution(area_codes=("p2", "root"), category=None) == "5wd"


def test_ticket_that_no_policy_fits_gets_the_last_one(county: County) -> None:
    """Case 31."""
    policy = match_policy(county.session, facts(county, urgency="whatever"))
    assert policy is not None
    assert policy.name == "complex burden lead"


def test_tie_is_refused_and_other_rows_are_taken(session: Session) -> None:
    """Case 30: the same order and a ticket that both could fit."""
    outcome = take("a,10,demand,,,,,1wd,3wd,\nb,10,question,,,,,1wd,2wd,\n")
    assert (outcome.result.added, outcome.result.is_clean) == (2, True), "no ticket is both"
    outcome = take("c,10,demand,urgent,,,,1h,1d,\nd,11,,,,,,1wd,2wd,\n")
    assert [(error.number, error.column) for error in outcome.result.errors] == [(2, "order")]
    assert "a" in str(outcome.result.errors[0].text)
    assert outcome.result.added == 1


@pytest.mark.parametrize(
    ("first", "second", "is_tie"),
    [
        ("water,", "water/leak,", True),
        ("water,", "waterworks,", False),
        (",town", ",p1", True),
        (",town", ",p2", False),
        (",", ",p2", True),
    ],
)
def test_tie_is_seen_through_categories_and_the_tree(county: County, first: str, second: str, is_tie: bool) -> None:
    outcome = take(f"a,10,,,{first},,1wd,3wd,\nb,10,,,{second},,1wd,3wd,\n")
    assert outcome.result.is_clean is not is_tie


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("x,10,,,,,,1wd,0wd,\n", "resolution"),
        ("x,10,,,,,,1wd,-1wd,\n", "resolution"),
        ("x,10,,,,,,1wd,2 weeks,\n", "resolution"),
        ("x,10,,,,,,5wd,2wd,\n", "first_response"),
        ("x,0,,,,,,1wd,2wd,\n", "order"),
        ("x,soon,,,,,,1wd,2wd,\n", "order"),
        (",10,,,,,,1wd,2wd,\n", "name"),
        ("x,10,complaint,,,,,1wd,2wd,\n", "kind"),
        ("x,10,,high,,,,1wd,2wd,\n", "urgency"),
        ("x,10,,,,nowhere,,1wd,2wd,\n", "unit"),
        ("x,10,,,,,nowhere,1wd,2wd,\n", "calendar"),
        ("x,10,,,,,,1wd,2wd,50%:mayor\n", "alarms"),
    ],
)
def test_wrong_row_is_refused_with_its_column(session: Session, row: str, column: str) -> None:
    """Cases 28 and 29 among them: zero is refused, and a response later than the resolution."""
    outcome = take(row)
    assert [(error.number, error.column) for error in outcome.result.errors] == [(2, column)]
    assert outcome.result.added == 0


def test_edit_makes_a_version_and_leaves_running_clocks_alone(any_county: County) -> None:
    Story(any_county).submit(text=PLAIN)
    outcome = take("normal demand,1080,demand,normal,,,,1wd,3wd,\n")
    assert (outcome.result.updated, outcome.moves) == (1, [])
    session = any_county.session
    session.rollback()
    clock = session.scalars(select(SlaClock).where(SlaClock.kind == "resolution")).one()
    old = session.get_one(SlaPolicy, clock.policy_id)
    assert (old.version, old.superseded_at) == (1, START)
    assert clock.amount == "5wd"
    newer = Story(any_county).submit(text=PLAIN)
    resolution = select(SlaClock.amount).where(SlaClock.kind == "resolution", SlaClock.ticket_id == newer.ticket.id)
    assert session.scalars(resolution).one() == "3wd"


def test_dry_run_tells_what_apply_to_open_then_does(any_county: County) -> None:
    """A policy for one category reaches the open tickets of that category; what was met stays."""
    story, other = Story(any_county).submit(), Story(any_county).submit(text=PLAIN)
    session = any_county.session
    row = "water,10,,,water,,,1wd,1wd,\n"
    tried = take(row, apply_to_open=True, is_dry_run=True)
    session.rollback()
    assert session.scalar(select(SlaPolicy.id).where(SlaPolicy.name == "water")) is None
    assert not session.scalars(select(AuditEntry).where(AuditEntry.action == "policies.imported")).all()
    done = take(row, apply_to_open=True)
    assert [move.as_json() for move in tried.moves] == [move.as_json() for move in done.moves]
    assert {move.reference for move in done.moves} == {story.reference}
    session.rollback()
    ticket = session.get_one(Ticket, story.ticket.id)
    clock = session.scalars(
        select(SlaClock).where(SlaClock.ticket_id == ticket.id, SlaClock.kind == "resolution")
    ).one()
    assert ticket.due_at == clock.due_at
    assert clock.amount == "1wd"
    untouched = session.scalars(
        select(SlaClock).where(SlaClock.ticket_id == other.ticket.id, SlaClock.kind == "resolution")
    ).one()
    assert untouched.amount == "5wd"


def test_apply_to_open_says_what_would_breach(county: County) -> None:
    story = Story(county).submit(text=PLAIN)
    later = import_policies(
        (HEADER + "quick,1,,,,,,30min,30min,\n").encode(),
        "p.csv",
        actor=SYSTEM,
        now=at("2026-03-04 09:00"),
        tickets=OpenTickets(),
        apply_to_open=True,
        is_dry_run=True,
    )
    assert [(move.reference, move.is_breach) for move in later.moves if move.kind == "resolution"] == [
        (story.reference, True)
    ]


def test_only_an_admin_may_import(county: County) -> None:
    with pytest.raises(Forbidden):
        import_policies(b"", "p.csv", actor=county.actor("su"), now=START)
    assert import_policies(
        (HEADER + "x,10,,,,,,1wd,2wd,\n").encode(), "p.csv", actor=county.actor("adm"), now=START
    ).result.is_clean
