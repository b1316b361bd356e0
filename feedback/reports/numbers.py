"""The SQL that adds up a cohort: a handful of queries, however many rows a report has. Nothing is hidden or named here yet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.kernel.sqltime import whole_seconds
from feedback.people.models import Unit
from feedback.people.queries import office_ids
from feedback.reports.cohort import Cohort, count_where, facts_of, submitted_in_period
from feedback.reports.conditions import flags_of, stability
from feedback.reports.metrics import HATCHES, LEFT_OUT, STAGES, Times
from feedback.tickets.figures import VERDICT_SUMS

Key = str | None
Sorts = Sequence[dict[str, Any]]
OF_ALL_DISPATCHED = ("joined", "excluded")
"""Hatches through which a ticket leaves the dispatched: their share is of all, these included."""
MARKS = ("figures", "closure_reason", "is_own_unit", "is_claimed", "is_settled")
PLAIN = ("key", "is_protected", *MARKS)
OF_OFFICES = ("area_id", "office_id")
"""Columns of a cohort by which tickets are of one sort; the latter tell it only where offices have rows of their own."""
SUMMED = ("verdict_tickets", *VERDICT_SUMS)
OF_ALL = tuple(f"left_{name}" for name in LEFT_OUT) + tuple(f"hatch_{name}" for name in OF_ALL_DISPATCHED)
OF_COUNTED = (
    *("response", "on_time", "on_time_extended", "claimed", "confirmed", "raised_again", "reopened", "settled"),
    *("first_dispatch_right", "confirmed_solved", "confirmed_partly", "confirmed_accepted"),
    *(f"hatch_{name}" for name in HATCHES if name not in (*OF_ALL_DISPATCHED, "declined")),
)
"""Conditions counted over all dispatched, and those over the counted alone."""


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


def add_up(session: Session, cohort: Cohort, *, with_times: bool) -> tuple[dict[Key, Sums], Sums]:
    """The sums of every key, and of all together."""
    rows: defaultdict[Key, Sums] = defaultdict(Sums)
    sorts = _sorts_of_tickets(session, cohort)
    for part in (_ticket_sums(sorts), _office_sums(session, sorts, cohort)):
        for key, counts in part.items():
            rows[key].counts.update(counts)
    total = Sums()
    for sums in rows.values():
        total.add(sums)
    for key, declined in _declined_sums(session, cohort).items():
        total.counts.update(declined)
        if cohort.query.by != "unit":
            rows[key].counts.update(declined)
    for (key, is_total), times in (_stage_times(session, cohort) if with_times else {}).items():
        (total if is_total else rows[key]).times = times
    return dict(rows), total


def _sorts_of_tickets(session: Session, cohort: Cohort) -> Sorts:
    """The cohort's tickets by everything that a report tells apart: how many of each sort, and what verdicts said of them.

    Tickets are grouped by their plain columns, and conditions are asked once of each sort; the rest is added up here.
    """
    table = cohort.table
    plain = [table.c[name] for name in (*PLAIN, *(OF_OFFICES if cohort.query.by == "unit" else ()))]
    said = [func.sum(table.c[name]).label(name) for name in VERDICT_SUMS]
    grouped = (
        select(*plain, func.count().label("tickets"), count_where(table.c.verdicts > 0).label("verdict_tickets"), *said)
        .group_by(*plain)
        .subquery()
    )
    flags = flags_of(facts_of(grouped))
    query = select(
        *(column for column in grouped.c if column.name not in MARKS),
        *(condition.label(name) for name, condition in flags.items()),
    )
    return [{**row} for row in session.execute(query).mappings()]


def _ticket_sums(sorts: Sorts) -> dict[Key, Counter[str]]:
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for sort in sorts:
        sums, tickets = found[sort["key"]], sort["tickets"]
        sums["all"] += tickets
        sums.update({name: tickets for name in OF_ALL if sort[name]})
        if is_left_out(sort):
            continue
        sums["size"] += tickets
        sums.update({name: tickets for name in OF_COUNTED if sort[name]})
        sums.update({name: tickets for name, is_so in stability(sort).items() if is_so})
        sums.update({name: int(sort[name]) for name in SUMMED})
        if sort["is_protected"]:
            sums["size_protected"] += tickets
            sums["confirmed_protected"] += tickets if sort["confirmed"] else 0
    return found


def is_left_out(sort: Mapping[str, Any]) -> bool:
    """Whether tickets of this sort are not among the counted."""
    return any(sort[f"left_{name}"] for name in LEFT_OUT)


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
    is_by_unit = cohort.query.by == "unit"
    nearest = nearest_offices(session, cohort) if is_by_unit else {}
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for sort in sorts:
        key, tickets = sort["key"], sort["tickets"]
        if is_by_unit:
            office = sort["office_id"] or nearest.get(sort["area_id"])
            key = None if office is None else str(office)
        sums = found[key]
        if is_left_out(sort):
            continue
        sums["office"] += tickets
        sums["office_right"] += tickets if sort["first_dispatch_right"] else 0
        sums["office_protected"] += tickets if sort["is_protected"] else 0
    return found


def _declined_sums(session: Session, cohort: Cohort) -> dict[Key, dict[str, int]]:
    """Declined of those submitted in the period: they were never dispatched, so their cohort is another.

    By unit there is only the total of it: what was never dispatched belongs to no unit.
    """
    inner = submitted_in_period(cohort)
    keys = [] if cohort.query.by == "unit" else [inner.c.key]
    query = select(
        *keys,
        func.count().label("submitted"),
        count_where(inner.c.is_declined).label("declined"),
        count_where(inner.c.is_protected).label("submitted_protected"),
    ).group_by(*keys)
    return {
        row.get("key"): {name: int(row[name]) for name in ("submitted", "declined", "submitted_protected")}
        for row in session.execute(query).mappings()
    }


def _stage_times(session: Session, cohort: Cohort) -> dict[tuple[Key, bool], dict[str, Times]]:
    """Median and nearest-rank 90th percentile of each stage of the confirmed, by (key, False) and for all (None, True)."""
    c = cohort.table.c
    instants = (c.submitted_at, c.first_dispatched_at, c.resolved_at, c.closed_at)
    query = select(c.key, *(whole_seconds(instant) for instant in instants))
    by_key: defaultdict[Key, list[tuple[int | None, ...]]] = defaultdict(list)
    for key, *at in session.execute(query.where(cohort.is_counted, cohort.flags["confirmed"])):
        by_key[key].append(tuple(at))
    found: dict[tuple[Key, bool], dict[str, Times]] = {}
    whole: dict[str, list[int]] = {stage: [] for stage in STAGES}
    for key, rows in by_key.items():
        lengths = {stage: _lengths(rows, *SPANS[stage]) for stage in STAGES}
        found[key, False] = {stage: _times(values) for stage, values in lengths.items() if values}
        for stage, values in lengths.items():
            whole[stage] += values
    found[None, True] = {stage: _times(sorted(values)) for stage, values in whole.items() if values}
    return found


SPANS = {"whole": (0, 3), "to_dispatch": (0, 1), "to_resolution": (1, 2), "to_confirmation": (2, 3)}
"""From which to which of the instants read for it a stage lasts."""


def _lengths(rows: Sequence[tuple[int | None, ...]], begins: int, ends: int) -> list[int]:
    """How long a stage lasted, the shortest first."""
    pairs = ((row[begins], row[ends]) for row in rows)
    return sorted(last - first for first, last in pairs if first is not None and last is not None)


def _times(values: Sequence[int]) -> Times:
    place = (len(values) * 9 + 9) // 10
    return Times(round(median(values)), values[place - 1])
