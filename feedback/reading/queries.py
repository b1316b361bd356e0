"""Reads of tickets: keyset pages, counts with the same filters, one ticket as its reader may see it. Never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    UnaryExpression,
    and_,
    bindparam,
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
from feedback.reading.counts import (
    add_up,
    count_found,
    counts_of,
    counts_up_to,
    steady_counts,
    steady_counts_up_to,
)
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
)
from feedback.reading.snippets import snippets_of
from feedback.reading.starts import (
    DESK,
    MOST_COUNTED_OF_COMMON,
    Conditions,
    base_of,
    count_under,
    found_on,
    is_walked,
    narrowed_by,
    of_tab,
    seen_in,
    steadily_narrowed_by,
    tab_of,
    whole_list,
)
from feedback.reading.views import LISTED, TicketRow, rows_of, with_words
from feedback.tickets import lifecycle
from feedback.tickets.actions import ACTIONS
from feedback.tickets.models import Message, Ticket
from feedback.tickets.parts import requests_of, seats_of
from feedback.tickets.search_index import as_value, is_found, is_one_of
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
    found = found_on(session, actor, filters, now)
    dialect = session.get_bind().dialect.name
    if found is not None:
        asked = _found_page(dialect, actor, tab_of(filters), sort, most, cursor)
    elif is_steady(filters) and not cursor:
        asked = _steady_page(actor, filters, sort, most)
    else:
        asked = _page_of(actor, filters, narrowed_by(session, actor, filters, now), sort, most, cursor)
    given = at_instant(now) if found is None else {**at_instant(now), "found": as_value(dialect, found)}
    page = cut_page(read_columns(session, asked, given).all(), limit, lambda ticket: _key(sort, ticket))
    return Page(_rows_found(session, actor, page.items, filters.q, now, is_brief=is_brief), page.next)


def _rows_found(
    session: Session, actor: Actor, tickets: Sequence[Any], q: str | None, now: datetime, *, is_brief: bool = False
) -> list[TicketRow]:
    """These tickets as rows; with where they speak of it, if something was searched for."""
    rows = rows_of(session, tickets, actor, now, is_brief=is_brief)
    if not q:
        return rows
    found = snippets_of(session, actor, tickets, q)
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
    all_found = found_on(session, actor, filters, now)
    if all_found is None:
        return None
    is_on_list = is_one_of(session.get_bind().dialect.name, lambda: all_found)
    ids = rank_hits(session, filters.q or "", [is_on_list, *of_tab(actor, tab_of(filters))])
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
    # Whether they may see it comes before its words: SQLite asks in this order.
    firsts = [_first_of([*seen, *narrowed], sort, most, cursor) for seen in seen_in(actor, base_of(filters))]
    if has_index_of_open(filters, sort == MOST_DISPUTED):
        index = f"INDEXED BY ix_ticket_open_by_{_OF_OPEN[sort]}"
        firsts = [first.where(IS_NOT_CLOSED).with_hint(Ticket, index, "sqlite") for first in firsts]
    return _whole_rows(firsts, sort, most)


def _first_of(narrowed: Conditions, sort: str, most: int, cursor: str | None) -> Select[Any]:
    after = (_after(sort, cursor),) if cursor else ()
    return select(Ticket.id).where(*after, *narrowed).order_by(*_ORDERS[sort]).limit(most)


def _whole_rows(firsts: Sequence[Select[Any]], sort: str, most: int) -> Select[Any]:
    """Ids first: an index holds all that is asked and sorted by, and whole rows are read for one page."""
    each = [select(first.subquery().c.id) for first in firsts]
    ids = union_all(*each).scalar_subquery() if len(each) > 1 else each[0].scalar_subquery()
    return with_words(LISTED).where(Ticket.id.in_(ids)).order_by(*_ORDERS[sort]).limit(most)


def _found_page(
    dialect: str, actor: Actor, tab: TicketFilters | None, sort: str, most: int, cursor: str | None
) -> Select[Any]:
    """A page of the tickets that are given as `found`, without asking again whether they are on the list."""
    if cursor is None:
        return _first_found(dialect, actor, tab, sort, most)
    return _whole_rows([_first_of([is_found(dialect), *of_tab(actor, tab)], sort, most, cursor)], sort, most)


@lru_cache(maxsize=SAME_ACTORS)
def _first_found(dialect: str, actor: Actor, tab: TicketFilters | None, sort: str, most: int) -> Select[Any]:
    return _whole_rows([_first_of([is_found(dialect), *of_tab(actor, tab)], sort, most, None)], sort, most)


@lru_cache(maxsize=SAME_ACTORS)
def _steady_page(actor: Actor, filters: TicketFilters, sort: str, most: int) -> Select[Any]:
    """The first page of a list whose conditions don't move with the time, put together once."""
    return _page_of(actor, filters, steadily_narrowed_by(actor, filters), sort, most, None)


