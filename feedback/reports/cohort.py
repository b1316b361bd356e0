"""The tickets that a report counts, as one SQL expression with a column for every condition, and what they are grouped by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    SQLColumnExpression,
    String,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.clock import site_zone
from feedback.kernel.errors import Forbidden
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import get_unit
from feedback.reports.conditions import Condition, Facts, flags_of, left_out_conditions
from feedback.reports.period import ReportQuery, bounds, months
from feedback.tickets.figures import STABLE_DAYS, VERDICT_SUMS
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import OVERSEEING_ROLES, PROTECTED, WORKING_ROLES, oversees, visible

READERS = (*OVERSEEING_ROLES, *WORKING_ROLES)
"""Roles that read figures: of their subtree, or (handlers and heads) of their own unit."""

counted_unit_id = func.coalesce(Ticket.first_resolved_unit_id, Ticket.lead_unit_id)
"""SQL: the unit a ticket counts for: the lead at the first resolve, else the present lead."""


def may_read_reports(actor: Actor) -> bool:
    """Whether any figure is open to this actor."""
    return actor.is_system or any(grant.role in READERS for grant in actor.grants)


def is_judged(actor: Actor) -> bool:
    """Whether verdicts judge this actor's own unit: what single submitters said of it then stays unseen."""
    return any(grant.role in WORKING_ROLES for grant in actor.grants)


def in_scope(actor: Actor) -> ColumnElement[bool]:
    """SQL: tickets whose figures the actor may read: their subtree's; as handler or head their own unit's alone.

    Both start from what they may see at all, so that nobody counts a ticket that is about them.
    Raises Forbidden for whoever has none of these roles.
    """
    if actor.is_system:
        return visible(actor)
    if not may_read_reports(actor):
        raise Forbidden(Text(N_("Figures are for those who lead, dispatch, supervise or work on tickets.")))
    own_units = {grant.unit_id for grant in actor.grants if grant.role in WORKING_ROLES}
    own = counted_unit_id.in_(own_units) if own_units else false()
    return and_(or_(oversees(actor), own), visible(actor))


@dataclass(frozen=True)
class Cohort:
    """One report's tickets. `table` has a row for each: grouping key, what conditions are told by, verdicts, instants.

    It is read from one index alone, from the first due date of the period to the last.
    """

    query: ReportQuery
    zone: str
    now: datetime
    table: CTE
    scope: list[ColumnElement[bool]] = field(default_factory=list)

    @property
    def is_counted(self) -> ColumnElement[bool]:
        """SQL on `table`: among the dispatched, and not left out."""
        return and_(*(~condition for condition in left_out_conditions(facts_of(self.table)).values()))

    @property
    def flags(self) -> dict[str, Condition]:
        """SQL on `table`: every condition by its name."""
        return flags_of(facts_of(self.table))


def facts_of(table: FromClause) -> Facts:
    """What conditions are told by, of a cohort's table or of one grouped from it."""
    c = table.c
    return Facts(c.figures, c.closure_reason, c.is_own_unit, c.is_claimed, c.is_settled)


def build_cohort(session: Session, actor: Actor, query: ReportQuery, *, now: datetime) -> Cohort:
    """The tickets of this query that the actor may count. Raises Forbidden, Invalid (days), NotFound (unit)."""
    query.check()
    zone = site_zone().key
    scope = [_asked_of_each(and_(in_scope(actor), Ticket.origin == "loop", *below_unit(session, query)))]
    start, end = bounds(query, zone)
    table = (
        select(
            Ticket.id.label("id"),
            group_key(query, zone, Ticket.original_due_at).label("key"),
            Ticket.privacy.in_(PROTECTED).label("is_protected"),
            Ticket.first_area_id.label("area_id"),
            Ticket.first_office_id.label("office_id"),
            Ticket.figures,
            Ticket.closure_reason,
            Ticket.is_own_unit,
            Ticket.first_resolved_at.is_not(None).label("is_claimed"),
            func.coalesce(Ticket.closed_at <= now - timedelta(days=STABLE_DAYS), false()).label("is_settled"),
            *(Ticket.__table__.c[name] for name in VERDICT_SUMS),
            *(Ticket.submitted_at, Ticket.first_dispatched_at, Ticket.resolved_at, Ticket.closed_at),
        )
        .where(
            *scope,
            Ticket.first_dispatched_at.is_not(None),
            Ticket.original_due_at >= start,
            Ticket.original_due_at < end,
            Ticket.original_due_at <= now,
        )
        .cte("cohort")
    )
    return Cohort(query, zone, now, table, scope)


def submitted_in_period(cohort: Cohort) -> Subquery:
    """Tickets received in the period, declined or not: `declined` is a share of these."""
    start, end = bounds(cohort.query, cohort.zone)
    return (
        select(
            Ticket.id,
            group_key(cohort.query, cohort.zone, Ticket.submitted_at).label("key"),
            Ticket.closure_reason.is_not_distinct_from("declined").label("is_declined"),
            Ticket.privacy.in_(PROTECTED).label("is_protected"),
        )
        .where(*cohort.scope, Ticket.submitted_at >= start, Ticket.submitted_at < end)
        .subquery()
    )


def _asked_of_each(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL: the same, put so that a database does not start from it: a period's tickets are one range of an index.

    SQLite without statistics would rather find the tickets of each unit one by one.
    """
    return case((condition, true()), else_=false())


def below_unit(session: Session, query: ReportQuery) -> list[ColumnElement[bool]]:
    """SQL: area or counted unit lies in the unit's subtree; nothing where none was given."""
    if query.unit is None:
        return []
    top = get_unit(session, query.unit)
    below = select(Unit.id).where(Unit.path.startswith(top.path, autoescape=True))
    return [or_(func.coalesce(Ticket.first_area_id, Ticket.area_id).in_(below), counted_unit_id.in_(below))]


def group_key(query: ReportQuery, zone: str, instant: SQLColumnExpression[Any]) -> ColumnElement[str | None]:
    """SQL: the id (as text) or month by which a ticket is grouped; `instant` is what its month is told by."""
    if query.by == "unit":
        return cast(counted_unit_id, String)
    if query.by == "area":
        return cast(func.coalesce(Ticket.first_area_id, Ticket.area_id), String)
    if query.by == "category":
        return cast(
            case((Ticket.first_dispatched_at.is_(None), Ticket.category_id), else_=Ticket.first_category_id), String
        )
    return case(*((instant < end, literal(name)) for name, end in months(query, zone)))


def count_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """SQL: how many rows of the group fit."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).cast(Integer)
