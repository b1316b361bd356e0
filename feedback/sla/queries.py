"""Reads of policies, clocks and pauses, and whose calendar counts for a clock. Never writes (though it holds rows)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from feedback.calendars.models import BusinessCalendar
from feedback.calendars.queries import calendar_code, find_calendar, get_calendar
from feedback.calendars.usecases import SITE_CODE
from feedback.kernel.db import flushed
from feedback.kernel.memo import remembered
from feedback.kernel.reference import kept
from feedback.kernel.site import get_setting
from feedback.people.queries import all_units, units_by_id
from feedback.sla.clock import Extension, PauseSpan
from feedback.sla.facts import Facts
from feedback.sla.models import PAUSED_KINDS, SlaClock, SlaPause, SlaPolicy

UNIT_KINDS = frozenset({"leg", "signing"})
"""Kinds that run by the calendar of the unit that works; all others by that of the ticket's area at receipt."""
PAUSES_ALL = "closed"
"""The reason of a pause that stops every clock: the ticket was closed in between."""


def live_policies(session: Session) -> list[SlaPolicy]:
    """The policies in force, in the order in which they are tried."""
    query = select(SlaPolicy).where(SlaPolicy.superseded_at.is_(None)).order_by(SlaPolicy.order, SlaPolicy.id)
    return list(session.scalars(query))


def match_policy(session: Session, facts: Facts) -> SlaPolicy | None:
    """The first policy in order that fits; where none does, the last one; None where there is none at all."""
    return choose_policy(kept(session, "policies", live_policies), facts)


def choose_policy(policies: Sequence[SlaPolicy], facts: Facts) -> SlaPolicy | None:
    """As `match_policy`, out of policies that are read already and in order."""
    return next((policy for policy in policies if fits(policy, facts)), policies[-1] if policies else None)


def fits(policy: SlaPolicy, facts: Facts) -> bool:
    """Whether every condition that the policy names holds."""
    return (
        policy.kind in (None, facts.kind)
        and policy.urgency in (None, facts.urgency)
        and (policy.unit_code is None or policy.unit_code in facts.area_codes)
        and (policy.category is None or is_within(facts.category, policy.category))
    )


def is_within(path: str | None, category: str) -> bool:
    """Whether a category's path is that category or below it."""
    return path is not None and (path == category or path.startswith(f"{category}/"))


def clocks_of(session: Session, ticket_id: int) -> list[SlaClock]:
    """Every clock of a ticket, open or not, the eldest first.

    Inside a writing transaction they are read once and stay held until its end; `add_clock` adds what it starts.
    """

    def read() -> list[SlaClock]:
        if not session.info.get("writing"):
            return list(session.scalars(_CLOCKS, {"id": ticket_id}))
        with flushed(session, SlaClock):
            return list(session.scalars(_CLOCKS_HELD, {"id": ticket_id}))

    return remembered(session, ("clocks", ticket_id), read) if session.info.get("writing") else read()


def begin_clocks(session: Session, ticket_id: int) -> None:
    """A ticket that has just been made has no clocks and no pauses: nothing needs to be asked."""
    remembered(session, ("clocks", ticket_id), list)
    remembered(session, ("pauses", ticket_id), list)


def add_clock(session: Session, clock: SlaClock) -> None:
    """Put a clock that has just been laid to the others of its ticket."""
    clocks_of(session, clock.ticket_id).append(clock)
    session.add(clock)


def resolutions(session: Session, ticket_id: int) -> Sequence[SlaClock]:
    """The ticket's resolution clocks, open or not, the newest round last."""
    found = [clock for clock in clocks_of(session, ticket_id) if clock.kind == "resolution"]
    return sorted(found, key=lambda clock: clock.round)


def open_resolution(session: Session, ticket_id: int) -> SlaClock | None:
    """The newest of them that runs."""
    return next((clock for clock in reversed(resolutions(session, ticket_id)) if clock.is_open), None)


def hold_clocks(
    session: Session,
    ticket_id: int,
    kind: str | None = None,
    *,
    leg_id: int | None = None,
    request_id: int | None = None,
) -> list[SlaClock]:
    """The ticket's clocks that run, held for writing as they are now (the sweep may have just written them).

    Those that are followed by others come first.
    """
    found = [
        clock
        for clock in clocks_of(session, ticket_id)
        if clock.is_open
        and kind in (None, clock.kind)
        and leg_id in (None, clock.leg_id)
        and request_id in (None, clock.request_id)
    ]
    return sorted(found, key=lambda clock: clock.follows_id is not None)


