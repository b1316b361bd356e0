"""Reads of tickets: keyset pages, counts with the same filters, one ticket as its reader may see it. Never writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Result,
    Select,
    UnaryExpression,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import read_columns
from feedback.kernel.errors import Invalid
from feedback.kernel.paging import Page, check_limit, cut_page, decode_cursor
from feedback.kernel.text import N_, Text
from feedback.reading.clocks import ClockView, list_clocks
from feedback.reading.desks import helps_nobody
from feedback.reading.full_text import speaks_of
from feedback.reading.raised import Raised, raised_of
from feedback.reading.ranking import MOST_RANKED, rank_hits
from feedback.reading.requests import may_decide, pointless_actions
from feedback.reading.search import (
    IS_NOT_CLOSED,
    LEGACY,
    NO_FILTERS,
    TicketFilters,
    at_instant,
    conditions,
    has_index_of_open,
    is_steady,
    statuses_held,
)
from feedback.reading.snippets import snippets_of
from feedback.reading.starts import (
    DESK,
    MOST_COUNTED_OF_COMMON,
    Conditions,
    all_of_desk,
    base_of,
    count_under,
    is_walked,
    narrowed_by,
    seen_in,
    steadily_narrowed_by,
)
from feedback.reading.views import LISTED, TicketRow, rows_of, with_words
from feedback.tickets import lifecycle
from feedback.tickets.actions import ACTIONS
from feedback.tickets.models import Message, Ticket
from feedback.tickets.parts import requests_of, seats_of
from feedback.tickets.seats import words_of_own
from feedback.tickets.sight import sight_of
from feedback.tickets.summaries import pointless_of_summaries
from feedback.tickets.visibility import SAME_ACTORS, standings, visible

BY_DUE, NEWEST, OLDEST, MOST_DISPUTED, BEST = "due", "-created", "created", "-disputes", "best"
SORTS = (BY_DUE, NEWEST, OLDEST, MOST_DISPUTED, BEST)
DEFAULT_LIMIT = 25
MOST_COUNTED = 1_000
"""From here on a page says "more than" instead of a number; of a common word on a large site sooner."""
LONGEST_CURSOR = 200
_LARGEST_ID = 2**63 - 1
_LARGEST_COUNT = 2**31 - 1


@dataclass(frozen=True)
class TicketView(TicketRow):
    """A ticket opened by one reader: the row with its text, all clocks, and the actions this reader may take now."""

    text: str
    raised: Raised
    clocks: tuple[ClockView, ...]
    allowed_actions: tuple[str, ...]


def list_tickets(
    session: Session,
    actor: Actor,
    filters: TicketFilters = NO_FILTERS,
    *,
    now: datetime,
    sort: str = BY_DUE,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
    is_brief: bool = False,
) -> Page[TicketRow]:
    """A page of the tickets that the actor may see, narrowed by `filters`; the queries per page are a fixed number.

    `due` puts what is due first in front and what has no due time last; `-created` the newest first, `created` the
    eldest; `-disputes` what came back most often; `best`, for a search alone, what fits it best (`ranking.py`; the
    newest first where it finds much). A brief list names neither submitters nor units at work (`rows_of`).
    Raises Invalid (sort, limit, cursor or a filter).
    """
    if sort not in SORTS:
        raise Invalid({"sort": Text(N_("Must be one of: %(expected)s."), expected=SORTS)})
    if sort == BEST:
        best = _best_page(session, actor, filters, now, limit, cursor) if filters.q else None
        if best is not None:
            return best
        sort = NEWEST
    most = check_limit(limit) + 1
    if is_steady(filters) and not cursor:
        query = _steady_page(actor, filters, sort, most)
    else:
        query = _page_of(actor, filters, narrowed_by(session, actor, filters, now), sort, most, cursor)
    page = cut_page(read_columns(session, query, at_instant(now)).all(), limit, lambda ticket: _key(sort, ticket))
    return Page(_rows_found(session, actor, page.items, filters.q, now, is_brief=is_brief), page.next)


def _rows_found(
    session: Session, actor: Actor, tickets: Sequence[Any], q: str | None, now: datetime, *, is_brief: bool = False
) -> list[TicketRow]:
    """These tickets as rows; with where they speak of it, if something was searched for."""
    rows = rows_of(session, tickets, actor, now, is_brief=is_brief)
    if not q:
        return rows
    found = snippets_of(session, actor, [ticket.id for ticket in tickets], q)
    return [replace(row, snippet=found.get(ticket.id)) for row, ticket in zip(rows, tickets, strict=True)]


def _best_page(
    session: Session, actor: Actor, filters: TicketFilters, now: datetime, limit: int, cursor: str | None
) -> Page[TicketRow] | None:
    """A page of few hits, the best first; None where they are many, or the cursor is of a list of many."""
    last_id = 0
    if cursor:
        made_for, _at, last_id = decode_cursor(cursor, 3)
        if made_for != BEST:
            return None
    if is_walked(session, actor, filters, now):
        return None
    narrowed = [visible(actor), *conditions(session, actor, filters, now=now)]
    ids = rank_hits(session, filters.q or "", narrowed)
    if ids is None or (cursor and last_id not in ids):
        return None
    begins = ids.index(last_id) + 1 if cursor else 0
    page = cut_page(ids[begins : begins + check_limit(limit) + 1], limit, lambda ticket_id: [BEST, None, ticket_id])
    found = {row.id: row for row in session.execute(with_words(LISTED).where(Ticket.id.in_(page.items)))}
    tickets = [found[ticket_id] for ticket_id in page.items if ticket_id in found]
    return Page(_rows_found(session, actor, tickets, filters.q, now), page.next)


def _page_of(
    actor: Actor, filters: TicketFilters, narrowed: Conditions, sort: str, most: int, cursor: str | None
) -> Select[Any]:
    """Ids first: an index holds all that is asked and sorted by, and whole rows are read for one page."""
    # Whether they may see it comes before its words: SQLite asks in this order.
    after = (_after(sort, cursor),) if cursor else ()
    firsts = [
        select(Ticket.id).where(*after, *seen, *narrowed).order_by(*_ORDERS[sort]).limit(most)
        for seen in seen_in(actor, base_of(filters))
    ]
    if has_index_of_open(filters, sort == MOST_DISPUTED):
        index = f"INDEXED BY ix_ticket_open_by_{_OF_OPEN[sort]}"
        firsts = [first.where(IS_NOT_CLOSED).with_hint(Ticket, index, "sqlite") for first in firsts]
    each = [select(first.subquery().c.id) for first in firsts]
    ids = union_all(*each).scalar_subquery() if len(each) > 1 else each[0].scalar_subquery()
    return with_words(LISTED).where(Ticket.id.in_(ids)).order_by(*_ORDERS[sort]).limit(most)


@lru_cache(maxsize=SAME_ACTORS)
def _steady_page(actor: Actor, filters: TicketFilters, sort: str, most: int) -> Select[Any]:
    """The first page of a list whose conditions don't move with the time, put together once."""
    return _page_of(actor, filters, steadily_narrowed_by(actor, filters), sort, most, None)