def count_tickets(session: Session, actor: Actor, filters: TicketFilters = NO_FILTERS, *, now: datetime) -> int:
    """How many tickets the same list holds on all its pages. Raises Invalid for a filter."""
    return count_each(session, actor, {"all": filters}, now=now)["all"]


def count_each(session: Session, actor: Actor, parts: Mapping[str, TicketFilters], *, now: datetime) -> dict[str, int]:
    """`count_tickets` of several lists, by their names, in one pass over what the actor may see."""
    all_found = count_found(session, actor, parts, now)
    if all_found is not None:
        return all_found
    found = dict.fromkeys(parts, 0)
    for base in dict.fromkeys(base_of(filters) for filters in parts.values()):
        named = {name: filters for name, filters in parts.items() if base_of(filters) == base}
        if all(is_steady(filters) for filters in named.values()):
            add_up(found, session.execute(steady_counts(actor, tuple(named.items())), at_instant(now)))
            continue
        queries = {filters.q for filters in named.values()}
        sought = [speaks_of(session, actor, q) for q in queries if q and len(queries) == 1]
        if sought:  # asked once of all lists, not once of each
            named = {name: filters.model_copy(update={"q": None}) for name, filters in named.items()}
        narrowed = {name: narrowed_by(session, actor, filters, now) for name, filters in named.items()}
        add_up(found, session.execute(counts_of(seen_in(actor, base), narrowed, named.values(), sought)))
    return found


def most_counted(session: Session, actor: Actor, filters: TicketFilters, *, now: datetime) -> int:
    """How far a page counts these: further on costs more than a number is worth."""
    return MOST_COUNTED_OF_COMMON if is_walked(session, actor, filters, now) else MOST_COUNTED


def count_each_up_to(
    session: Session, actor: Actor, parts: Mapping[str, TicketFilters], *, now: datetime, most: int = MOST_COUNTED
) -> dict[str, int]:
    """`count_each`, but no further than `most` + 1 each, so that a count takes no longer the more there is to count.

    Lists with words to search for are counted to their end unless the words are common: they are asked once for all of them.
    """
    all_found = count_found(session, actor, parts, now)
    if all_found is not None:
        return {name: min(count, most + 1) for name, count in all_found.items()}
    found = dict.fromkeys(parts, 0)
    is_sought = any(filters.q and not is_walked(session, actor, filters, now) for filters in parts.values())
    if is_sought or len({base_of(filters) for filters in parts.values()}) > 1:
        return count_each(session, actor, parts, now=now)
    if all(is_steady(filters) for filters in parts.values()):
        is_desk = base_of(next(iter(parts.values()))) == DESK
        leads_only = is_desk and helps_nobody(session, actor)
        query = steady_counts_up_to(actor, tuple(parts.items()), most, leads_only=leads_only)
    else:
        narrowed = {name: narrowed_by(session, actor, filters, now) for name, filters in parts.items()}
        base = base_of(next(iter(parts.values())))
        seen = seen_in(actor, base)
        if base == DESK and any(filters.q for filters in parts.values()) and most <= MOST_COUNTED_OF_COMMON:
            found |= {name: most + 1 for name, filters in parts.items() if whole_list(filters) == filters}
            narrowed = {name: each for name, each in narrowed.items() if not found[name]}
            seen = seen[:1] if helps_nobody(session, actor) else seen
        query = counts_up_to(seen, narrowed, most)
    for label, count in read_columns(session, query, at_instant(now)).mappings().one().items():
        name = label.rpartition(".")[0]
        found[name] = min(found[name] + count, most + 1)
    return found


def count_up_to(
    session: Session, actor: Actor, filters: TicketFilters, *, now: datetime, most: int = MOST_COUNTED
) -> int:
    """`count_tickets`, but no further than `most` + 1: a search that finds half the county is not counted out."""
    all_found = count_found(session, actor, {"all": filters}, now)
    if all_found is not None:
        return min(all_found["all"], most + 1)
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
