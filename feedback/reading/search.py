"""What a list of tickets is narrowed by: the filters as fields that check themselves, and each as an SQL condition.

Who may see a ticket at all is visibility.py's; every list starts there and is only narrowed here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, false, func, literal_column, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.clock import site_zone
from feedback.kernel.command import Code, Command, DateField
from feedback.kernel.db import Instant, is_among
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import find_unit
from feedback.reading.desks import is_at_office, is_on_units_desk
from feedback.reading.full_text import speaks_of
from feedback.routing.models import Category
from feedback.routing.queries import normal_path
from feedback.tickets import lifecycle
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import is_own, oversees

LEGACY = "legacy"
OPEN_WORD = "open"
STATUS_WORDS = (*lifecycle.STATUSES, OPEN_WORD, LEGACY)
KINDS = ("demand", "suggestion", "question", "burden_lead")
RUNNING = (lifecycle.SUBMITTED, lifecycle.DISPATCHED, lifecycle.IN_PROGRESS)
"""The statuses in which the resolution clock runs: only then can a ticket be overdue (no breach inside a pause)."""
URGENCIES = ("critical", "urgent", "normal", "complex")
SILENT_AFTER = timedelta(days=7)
"""An open ticket in which nobody wrote a public word for so long counts as silent."""


def _yes_or_no(value: Any) -> Any:
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in ("true", "false", "1", "0", "yes", "no"):
            raise PydanticCustomError("bool_type", "yes or no")
        return word in ("true", "1", "yes")
    return value


def _words_of(value: Any) -> Any:
    if isinstance(value, str):
        value = [word for word in value.replace(";", ",").split(",") if word.strip()]
    if isinstance(value, list | tuple):
        words = tuple(str(word).strip() for word in value)
        if any(word not in STATUS_WORDS for word in words):
            raise PydanticCustomError("literal_error", "status", {"expected": tuple(STATUS_WORDS)})
        return words
    return value


def _kind(value: Any) -> Any:
    if value is not None and value not in KINDS:
        raise PydanticCustomError("literal_error", "kind", {"expected": tuple(KINDS)})
    return value


def _urgency(value: Any) -> Any:
    if value is not None and value not in URGENCIES:
        raise PydanticCustomError("literal_error", "urgency", {"expected": tuple(URGENCIES)})
    return value


Moment = datetime | BindParameter[Any]
YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Statuses = Annotated[tuple[str, ...], BeforeValidator(_words_of)]


class TicketFilters(Command):
    """How a list is narrowed. `parse` takes raw texts (an address's query) or values; Invalid names the bad filter.

    `status` may be several words, `open` stands for the five open ones and `legacy` for imported history, which is
    shown only when asked for. `unit` is the lead's code, `area` a unit's code with what lies below, `category` a path
    with what lies below; `overdue` is past its due time while the clock runs; `mine` is raised by the actor, `assigned`
    is on the actor's own desk; `desk` is on that of a unit they work for, `office` with a dispatching office of theirs,
    `overseen` below a unit they answer for; `disputed` came back from its submitter; `silent` is open without a public
    word for a week. `from`/`to` are local days of submission, both included.
    """

    status: Statuses = ()
    unit: Code | None = None
    category: Code | None = None
    area: Code | None = None
    kind: Annotated[str | None, BeforeValidator(_kind)] = None
    overdue: YesNo | None = None
    mine: YesNo | None = None
    assigned: YesNo | None = None
    urgency: Annotated[str | None, BeforeValidator(_urgency)] = None
    desk: YesNo | None = None
    office: YesNo | None = None
    overseen: YesNo | None = None
    disputed: YesNo | None = None
    silent: YesNo | None = None
    q: Code | None = None
    from_: DateField | None = Field(default=None, alias="from")
    to: DateField | None = None


NO_FILTERS = TicketFilters()


def conditions(
    session: Session,
    actor: Actor,
    filters: TicketFilters,
    *,
    now: datetime,
    is_on_desk: bool = False,
    is_walked: bool = False,
) -> list[ColumnElement[bool]]:
    """The SQL conditions of the filters, for a list of which more may be known (full_text.speaks_of).

    Raises Invalid for an unknown code or days that are no span.
    """
    found = _of_actor(actor, filters) + _by_time(filters, now, now - SILENT_AFTER)
    if filters.unit:
        found.append(Ticket.lead_unit_id == _unit(session, "unit", filters.unit).id)
    if filters.area:
        path = _unit(session, "area", filters.area).path
        found.append(Ticket.area_id.in_(select(Unit.id).where(Unit.path.startswith(path, autoescape=True))))
    if filters.category:
        found.append(Ticket.category_id.in_(_categories_below(session, normal_path(filters.category))))
    moving: tuple[tuple[bool | None, Callable[[], ColumnElement[bool]]], ...] = (
        (filters.office, lambda: is_at_office(session, actor, now)),
    )
    found += _wanted(moving)
    if filters.q:
        found.append(speaks_of(session, actor, filters.q, is_on_desk=is_on_desk, is_walked=is_walked))
    return [*found, *_submitted_between(filters.from_, filters.to)]


WAS_DISPUTED = Ticket.reopen_count > literal_column("0")
IS_NOT_CLOSED = Ticket.status != literal_column("'closed'")
"""Said with the values themselves: so a database sees that an index of such tickets alone has all that is asked for."""
MOVING = ("unit", "category", "area", "office", "q", "from_", "to")
"""Filters whose conditions depend on what the database holds, or on a day."""


def is_steady(filters: TicketFilters) -> bool:
    """Whether the conditions of these filters are always the same for the same actor."""
    return all(getattr(filters, name) is None for name in MOVING)


def steady_conditions(actor: Actor, filters: TicketFilters) -> list[ColumnElement[bool]]:
    """SQL: the conditions of steady filters, with `at_instant` as their values."""
    return _of_actor(actor, filters) + _by_time(filters, _LATE_AT, _SILENT_SINCE)


_LATE_AT: BindParameter[Any] = bindparam("late_at", type_=Instant)
_SILENT_SINCE: BindParameter[Any] = bindparam("silent_since", type_=Instant)


def at_instant(now: datetime) -> dict[str, datetime]:
    """What a statement with `steady_conditions` is sent with."""
    return {"late_at": now, "silent_since": now - SILENT_AFTER}


def _by_time(filters: TicketFilters, late_at: Moment, silent_since: Moment) -> list[ColumnElement[bool]]:
    return _wanted(
        (
            (filters.overdue, lambda: _was_due_before(late_at)),
            (filters.silent, lambda: _is_silent_since(silent_since)),
        )
    )


def _of_actor(actor: Actor, filters: TicketFilters) -> list[ColumnElement[bool]]:
    """Those of the SQL conditions that depend on the filters and the actor alone."""
    is_assigned = and_(Ticket.assignee_id.is_not(None), Ticket.assignee_id == actor.account_id)
    found = [_status_is(filters.status)]
    if filters.kind:
        found.append(Ticket.kind == filters.kind)
    if filters.urgency:
        found.append(Ticket.urgency == filters.urgency)
    return found + _wanted(
        (
            (filters.mine, lambda: is_own(actor)),
            (filters.assigned, lambda: is_assigned),
            (filters.desk, lambda: is_on_units_desk(actor)),
            (filters.overseen, lambda: oversees(actor)),
            (filters.disputed, lambda: WAS_DISPUTED),
        )
    )


def _wanted(
    asked: tuple[tuple[bool | None, Callable[[], ColumnElement[bool]]], ...],
) -> list[ColumnElement[bool]]:
    return [condition() if wanted else ~condition() for wanted, condition in asked if wanted is not None]


def statuses_held(filters: TicketFilters) -> frozenset[str] | None:
    """The statuses that tickets of this list can have; None where they can have any."""
    if filters.overdue:
        return frozenset(RUNNING)
    if filters.silent:
        return frozenset(lifecycle.OPEN)
    if not filters.status or LEGACY in filters.status:
        return None
    own = frozenset(filters.status) & frozenset(lifecycle.STATUSES)
    return own | frozenset(lifecycle.OPEN) if OPEN_WORD in filters.status else own


def has_index_of_open(filters: TicketFilters, is_by_disputes: bool) -> bool:
    """Whether an index of open tickets alone has this list in its order: of all that somebody oversees, none is closed.

    For a status or two, a unit, a category or words there is a better one; by how often they came back, it holds those
    that did.
    """
    is_narrow = filters.desk or filters.mine or filters.q or filters.unit or filters.area or filters.category
    if is_narrow or not filters.overseen or (is_by_disputes and not filters.disputed):
        return False
    held = statuses_held(filters)
    return held is not None and len(held) > 2 and lifecycle.CLOSED not in held


def is_silent(now: datetime) -> ColumnElement[bool]:
    """SQL: open, and nobody wrote a public word for a week. Never NULL, so that it may be negated."""
    return _is_silent_since(now - SILENT_AFTER)


def _is_silent_since(since: Moment) -> ColumnElement[bool]:
    spoke_at = func.coalesce(Ticket.last_word_at, Ticket.submitted_at)
    return and_(is_among(Ticket.status, lifecycle.OPEN), spoke_at < since)


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """SQL: its resolution is past due at `now` and still runs. Never NULL, so that it may be negated."""
    return _was_due_before(now)


def _was_due_before(at: Moment) -> ColumnElement[bool]:
    return and_(is_among(Ticket.status, RUNNING), Ticket.due_at.is_not(None), Ticket.due_at < at)


def _status_is(words: tuple[str, ...]) -> ColumnElement[bool]:
    if not words:
        return Ticket.origin != LEGACY
    statuses = {word for word in words if word in lifecycle.STATUSES}
    if OPEN_WORD in words:
        statuses.update(lifecycle.OPEN)
    loop = and_(Ticket.origin != LEGACY, is_among(Ticket.status, statuses)) if statuses else false()
    return or_(Ticket.origin == LEGACY, loop) if LEGACY in words else loop


def _unit(session: Session, name: str, code: str) -> Unit:
    unit = find_unit(session, code)
    if unit is None:
        raise Invalid({name: Text(N_("There is no unit with this code."))})
    return unit


def _categories_below(session: Session, path: str) -> list[int]:
    ids = session.scalars(
        select(Category.id).where(or_(Category.path == path, Category.path.startswith(f"{path}/", autoescape=True)))
    ).all()
    if not ids:
        raise Invalid({"category": Text(N_("There is no category with this path."))})
    return list(ids)


def _submitted_between(first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    if first and last and last < first:
        raise Invalid({"to": Text(N_("Must not lie before the first day."))})
    found = []
    if first:
        found.append(Ticket.submitted_at >= _midnight("from", first))
    if last:
        found.append(Ticket.submitted_at < _midnight("to", last, days_later=1))
    return found


def _midnight(name: str, day: date, days_later: int = 0) -> datetime:
    try:
        start = datetime.combine(day + timedelta(days=days_later), time_of_day.min, tzinfo=site_zone())
        return start.astimezone(UTC)
    except OverflowError as error:
        raise Invalid({name: Text(N_("Must be a date, such as 2026-03-02."))}) from error