def held(query: Select[SlaClock]) -> Select[SlaClock]:
    """The query such that its rows stay with this transaction, as they are now and not as they were read before."""
    return query.with_for_update().execution_options(populate_existing=True)


_CLOCKS = select(SlaClock).where(SlaClock.ticket_id == bindparam("id")).order_by(SlaClock.id)
_CLOCKS_HELD = held(_CLOCKS)
_PAUSES = select(SlaPause).where(SlaPause.ticket_id == bindparam("id")).order_by(SlaPause.started_at)


def policy_of_ticket(session: Session, clocks: Sequence[SlaClock], facts: Facts) -> SlaPolicy | None:
    """The policy of the newest of a ticket's resolution clocks; for a ticket without one, the policy that fits."""
    return get_policy(session, clocks[-1].policy_id) if clocks else match_policy(session, facts)


def get_policy(session: Session, policy_id: int) -> SlaPolicy:
    """A version by its id, to be read only."""
    return kept(session, "policy_versions", lambda reading: {p.id: p for p in reading.scalars(select(SlaPolicy))})[
        policy_id
    ]


def calendar_for_unit(session: Session, unit_id: int | None) -> BusinessCalendar:
    """The calendar of the nearest unit upwards that has one, else the site's."""
    unit = all_units(session).get(unit_id) if unit_id else None
    if unit is not None:
        ids = unit.ancestor_ids()
        above = units_by_id(session, ids)
        for code in (above[i].calendar_code for i in ids if i in above):
            found = find_calendar(session, code) if code else None
            if found is not None:
                return found
    named = str(get_setting(session, "default_calendar"))
    return find_calendar(session, named) or get_calendar(session, SITE_CODE)


def calendar_for_clock(
    session: Session,
    policy: SlaPolicy,
    kind: str,
    *,
    clocks: Sequence[SlaClock],
    area_id: int,
    unit_id: int | None,
) -> BusinessCalendar:
    """The policy's calendar if it names one; else for legs and signing the unit's, for the submitter's clocks the area's.

    The area's is that at receipt: of the first of `clocks`, the ticket's resolution clocks, in its present version.
    """
    named = find_calendar(session, policy.calendar_code) if policy.calendar_code else None
    if named is not None:
        return named
    if kind in UNIT_KINDS and unit_id is not None:
        return calendar_for_unit(session, unit_id)
    return _calendar_at_receipt(session, clocks) or calendar_for_unit(session, area_id)


def pauses_of(session: Session, ticket_id: int) -> list[SlaPause]:
    """The ticket's pauses, the eldest first; inside a writing transaction read once (`add_pause` adds to them)."""

    def read() -> list[SlaPause]:
        return list(session.scalars(_PAUSES, {"id": ticket_id}))

    return remembered(session, ("pauses", ticket_id), read) if session.info.get("writing") else read()


def add_pause(session: Session, pause: SlaPause) -> None:
    """Put a pause that begins to the others of its ticket."""
    pauses_of(session, pause.ticket_id).append(pause)
    session.add(pause)


def spans_for(clock: SlaClock, pauses: Iterable[SlaPause]) -> list[PauseSpan]:
    """When this clock stands still: the ticket's pauses that stop its kind, and the clock's own gaps."""
    spans = [
        PauseSpan(pause.started_at, pause.ended_at or pause.wake_at, (pause.reason,))
        for pause in pauses
        if clock.kind in PAUSED_KINDS or pause.reason == PAUSES_ALL
    ]
    spans += [
        PauseSpan(datetime.fromisoformat(begins), datetime.fromisoformat(ends), ("gap",)) for begins, ends in clock.gaps
    ]
    return spans


def extensions_of(clock: SlaClock) -> tuple[Extension, ...]:
    """What was granted to this clock, the eldest first."""
    return tuple(
        Extension(datetime.fromisoformat(granted), datetime.fromisoformat(until))
        for granted, until in clock.extensions or ()
    )


def _calendar_at_receipt(session: Session, clocks: Sequence[SlaClock]) -> BusinessCalendar | None:
    if not clocks or get_policy(session, clocks[0].policy_id).calendar_code is not None:
        return None
    return find_calendar(session, calendar_code(session, clocks[0].calendar_id))
