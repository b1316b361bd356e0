"""Where a list begins: among which of the tickets that somebody may see it looks, and what it is narrowed by beside.

Whether a list of a common word is walked from its beginning is told here too, by looking into some of its tickets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.memo import remembered
from feedback.reading.desks import desk_parts, may_see_own
from feedback.reading.full_text import COMMON, looked_into, way_of
from feedback.reading.ranking import MOST_RANKED
from feedback.reading.search import TicketFilters, conditions, steady_conditions
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import has_seat, oversees, visible

MOST_COUNTED_OF_COMMON = 50
"""From here on a page says "more than" instead of a number, where a list of a common word is walked."""

Conditions = Sequence[ColumnElement[bool]]
DESK, MINE, OVERSEEN, ANY = "desk", "mine", "overseen", "any"


def base_of(filters: TicketFilters) -> str:
    """Among which of the tickets that somebody may see a list looks: the narrower, the less has to be asked of each."""
    return DESK if filters.desk else MINE if filters.mine else OVERSEEN if filters.overseen else ANY


def seen_in(actor: Actor, base: str) -> list[Conditions]:
    """SQL: `visible`, of those tickets alone; in parts that share no ticket, each answered by an index of its own."""
    if base == DESK:
        return [[part, may_see_own(actor)] for part in desk_parts(actor)]
    if base == MINE:
        return [[has_seat(actor)]]
    return [[oversees(actor), may_see_own(actor)]] if base == OVERSEEN else [[visible(actor)]]


def narrowed_by(session: Session, actor: Actor, filters: TicketFilters, now: datetime) -> Conditions:
    """The conditions of the filters beside that of their base."""
    walked = is_walked(session, actor, filters, now)
    is_on_desk = base_of(filters) == DESK
    return conditions(session, actor, without_base(filters), now=now, is_on_desk=is_on_desk, is_walked=walked)


def steadily_narrowed_by(actor: Actor, filters: TicketFilters) -> Conditions:
    return steady_conditions(actor, without_base(filters))


def without_base(filters: TicketFilters) -> TicketFilters:
    base = base_of(filters)
    return filters if base == ANY else filters.model_copy(update={base: None})


def is_walked(session: Session, actor: Actor, filters: TicketFilters, now: datetime) -> bool:
    """Whether a list of a common word is read from its beginning until a page is full: some thousands of tickets near to

    the actor were looked into, and enough of them are on it. The tabs of a desk are looked into as one.
    """
    if not filters.q or way_of(session, actor, filters.q) != COMMON:
        return False
    is_desk = base_of(filters) == DESK
    wide = all_of_desk(filters) if is_desk else filters
    enough = MOST_COUNTED_OF_COMMON if is_desk else MOST_RANKED

    def look() -> bool:
        seen = seen_in(actor, base_of(wide))[0]
        near = looked_into(actor, seen if is_desk else ())
        rest = without_base(wide) if is_desk else wide
        narrowed = conditions(session, actor, rest, now=now, is_on_desk=is_desk, is_walked=True)
        return count_under(session, [near, *seen, *narrowed], enough) > enough

    return remembered(session, ("walked", actor, wide), look)


def all_of_desk(filters: TicketFilters) -> TicketFilters:
    """The list without what the tabs of a desk are told apart by."""
    return filters.model_copy(update={"status": (), "assigned": None, "disputed": None})


def count_under(session: Session, narrowed: Conditions, most: int) -> int:
    found = select(Ticket.id).where(*narrowed).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0
