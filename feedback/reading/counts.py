"""The statements that count lists: several in one, to their end or no further than a page says. queries.py asks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Result, Select, and_, case, func, select, union_all
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.reading.search import TicketFilters, statuses_held
from feedback.reading.starts import (
    Conditions,
    base_of,
    found_on,
    of_tab,
    seen_in,
    steadily_narrowed_by,
    tab_of,
    whole_list,
)
from feedback.tickets.models import Ticket
from feedback.tickets.search_index import as_value, is_found
from feedback.tickets.visibility import SAME_ACTORS


def count_found(
    session: Session, actor: Actor, parts: Mapping[str, TicketFilters], now: datetime
) -> dict[str, int] | None:
    """`count_each` of lists whose hits can be told one by one; None where those of one are too many, or all are listed."""
    counts: dict[str, int] = {}
    tabs: dict[TicketFilters, list[tuple[str, TicketFilters]]] = {}
    for name, filters in parts.items():
        found, tab = found_on(session, actor, filters, now), tab_of(filters)
        if found is None:
            return None
        counts[name] = len(found)
        if tab is not None and found:
            tabs.setdefault(whole_list(filters), []).append((name, tab))
    dialect = session.get_bind().dialect.name
    for whole, named in tabs.items():
        found = found_on(session, actor, whole, now) or ()
        query = _counts_of_found(dialect, actor, tuple(named))
        counts |= session.execute(query, {"found": as_value(dialect, found)}).mappings().one()
    return counts


@lru_cache(maxsize=SAME_ACTORS)
def _counts_of_found(dialect: str, actor: Actor, named: tuple[tuple[str, TicketFilters], ...]) -> Select[Any]:
    counted: list[ColumnElement[Any]] = [
        func.count(case((and_(*of_tab(actor, tab)), 1))).label(name) for name, tab in named
    ]
    return select(*counted).select_from(Ticket).where(is_found(dialect))


def add_up(found: dict[str, int], rows: Result[Any]) -> None:
    for row in rows.mappings():
        for name, count in row.items():
            found[name] += count


def counts_of(
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
def steady_counts(actor: Actor, named: tuple[tuple[str, TicketFilters], ...]) -> Select[Any] | CompoundSelect[Any]:
    """The counts of lists whose conditions don't move with the time, put together once."""
    narrowed = {name: steadily_narrowed_by(actor, filters) for name, filters in named}
    return counts_of(seen_in(actor, base_of(named[0][1])), narrowed, [filters for _name, filters in named])


def _status_of_any(lists: Iterable[TicketFilters]) -> Conditions:
    """SQL: the status is one that these lists can hold, so that the others need not be read; nothing where any may."""
    found: set[str] = set()
    for filters in lists:
        held = statuses_held(filters)
        if held is None:
            return []
        found |= held
    return [Ticket.status.in_(sorted(found))]


def counts_up_to(seen_parts: Sequence[Conditions], narrowed: Mapping[str, Conditions], most: int) -> Select[Any]:
    counted = []
    for name, each in narrowed.items():
        for number, seen in enumerate(seen_parts):
            found = select(Ticket.id).where(*seen, *each).limit(most + 1).subquery()
            counted.append(select(func.count()).select_from(found).scalar_subquery().label(f"{name}.{number}"))
    return select(*counted)


@lru_cache(maxsize=SAME_ACTORS)
def steady_counts_up_to(
    actor: Actor, named: tuple[tuple[str, TicketFilters], ...], most: int, *, leads_only: bool = False
) -> Select[Any]:
    """`counts_up_to` of lists whose conditions don't move with the time, put together once.

    `leads_only`: on a desk that helps nobody at present; half of what a database would have to plan.
    """
    narrowed = {name: steadily_narrowed_by(actor, filters) for name, filters in named}
    seen = seen_in(actor, base_of(named[0][1]))
    return counts_up_to(seen[:1] if leads_only else seen, narrowed, most)