def count_tickets(session: Session, actor: Actor, filters: TicketFilters = NO_FILTERS, *, now: datetime) -> int:
    """How many tickets the same list holds on all its pages. Raises Invalid for a filter."""
    return count_each(session, actor, {"all": filters}, now=now)["all"]


def count_each(session: Session, actor: Actor, parts: Mapping[str, TicketFilters], *, now: datetime) -> dict[str, int]:
    """`count_tickets` of several lists, by their names, in one pass over what the actor may see."""
    found = dict.fromkeys(parts, 0)
    for base in dict.fromkeys(base_of(filters) for filters in parts.values()):
        named = {name: filters for name, filters in parts.items() if base_of(filters) == base}
        if all(is_steady(filters) for filters in named.values()):
            _add_up(found, session.execute(_steady_counts(actor, tuple(named.items())), at_instant(now)))
            continue
        queries = {filters.q for filters in named.values()}
        sought = [speaks_of(session, actor, q) for q in queries if q and len(queries) == 1]
        if sought:  # asked once of all lists, not once of each
            named = {name: filters.model_copy(update={"q": None}) for name, filters in named.items()}
        narrowed = {name: narrowed_by(session, actor, filters, now) for name, filters in named.items()}
        _add_up(found, session.execute(_counts_of(seen_in(actor, base), narrowed, named.values(), sought)))
    return found


def _add_up(found: dict[str, int], rows: Result[Any]) -> None:
    for row in rows.mappings():
        for name, count in row.items():
            found[name] += count


def _counts_of(
    parts: Sequence[Conditions],
    narrowed: Mapping[str, Conditions],
    lists: Iterable[TicketFilters],
    sought: Conditions = (),
) -> Select[Any] | CompoundSelect[Any]:
    counted: list[ColumnElement[Any]] = [
        func.count(case((and_(*each), 1))).label(name) for name, each in narrowed.items()
    ]
    held = _status_of_any(lists)
    queries = [select(*counted).select_from(Ticket).where(*seen, *held, *sought) for seen in parts]
    return union_all(*queries) if len(queries) > 1 else queries[0]


