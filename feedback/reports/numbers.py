"""The SQL that adds up a cohort: a handful of queries, however many rows a report has. Nothing is hidden or named here yet."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from feedback.people.models import Unit
from feedback.people.queries import office_ids
from feedback.reports.cohort import Cohort, count_where, submitted_in_period
from feedback.reports.conditions import (
    confirmed_parts,
    hatch_conditions,
    is_last_verdict,
    left_out_conditions,
    ticket_conditions,
)
from feedback.reports.metrics import STAGES, Times
from feedback.reports.sqltime import seconds_between
from feedback.tickets.models import Seat, Ticket, Verdict
from feedback.tickets.visibility import PROTECTED

Key = str | None
GOOD_RATING = 3
OF_ALL_DISPATCHED = ("joined", "excluded")
"""Hatches through which a ticket leaves the dispatched: their share is of all, these included."""


@dataclass
class Sums:
    """What was added up for one key. Names are those of the columns in `_ticket_sums` and below."""

    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, Times] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.counts[name]

    def add(self, other: Sums) -> None:
        """Add another key's counts (times can't be added)."""
        self.counts.update(other.counts)


def add_up(session: Session, cohort: Cohort) -> tuple[dict[Key, Sums], Sums]:
    """The sums of every key, and of all together."""
    rows: defaultdict[Key, Sums] = defaultdict(Sums)
    for part in (_ticket_sums, _verdict_sums, _office_sums):
        for key, counts in part(session, cohort).items():
            rows[key].counts.update(counts)
    total = Sums()
    for sums in rows.values():
        total.add(sums)
    for key, counts in _declined_sums(session, cohort).items():
        total.counts.update(counts)
        if cohort.query.by != "unit":
            rows[key].counts.update(counts)
    for (key, is_total), times in _stage_times(session, cohort).items():
        (total if is_total else rows[key]).times = times
    return dict(rows), total


def _ticket_sums(session: Session, cohort: Cohort) -> dict[Key, dict[str, int]]:
    table, counted = cohort.table, cohort.is_counted
    columns: dict[str, ColumnElement[int]] = {
        "all": func.count(),
        "size": count_where(counted),
        "size_protected": count_where(and_(counted, table.c.is_protected)),
        "confirmed_protected": count_where(and_(counted, table.c.confirmed, table.c.is_protected)),
    }
    columns |= {f"left_{name}": count_where(table.c[f"left_{name}"]) for name in left_out_conditions(cohort.now)}
    columns |= {name: count_where(and_(counted, table.c[name])) for name in ticket_conditions(cohort.now)}
    columns |= {
        f"confirmed_{name}": count_where(and_(counted, table.c[f"confirmed_{name}"])) for name in confirmed_parts()
    }
    for name in hatch_conditions():
        flag = table.c[f"hatch_{name}"]
        columns[f"hatch_{name}"] = count_where(flag if name in OF_ALL_DISPATCHED else and_(counted, flag))
    query = select(table.c.key, *(column.label(name) for name, column in columns.items())).group_by(table.c.key)
    return {row["key"]: {name: int(row[name]) for name in columns} for row in session.execute(query).mappings()}


def _verdict_sums(session: Session, cohort: Cohort) -> dict[Key, dict[str, int]]:
    protected = Seat.privacy.in_(PROTECTED)
    rated = Verdict.rating.is_not(None)
    columns: dict[str, ColumnElement[int]] = {
        "verdicts": func.count(Verdict.id),
        "verdicts_protected": count_where(protected),
        "verdict_tickets": func.count(distinct(Verdict.ticket_id)),
        "halves": func.sum(case((Verdict.verdict == "solved", 2), (Verdict.verdict == "partly", 1), else_=0)),
        "ratings": count_where(rated),
        "ratings_protected": count_where(and_(rated, protected)),
        "good_ratings": count_where(Verdict.rating >= GOOD_RATING),
    }
    table = cohort.table
    query = (
        select(table.c.key, *(column.label(name) for name, column in columns.items()))
        .join(Verdict, Verdict.ticket_id == table.c.id)
        .join(Seat, Seat.id == Verdict.seat_id)
        .where(cohort.is_counted, is_last_verdict(), Seat.left_at.is_(None))
        .group_by(table.c.key)
    )
    return {row["key"]: {name: int(row[name] or 0) for name in columns} for row in session.execute(query).mappings()}


def nearest_offices(session: Session, cohort: Cohort) -> dict[int, int | None]:
    """For each unit the dispatching office nearest upwards from it."""
    offices = office_ids(session, cohort.now)
    units = session.execute(select(Unit.id, Unit.path)).all()
    return {
        unit_id: next((int(part) for part in reversed(path.strip("/").split("/")) if int(part) in offices), None)
        for unit_id, path in units
    }


def _office_sums(session: Session, cohort: Cohort) -> dict[Key, dict[str, int]]:
    """First dispatch right by the office that dispatched: its dispatcher's unit, or the nearest to the area."""
    table, counted = cohort.table, cohort.is_counted
    right = and_(counted, table.c.first_dispatch_right)
    protected = and_(counted, table.c.is_protected)
    is_by_unit = cohort.query.by == "unit"
    keys = (table.c.office_id, table.c.area_id) if is_by_unit else (table.c.key, cast(null(), Integer))
    query = select(
        keys[0].label("first"),
        keys[1].label("second"),
        count_where(counted).label("office"),
        count_where(right).label("office_right"),
        count_where(protected).label("office_protected"),
    ).group_by(*(keys if is_by_unit else keys[:1]))
    nearest = nearest_offices(session, cohort) if is_by_unit else {}
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for row in session.execute(query).mappings():
        key = row["first"]
        if is_by_unit:
            office = row["first"] or nearest.get(row["second"])
            key = None if office is None else str(office)
        found[key].update({name: int(row[name]) for name in ("office", "office_right", "office_protected")})
    return {key: dict(counts) for key, counts in found.items()}


