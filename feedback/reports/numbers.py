"""The SQL that adds up a cohort: a handful of queries, however many rows a report has. Nothing is hidden or named here yet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, and_, case, distinct, func, select
from sqlalchemy.orm import Session

from feedback.people.models import Unit
from feedback.people.queries import office_ids
from feedback.reports.cohort import Cohort, count_where, submitted_in_period
from feedback.reports.conditions import (
    confirmed_parts,
    hatch_conditions,
    is_last_verdict,
    left_out_conditions,
    stability,
    ticket_conditions,
)
from feedback.reports.metrics import STAGES, Times
from feedback.reports.sqltime import seconds_between
from feedback.tickets.models import Seat, Ticket, Verdict
from feedback.tickets.visibility import PROTECTED

Key = str | None
Sorts = Sequence[tuple[dict[str, Any], int]]
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
    sorts = _sorts_of_tickets(session, cohort)
    for part in (
        _ticket_sums(sorts, cohort),
        _verdict_sums(session, cohort),
        _office_sums(session, sorts, cohort),
    ):
        for key, counts in part.items():
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


def _sorts_of_tickets(session: Session, cohort: Cohort) -> list[tuple[dict[str, Any], int]]:
    """The cohort's tickets by everything that a report tells apart, and how many there are of each sort.

    Each condition is asked once of each ticket; what is added up of them is added up here.
    """
    columns = [column for column in cohort.table.c if column.name != "id"]
    query = select(*columns, func.count().label("tickets")).group_by(*columns)
    return [({**row}, int(row["tickets"])) for row in session.execute(query).mappings()]


def _ticket_sums(sorts: Sorts, cohort: Cohort) -> dict[Key, Counter[str]]:
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    left_out = [f"left_{name}" for name in left_out_conditions(cohort.now)]
    of_counted = [*ticket_conditions(cohort.now), *(f"confirmed_{name}" for name in confirmed_parts())]
    of_all = [*left_out]
    for name in hatch_conditions():
        (of_all if name in OF_ALL_DISPATCHED else of_counted).append(f"hatch_{name}")
    for sort, tickets in sorts:
        sums = found[sort["key"]]
        sums["all"] += tickets
        sums.update({name: tickets for name in of_all if sort[name]})
        if not any(sort[name] for name in left_out):
            sums["size"] += tickets
            sums.update({name: tickets for name in of_counted if sort[name]})
            sums.update({name: tickets for name, is_so in stability(sort).items() if is_so})
            if sort["is_protected"]:
                sums["size_protected"] += tickets
                sums["confirmed_protected"] += tickets if sort["confirmed"] else 0
    return found


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


def _office_sums(session: Session, sorts: Sorts, cohort: Cohort) -> dict[Key, Counter[str]]:
    """First dispatch right by the office that dispatched: its dispatcher's unit, or the nearest to the area."""
    left_out = [f"left_{name}" for name in left_out_conditions(cohort.now)]
    is_by_unit = cohort.query.by == "unit"
    nearest = nearest_offices(session, cohort) if is_by_unit else {}
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for sort, tickets in sorts:
        key = sort["key"]
        if is_by_unit:
            office = sort["office_id"] or nearest.get(sort["area_id"])
            key = None if office is None else str(office)
        sums = found[key]
        if any(sort[name] for name in left_out):
            continue
        sums["office"] += tickets
        sums["office_right"] += tickets if sort["first_dispatch_right"] else 0
        sums["office_protected"] += tickets if sort["is_protected"] else 0
    return found


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
    query = (
        select(table.c.key, *(spans[stage] for stage in STAGES))
        .join(Ticket, Ticket.id == table.c.id)
        .where(cohort.is_counted, table.c.confirmed)
    )
    lengths: defaultdict[tuple[Key, bool, str], list[float]] = defaultdict(list)
    for key, *seconds in session.execute(query):
        for stage, length in zip(STAGES, seconds, strict=True):
            if length is not None:
                lengths[key, False, stage].append(float(length))
                lengths[None, True, stage].append(float(length))
    found: defaultdict[tuple[Key, bool], dict[str, Times]] = defaultdict(dict)
    for (key, is_total, stage), values in lengths.items():
        values.sort()
        place = (len(values) * 9 + 9) // 10
        found[key, is_total][stage] = Times(round(median(values)), int(values[place - 1]))
    return dict(found)