@lru_cache(maxsize=SAME_ACTORS)
def _steady_counts(actor: Actor, named: tuple[tuple[str, TicketFilters], ...]) -> Select[Any] | CompoundSelect[Any]:
    """The counts of lists whose conditions don't move with the time, put together once."""
    narrowed = {name: steadily_narrowed_by(actor, filters) for name, filters in named}
    return _counts_of(seen_in(actor, base_of(named[0][1])), narrowed, [filters for _name, filters in named])


def _status_of_any(lists: Iterable[TicketFilters]) -> Conditions:
    """SQL: the status is one that these lists can hold, so that the others need not be read; nothing where any may."""
    found: set[str] = set()
    for filters in lists:
        held = statuses_held(filters)
        if held is None:
            return []
        found |= held
    return [Ticket.status.in_(sorted(found))]


def most_counted(session: Session, actor: Actor, filters: TicketFilters, *, now: datetime) -> int:
    """How far a page counts these: further on costs more than a number is worth."""
    return MOST_COUNTED_OF_COMMON if is_walked(session, actor, filters, now) else MOST_COUNTED


def count_each_up_to(
    session: Session, actor: Actor, parts: Mapping[str, TicketFilters], *, now: datetime, most: int = MOST_COUNTED
) -> dict[str, int]:
    """`count_each`, but no further than `most` + 1 each, so that a count takes no longer the more there is to count.

    Lists with words to search for are counted to their end unless the words are common: they are asked once for all of them.
    """
    found = dict.fromkeys(parts, 0)
    is_sought = any(filters.q and not is_walked(session, actor, filters, now) for filters in parts.values())
    if is_sought or len({base_of(filters) for filters in parts.values()}) > 1:
        return count_each(session, actor, parts, now=now)
    if all(is_steady(filters) for filters in parts.values()):
        query = _steady_counts_up_to(actor, tuple(parts.items()), most)
    else:
        narrowed = {name: narrowed_by(session, actor, filters, now) for name, filters in parts.items()}
        base = base_of(next(iter(parts.values())))
        seen = seen_in(actor, base)
        if base == DESK and any(filters.q for filters in parts.values()) and most <= MOST_COUNTED_OF_COMMON:
            found |= {name: most + 1 for name, filters in parts.items() if all_of_desk(filters) == filters}
            narrowed = {name: each for name, each in narrowed.items() if not found[name]}
            seen = seen[:1] if helps_nobody(session, actor) else seen
        query = _counts_up_to(seen, narrowed, most)
    for label, count in read_columns(session, query, at_instant(now)).mappings().one().items():
        name = label.rpartition(".")[0]
        found[name] = min(found[name] + count, most + 1)
    return found


def _counts_up_to(seen_parts: Sequence[Conditions], narrowed: Mapping[str, Conditions], most: int) -> Select[Any]:
    counted = []
    for name, each in narrowed.items():
        for number, seen in enumerate(seen_parts):
            found = select(Ticket.id).where(*seen, *each).limit(most + 1).subquery()
            counted.append(select(func.count()).select_from(found).scalar_subquery().label(f"{name}.{number}"))
    return select(*counted)


@lru_cache(maxsize=SAME_ACTORS)
def _steady_counts_up_to(actor: Actor, named: tuple[tuple[str, TicketFilters], ...], most: int) -> Select[Any]:
    narrowed = {name: steadily_narrowed_by(actor, filters) for name, filters in named}
    return _counts_up_to(seen_in(actor, base_of(named[0][1])), narrowed, most)


def count_up_to(
    session: Session, actor: Actor, filters: TicketFilters, *, now: datetime, most: int = MOST_COUNTED
) -> int:
    """`count_tickets`, but no further than `most` + 1: a search that finds half the county is not counted out."""
    walked = is_walked(session, actor, filters, now)
    if walked and most <= MOST_RANKED and base_of(filters) != DESK:
        return most + 1
    return count_under(session, [visible(actor), *conditions(session, actor, filters, now=now, is_walked=walked)], most)


