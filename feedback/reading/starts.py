"""Where a list begins: among which of the tickets that somebody may see it looks, and what it is narrowed by beside.

A list with words to search for is looked into first, here too: its hits are told at once for its page and its counts, or it
is walked from its beginning, where a word is common and many of them are on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.memo import remembered
from feedback.reading.desks import desk_parts, may_see_own
from feedback.reading.full_text import COMMON, count_of_hits, hold_all, is_bounded, near_ids, way_of
from feedback.reading.ranking import MOST_RANKED
from feedback.reading.search import LEGACY, NO_FILTERS, TicketFilters, conditions, steady_conditions
from feedback.tickets.bigrams import phrases_of
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import has_seat, oversees, visible

MOST_COUNTED_OF_COMMON = 50
"""From here on a page says "more than" instead of a number, where a list of a common word is walked."""
MOST_LOOKED_INTO, MOST_OF_DESK = 4_000, 1_500
"""Whether there are many hits is first asked of so many tickets near to the actor; of so many on the desk."""
MOST_FOUND = 1_000
"""Hits on a list are told one by one up to here, once for its page and for all its counts."""

TOLD_APART = ("status", "assigned", "disputed")
"""What the tabs of a desk are told apart by."""

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


@dataclass(frozen=True)
class Looked:
    """What was found by looking into a list with words: the tickets on it that speak of them, unless they are many

    (`found` is None then). `is_walked`: a word is common and the list holds enough hits to be read from its beginning
    until a page is full.
    """

    found: Sequence[int] | None
    is_walked: bool = False


def found_on(session: Session, actor: Actor, filters: TicketFilters, now: datetime) -> Sequence[int] | None:
    """The ids of all tickets of a list with words (`whole_list`), where they are not many; None where they are."""
    return _looked(session, actor, filters, now).found if filters.q else None


def is_walked(session: Session, actor: Actor, filters: TicketFilters, now: datetime) -> bool:
    """Whether a list of a common word is read from its beginning until a page is full."""
    return bool(filters.q) and _looked(session, actor, filters, now).is_walked


def whole_list(filters: TicketFilters) -> TicketFilters:
    """The list without what the tabs of a desk are told apart by: they are looked into as one."""
    if not is_tab(filters):
        return filters
    return filters.model_copy(update={name: getattr(NO_FILTERS, name) for name in TOLD_APART})


def is_tab(filters: TicketFilters) -> bool:
    """Whether a list is a part of its `whole_list`."""
    return base_of(filters) == DESK and LEGACY not in filters.status


def tab_of(filters: TicketFilters) -> TicketFilters | None:
    """By what alone a list is told apart from its `whole_list`; None where it is the same."""
    if not is_tab(filters):
        return None
    return NO_FILTERS.model_copy(update={name: getattr(filters, name) for name in TOLD_APART})


def of_tab(actor: Actor, tab: TicketFilters | None) -> Conditions:
    """SQL: what a list asks of the tickets that were found on its `whole_list`."""
    return [] if tab is None else steady_conditions(actor, tab)


def _looked(session: Session, actor: Actor, filters: TicketFilters, now: datetime) -> Looked:
    whole = whole_list(filters)
    return remembered(session, ("looked", actor, whole), lambda: _look(session, actor, whole, now))


def _look(session: Session, actor: Actor, whole: TicketFilters, now: datetime) -> Looked:
    if not phrases_of(whole.q or ""):
        return Looked([])
    is_common = way_of(session, actor, whole.q or "") == COMMON
    if is_common and _begins_with_many(session, actor, whole, now):
        return Looked(None, is_walked=True)
    parts = _parts_of(session, actor, whole, now, is_walked=is_common)
    found = _ids_under(session, parts, MOST_FOUND)
    if len(found) > MOST_FOUND:
        return Looked(None, is_walked=is_common)
    if is_common and not _is_whole(session, actor, whole, now):
        found = _ids_under(session, _parts_of(session, actor, whole, now, is_walked=False), MOST_FOUND)
    return Looked(found if len(found) <= MOST_FOUND else None)


def _begins_with_many(session: Session, actor: Actor, whole: TicketFilters, now: datetime) -> bool:
    """Whether some thousands of the tickets near to the actor (on the desk) hold enough of the list's hits."""
    base = base_of(whole)
    enough = MOST_COUNTED_OF_COMMON if base == DESK else MOST_RANKED
    seen = seen_in(actor, base)[0]
    near = is_one_under(seen, MOST_OF_DESK) if base == DESK else Ticket.id.in_(near_ids(actor, MOST_LOOKED_INTO))
    return count_under(session, [near, *seen, *_by_all(session, actor, whole, now)], enough) > enough


