"""The tickets behind one number of a report: the same conditions, so that a number and its list can't disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from feedback.kernel.actor import Actor
from feedback.kernel.clock import site_zone
from feedback.kernel.errors import Invalid
from feedback.kernel.paging import Page, check_limit, cut_page, decode_cursor
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import find_unit
from feedback.reports.cohort import Cohort, build_cohort, is_judged, submitted_in_period
from feedback.reports.conditions import is_held
from feedback.reports.metrics import HATCHES, MEASURES, SHARES, Measure, Row, measure_of
from feedback.reports.numbers import OF_ALL_DISPATCHED, Key, nearest_offices
from feedback.reports.period import ListQuery, months
from feedback.reports.queries import NO_KEY, Report, closure_report
from feedback.routing.models import Category
from feedback.tickets.models import Message, Ticket

KeyIs = Callable[[Key], ColumnElement[bool]]


@dataclass(frozen=True)
class Counted:
    """A ticket in a list. `counts` is what it adds to the number (a verdict of partly a half, two seats two)."""

    id: int
    reference: str
    title: str
    status: str
    closure_reason: str | None
    kind: str
    urgency: str
    privacy: str
    unit: str | None
    area: str | None
    category: str | None
    submitted_at: datetime
    original_due_at: datetime | None
    first_resolved_at: datetime | None
    closed_at: datetime | None
    counts: float


@dataclass(frozen=True)
class CountedList:
    """A page of the list; empty with `is_suppressed` where the number itself is not shown.

    `row` is the report's row it stands behind; `has_hidden`: tickets of hidden rows count in it and are not listed.
    """

    page: Page[Counted]
    row: Row
    is_suppressed: bool = False
    has_hidden: bool = False


def list_counted(
    session: Session,
    actor: Actor,
    query: ListQuery,
    *,
    now: datetime,
    limit: int | None = 50,
    cursor: str | None = None,
) -> CountedList:
    """The tickets that make up numerator, denominator or left_out of one figure, by submission.

    `limit` None gives all of them (exports). Raises as closure_report, and Invalid for an unknown figure, key or cursor.
    """
    query.check()
    zone = site_zone().key
    if limit is not None:
        check_limit(limit)
    raw = _raw_key(session, query, zone) if query.key is not None else None
    report = closure_report(session, actor, query, now=now, with_times=False)
    if _is_suppressed(report, query) or (is_judged(actor) and _counts_verdicts(query)):
        return CountedList(Page((), None), _row_of(report, query), is_suppressed=True)
    cohort = build_cohort(session, actor, query, now=now)
    contributions, key_is = _contributions(session, cohort, query)
    if query.key is not None:
        contributions = contributions.where(key_is(raw))
    hidden = _hidden_rows(report, query)
    for row in hidden:
        contributions = contributions.where(~key_is(_raw_key(session, row, zone)))
    page = _fetch(session, contributions, limit, cursor)
    return CountedList(page, _row_of(report, query), has_hidden=bool(hidden))


def _row_of(report: Report, query: ListQuery) -> Row:
    """The row of the key; the total for none, and for a key that counted nothing an empty row."""
    if query.key is None:
        return report.total
    nothing = Row(
        query.key, "", None, dict.fromkeys(MEASURES, Measure(0, 0)), {}, dict.fromkeys(HATCHES, Measure(0, 0))
    )
    return next((row for row in report.rows if row.key == query.key), nothing)


def _counts_verdicts(query: ListQuery) -> bool:
    """Whether the list would say what single submitters thought."""
    return query.measure in ("resolution", "satisfaction") and query.part != "left_out"


def _is_suppressed(report: Report, query: ListQuery) -> bool:
    rows = [report.total] if query.key is None else [row for row in report.rows if row.key == query.key]
    return any(measure_of(row, query.measure).suppressed for row in rows)


def _hidden_rows(report: Report, query: ListQuery) -> list[ListQuery]:
    """Behind a total the tickets of rows that are hidden stay hidden too."""
    if query.key is not None:
        return []
    return [
        query.model_copy(update={"key": row.key}) for row in report.rows if measure_of(row, query.measure).suppressed
    ]


def _raw_key(session: Session, query: ListQuery, zone: str) -> Key:
    """The key as the cohort has it (an id as text, or a month); Invalid for one that names nothing."""
    key = query.key or NO_KEY
    if key == NO_KEY:
        return None
    found: int | str | None
    if query.by == "month":
        found = key if key in dict(months(query, zone)) else None
    elif query.by == "category":
        found = session.scalar(select(Category.id).where(Category.path == key))
    else:
        unit = find_unit(session, key)
        found = unit.id if unit else None
    if found is None:
        raise Invalid({"key": Text(N_("There is no such row in this report."))})
    return str(found)


def _contributions(session: Session, cohort: Cohort, query: ListQuery) -> tuple[Select[Any], KeyIs]:
    """(ticket id, what it adds) of the part asked for, and the SQL condition that a row belongs to a key."""
    table = cohort.table
    if query.measure == "declined":
        submitted = submitted_in_period(cohort)
        chosen = select(submitted.c.id, literal(1).label("counts"))
        if query.part == "left_out":
            chosen = chosen.where(literal(False))
        elif query.part == "numerator":
            chosen = chosen.where(submitted.c.is_declined)
        if query.by == "unit":  # what was never dispatched belongs to no unit: only the total counts it
            return chosen, lambda _key: literal(False)
        return chosen, submitted.c.key.is_not_distinct_from
    key_is: KeyIs = table.c.key.is_not_distinct_from
    if query.measure == "first_dispatch_right" and query.by == "unit":
        key_is = _office_is(session, cohort)
    if _counts_verdicts(query):
        return _verdict_contributions(cohort, query), key_is
    return select(table.c.id, literal(1).label("counts")).where(_part_of(cohort, query)), key_is


def _part_of(cohort: Cohort, query: ListQuery) -> ColumnElement[bool]:
    flags, counted = cohort.flags, cohort.is_counted
    if query.measure in HATCHES:
        whole = literal(True) if query.measure in OF_ALL_DISPATCHED else counted
        flag = flags[f"hatch_{query.measure}"]
        return {"numerator": and_(whole, flag), "denominator": whole, "left_out": literal(False)}[query.part]
    if query.part == "left_out":
        return ~counted
    if query.measure in SHARES and query.part == "numerator":
        holding = is_held(flags)
        share = {
            "holding": holding,
            "unstable": and_(flags["confirmed"], ~holding),
            "unconfirmed": and_(flags["claimed"], ~flags["confirmed"]),
            "undone": ~flags["claimed"],
        }[query.measure]
        return and_(counted, share)
    if query.part == "denominator":
        return counted
    if query.measure in ("stable", "stable_pending"):
        settled = flags["settled"] if query.measure == "stable" else ~flags["settled"]
        return and_(counted, is_held(flags), settled)
    return and_(counted, flags[query.measure])


def _verdict_contributions(cohort: Cohort, query: ListQuery) -> Select[Any]:
    """What the last verdicts of its seats add, by ticket."""
    c, is_numerator = cohort.table.c, query.part == "numerator"
    adds: ColumnElement[Any]
    if query.measure == "satisfaction":
        adds = c.good_ratings if is_numerator else c.ratings
    else:
        adds = c.halves / 2.0 if is_numerator else c.verdicts
    return select(c.id, adds.label("counts")).where(cohort.is_counted, adds > 0)


def _office_is(session: Session, cohort: Cohort) -> KeyIs:
    """A row belongs to the office whose dispatcher sent it, or, sent by the catalogue, to the nearest to its area."""
    table = cohort.table
    nearest = nearest_offices(session, cohort)

    def is_of(key: Key) -> ColumnElement[bool]:
        office = int(key) if key else None
        areas = [unit for unit, found in nearest.items() if found == office]
        by_catalogue = and_(table.c.office_id.is_(None), table.c.area_id.in_(areas))
        return or_(table.c.office_id == office, by_catalogue) if office else by_catalogue

    return is_of


def _fetch(session: Session, contributions: Select[Any], limit: int | None, cursor: str | None) -> Page[Counted]:
    adds = contributions.subquery()
    unit, area = aliased(Unit), aliased(Unit)
    query = (
        select(
            Ticket.id,
            Ticket.reference,
            func.coalesce(Message.title, "").label("title"),
            Ticket.status,
            Ticket.closure_reason,
            Ticket.kind,
            Ticket.urgency,
            Ticket.privacy,
            unit.code,
            area.code,
            Category.path,
            Ticket.submitted_at,
            Ticket.original_due_at,
            Ticket.first_resolved_at,
            Ticket.closed_at,
            adds.c.counts,
        )
        .join(adds, adds.c.id == Ticket.id)
        .outerjoin(Message, and_(Message.ticket_id == Ticket.id, Message.version == 1, Message.is_current))
        .outerjoin(unit, unit.id == func.coalesce(Ticket.first_resolved_unit_id, Ticket.lead_unit_id))
        .outerjoin(area, area.id == func.coalesce(Ticket.first_area_id, Ticket.area_id))
        .outerjoin(Category, Category.id == func.coalesce(Ticket.first_category_id, Ticket.category_id))
        .order_by(Ticket.submitted_at, Ticket.id)
    )
    if cursor:
        at, ticket_id = _cursor_key(cursor)
        query = query.where(
            tuple_(Ticket.submitted_at, Ticket.id) > tuple_(literal(at, Ticket.submitted_at.type), ticket_id)
        )
    if limit is not None:
        query = query.limit(limit + 1)
    rows: Sequence[Counted] = [Counted(*tuple(row)) for row in session.execute(query)]
    if limit is None:
        return Page(rows, None)
    return cut_page(rows, limit, lambda row: (row.submitted_at.isoformat(), row.id))


def _cursor_key(cursor: str) -> tuple[datetime, int]:
    at, ticket_id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(at), int(ticket_id)
    except (TypeError, ValueError) as error:
        raise Invalid({"cursor": Text(N_("This cursor was not made here. Start from the first page."))}) from error