def ticket_view(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> TicketView:
    """A ticket that `visibility.get_ticket` gave this actor, with only what they may see of it."""
    listed = read_columns(session, _OPENED, {"id": ticket.id}).one()
    row = rows_of(session, [listed], actor, now)[0]
    sight = sight_of(session, actor, ticket, now)
    text = listed.text or ""
    if row.submitter and row.submitter.is_me and row.submitter.is_joined:
        if sight.is_staff:
            row = replace(row, title=listed.title, opening=listed.opening)
        else:
            text = words_of_own(session, actor.submitter_key, [ticket.id]).get(ticket.id, ("", ""))[1]
    return TicketView(
        **vars(row),
        text=text,
        raised=raised_of(session, ticket, actor, sight),
        clocks=tuple(list_clocks(session, ticket, now)),
        allowed_actions=tuple(allowed_actions(session, actor, ticket, now)),
    )


_OPENED = with_words([*LISTED, Message.body.label("text")]).where(Ticket.id == bindparam("id"))


def allowed_actions(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> list[str]:
    """The names of the actions that this actor may take now, by the lifecycle's table and among those that exist.

    `decide` stands for every pending request that they may decide. None on imported history, and none for a token
    that may only read.
    """
    if ticket.origin == LEGACY or (actor.scopes is not None and "write" not in actor.scopes):
        return []
    state = lifecycle.state_of(ticket.status, ticket.closure_reason)
    mine = standings(session, actor, ticket, now)
    found = lifecycle.actions_for(state, [s.pair for s in mine]) & set(ACTIONS)
    requests = requests_of(session, ticket)
    found -= pointless_actions(actor, ticket, requests, now)
    if "withdraw" in found and sum(seat.left_at is None for seat in seats_of(session, (ticket.id,))) > 1:
        found.discard("withdraw")  # it is the matter of others too
    if "publish_summary" in found:
        found -= pointless_of_summaries(session, ticket)
    if "decide" in ACTIONS and any(may_decide(session, actor, ticket, request, now) for request in requests):
        found.add("decide")
    return [name for name in _IN_TABLE_ORDER if name in found]


_IN_TABLE_ORDER: Sequence[str] = tuple(dict.fromkeys(name.split(":")[0] for name in lifecycle.ACTIONS))


_ORDERS: dict[str, tuple[UnaryExpression[Any], ...]] = {
    BY_DUE: (Ticket.due_at.asc().nulls_last(), Ticket.id.asc()),
    NEWEST: (Ticket.submitted_at.desc(), Ticket.id.desc()),
    OLDEST: (Ticket.submitted_at.asc(), Ticket.id.asc()),
    MOST_DISPUTED: (Ticket.reopen_count.desc(), Ticket.id.asc()),
}
_OF_OPEN = {BY_DUE: "due", NEWEST: "receipt", OLDEST: "receipt", MOST_DISPUTED: "disputes"}


def _key(sort: str, ticket: Any) -> list[Any]:
    if sort == MOST_DISPUTED:
        return [sort, ticket.reopen_count, ticket.id]
    at = ticket.due_at if sort == BY_DUE else ticket.submitted_at
    return [sort, at.isoformat() if at else None, ticket.id]


def _after(sort: str, cursor: str) -> ColumnElement[bool]:
    place, ticket_id = _place(sort, cursor)
    if sort == MOST_DISPUTED:
        return or_(Ticket.reopen_count < place, and_(Ticket.reopen_count == place, Ticket.id > ticket_id))
    if sort == NEWEST:
        return or_(Ticket.submitted_at < place, and_(Ticket.submitted_at == place, Ticket.id < ticket_id))
    if sort == OLDEST:
        return or_(Ticket.submitted_at > place, and_(Ticket.submitted_at == place, Ticket.id > ticket_id))
    if place is None:
        return and_(Ticket.due_at.is_(None), Ticket.id > ticket_id)
    return or_(Ticket.due_at > place, Ticket.due_at.is_(None), and_(Ticket.due_at == place, Ticket.id > ticket_id))


def _place(sort: str, cursor: str) -> tuple[datetime | int | None, int]:
    """Sort value and id in a cursor. Raises Invalid for one that this list did not make."""
    not_ours = Invalid({"cursor": Text(N_("This cursor was not made here. Start from the first page."))})
    if len(cursor) > LONGEST_CURSOR:
        raise not_ours
    made_for, place, ticket_id = decode_cursor(cursor, 3)
    if made_for != sort or type(ticket_id) is not int or not 0 < ticket_id <= _LARGEST_ID:
        raise not_ours
    if place is None and sort == BY_DUE:
        return None, ticket_id
    if sort == MOST_DISPUTED:
        if type(place) is not int or not 0 <= place <= _LARGEST_COUNT:
            raise not_ours
        return place, ticket_id
    try:
        instant = datetime.fromisoformat(place).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise not_ours from error
    return instant, ticket_id