def _parts_of(
    session: Session, actor: Actor, whole: TicketFilters, now: datetime, *, is_walked: bool
) -> list[Conditions]:
    """SQL: what the list holds, by its words; walked, of a list that is no desk and nobody's own its beginning alone."""
    if is_walked and not _is_kept_small(whole):
        begun = _without_words(session, actor, whole, now).limit(_most_of_list(session, whole))
        speaking = hold_all(session, whole.q or "", begun)
        return [[Ticket.id.in_(speaking), *seen_in(actor, base_of(whole))[0], *_by_all(session, actor, whole, now)]]
    narrowed = _by_all(session, actor, whole, now, is_walked=is_walked)
    return [[*seen, *narrowed] for seen in seen_in(actor, base_of(whole))]


def _by_all(
    session: Session, actor: Actor, whole: TicketFilters, now: datetime, *, is_walked: bool = True
) -> Conditions:
    is_on_desk = base_of(whole) == DESK
    return conditions(session, actor, without_base(whole), now=now, is_on_desk=is_on_desk, is_walked=is_walked)


def _is_kept_small(whole: TicketFilters) -> bool:
    """Whether a list is looked into to its end, because it is one unit's or one person's."""
    return base_of(whole) in (DESK, MINE)


def _is_whole(session: Session, actor: Actor, whole: TicketFilters, now: datetime) -> bool:
    """Whether a list was looked into to its end."""
    if _is_kept_small(whole):
        return True
    most = _most_of_list(session, whole)
    begun = _without_words(session, actor, whole, now).limit(most + 1).subquery()
    return (session.scalar(select(func.count()).select_from(begun)) or 0) <= most


def _most_of_list(session: Session, whole: TicketFilters) -> int:
    """A list that may be all of the county is looked into until all hits would have cost as much: on SQLite those are

    handed over for a quarter of what a look into a ticket costs, on PostgreSQL for the same.
    """
    is_dear = session.get_bind().dialect.name == "postgresql"
    return count_of_hits(session, whole.q or "") // (1 if is_dear else 4)


def _without_words(session: Session, actor: Actor, whole: TicketFilters, now: datetime) -> Select[int]:
    """The ids of what is on the list, or of all that may be, whatever it speaks of."""
    rest = without_base(whole).model_copy(update={"q": None})
    near = near_ids(actor) if base_of(whole) == ANY and is_bounded(actor) else None
    if near is not None and rest == NO_FILTERS:
        return near
    (seen,) = seen_in(actor, base_of(whole))
    among = [] if near is None else [Ticket.id.in_(near)]
    return select(Ticket.id).where(*among, *seen, *conditions(session, actor, rest, now=now))


def is_one_under(narrowed: Conditions, most: int) -> ColumnElement[bool]:
    """SQL: one of so many tickets at most that meet these conditions."""
    return Ticket.id.in_(select(Ticket.id).where(*narrowed).correlate(None).limit(most))


def _ids_under(session: Session, parts: Sequence[Conditions], most: int) -> Sequence[int]:
    each = [select(Ticket.id).where(*part).limit(most + 1).subquery() for part in parts]
    ids = [select(one.c.id) for one in each]
    return session.scalars(union_all(*ids) if len(ids) > 1 else ids[0]).all()


def count_under(session: Session, narrowed: Conditions, most: int) -> int:
    found = select(Ticket.id).where(*narrowed).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0