def _declined_sums(session: Session, cohort: Cohort) -> dict[Key, dict[str, int]]:
    """Declined of those submitted in the period: they were never dispatched, so their cohort is another."""
    inner = submitted_in_period(cohort)
    query = select(
        inner.c.key,
        func.count().label("submitted"),
        count_where(inner.c.is_declined).label("declined"),
        count_where(inner.c.is_protected).label("submitted_protected"),
    ).group_by(inner.c.key)
    return {
        row["key"]: {name: int(row[name]) for name in ("submitted", "declined", "submitted_protected")}
        for row in session.execute(query).mappings()
    }


def _stage_times(session: Session, cohort: Cohort) -> dict[tuple[Key, bool], dict[str, Times]]:
    """Median and nearest-rank 90th percentile of each stage of the confirmed, by (key, False) and for all (None, True)."""
    table = cohort.table
    spans = {
        "whole": seconds_between(Ticket.submitted_at, Ticket.closed_at),
        "to_dispatch": seconds_between(Ticket.submitted_at, Ticket.first_dispatched_at),
        "to_resolution": seconds_between(Ticket.first_dispatched_at, Ticket.resolved_at),
        "to_confirmation": seconds_between(Ticket.resolved_at, Ticket.closed_at),
    }
    confirmed = and_(cohort.is_counted, table.c.confirmed)
    values = union_all(
        *(
            select(
                literal(stage).label("stage"),
                (cast(null(), String) if is_total else table.c.key).label("key"),
                literal(int(is_total)).label("is_total"),
                spans[stage].label("seconds"),
            )
            .select_from(table)
            .join(Ticket, Ticket.id == table.c.id)
            .where(confirmed)
            for stage in STAGES
            for is_total in (False, True)
        )
    ).subquery()
    group = (values.c.stage, values.c.key, values.c.is_total)
    ranked = select(
        *group,
        values.c.seconds,
        func.row_number().over(partition_by=group, order_by=values.c.seconds).label("rank"),
        func.count().over(partition_by=group).label("size"),
    ).subquery()
    size, rank = ranked.c.size, ranked.c.rank
    middle = or_(rank == (size + 1) // 2, rank == (size + 2) // 2)
    last = rank == (size * 9 + 9) // 10
    query = select(
        ranked.c.stage,
        ranked.c.key,
        ranked.c.is_total,
        func.avg(case((middle, ranked.c.seconds))).label("median"),
        func.max(case((last, ranked.c.seconds))).label("p90"),
    ).group_by(ranked.c.stage, ranked.c.key, ranked.c.is_total)
    found: defaultdict[tuple[Key, bool], dict[str, Times]] = defaultdict(dict)
    for row in session.execute(query).mappings():
        found[row["key"], bool(row["is_total"])][row["stage"]] = Times(round(float(row["median"])), int(row["p90"]))
    return dict(found)
