"""The report of closures: sums turned into named rows and figures, with what must not be shown taken out. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import Unit
from feedback.reports.cohort import build_cohort, is_judged
from feedback.reports.metrics import (
    HATCHES,
    LEFT_OUT,
    MEASURES,
    OFFICE,
    RATINGS,
    SUPPRESSED,
    TICKETS,
    VERDICTS,
    Measure,
    Row,
    Times,
    share,
)
from feedback.reports.numbers import OF_ALL_DISPATCHED, Key, Sums, add_up
from feedback.reports.period import ReportQuery, is_final, months
from feedback.reports.suppression import Cell, Hidden, hide
from feedback.routing.models import Category

NO_KEY = "none"
"""The row of tickets without a category, or with no unit at present."""

CONFIRMED, SUBMITTED = "confirmed", "submitted"
_SIZES = {
    TICKETS: ("size", "size_protected"),
    VERDICTS: ("verdicts", "verdicts_protected"),
    RATINGS: ("ratings", "ratings_protected"),
    OFFICE: ("office", "office_protected"),
    CONFIRMED: ("confirmed", "confirmed_protected"),
    SUBMITTED: ("submitted", "submitted_protected"),
}


@dataclass(frozen=True)
class Report:
    """The rows in the order of the tree, the paths or the months; `total` is of all of them."""

    query: ReportQuery
    zone: str
    now: datetime
    rows: tuple[Row, ...]
    total: Row


@dataclass(frozen=True)
class _Name:
    key: str
    name: str
    name_en: str | None
    order: str


def closure_report(
    session: Session, actor: Actor, query: ReportQuery, *, now: datetime, with_times: bool = True
) -> Report:
    """The figures of domain.md for the tickets whose original due date lies in the period and is past at `now`.

    Days and months are the site's. Raises Forbidden (no role that reads figures), Invalid (days), NotFound (unit).
    The number of queries does not depend on the number of rows. Without `with_times` no medians are worked out, which
    take as long as all the rest.
    """
    cohort = build_cohort(session, actor, query, now=now)
    zone = cohort.zone
    by_key, total = add_up(session, cohort, with_times=with_times)
    if query.by == "month":
        by_key = {name: by_key.get(name, Sums()) for name, _end in months(query, zone)}
    hidden = _what_to_hide(by_key, total, is_judged=is_judged(actor))
    final = {name: is_final(end, now) for name, end in months(query, zone)} if query.by == "month" else {}
    rows = [
        (name, _row(name, by_key[key], key, hidden, is_final=final.get(name.key, True)))
        for key, name in _names(session, query, by_key).items()
    ]
    rows.sort(key=lambda pair: pair[0].order)
    shown_total = _row(_Name("", "", None, ""), total, None, hidden, is_total=True)
    return Report(query, zone, now, tuple(row for _name, row in rows), shown_total)


def _what_to_hide(by_key: Mapping[Key, Sums], total: Sums, *, is_judged: bool) -> dict[str, Hidden]:
    """For each base of denominators, which keys are hidden; what is hidden as a whole is hidden everywhere.

    To those whom verdicts judge, every verdict and rating is a confidential one.
    """
    found: dict[str, Hidden] = {}
    whole = Hidden(frozenset(), total=False)
    for base, (size, confidential) in _SIZES.items():
        protected = size if is_judged and base in (VERDICTS, RATINGS) else confidential
        cells = {key: Cell(sums[size], sums[protected]) for key, sums in by_key.items()}
        already = frozenset() if base in (OFFICE, SUBMITTED) else whole.keys
        hidden = hide(cells, already)
        telling_total = Cell(total[size], total[protected]).is_telling
        found[base] = Hidden(hidden.keys, hidden.total or telling_total or (whole.total and base != OFFICE))
        if base == TICKETS:
            whole = found[base]
    return found


def _row(
    name: _Name, sums: Sums, key: Key, hidden: Mapping[str, Hidden], *, is_total: bool = False, is_final: bool = True
) -> Row:
    def is_hidden(base: str) -> bool:
        return hidden[base].total if is_total else key in hidden[base].keys

    left_out = {reason: sums[f"left_{reason}"] for reason in LEFT_OUT}
    measures = {
        measure: SUPPRESSED if is_hidden(definition.base) else _measure(measure, sums, left_out)
        for measure, definition in MEASURES.items()
    }
    hatches = {
        hatch: SUPPRESSED if is_hidden(SUBMITTED if hatch == "declined" else TICKETS) else _hatch(hatch, sums)
        for hatch in HATCHES
    }
    times = {} if is_hidden(TICKETS) or is_hidden(CONFIRMED) else dict(sums.times)
    return Row(
        None if is_total else name.key,
        name.name,
        name.name_en,
        measures,
        times or {"whole": Times()},
        hatches,
        is_final,
    )


def _measure(name: str, sums: Sums, left_out: Mapping[str, int]) -> Measure:
    if name == "resolution":
        halves = sums["halves"]
        given = halves / 2 if halves % 2 else halves // 2
        return Measure(given, sums["verdicts"], left_out, share(sums["verdict_tickets"], sums["size"]))
    if name == "satisfaction":
        return Measure(sums["good_ratings"], sums["ratings"], left_out, share(sums["ratings"], sums["verdicts"]))
    if name == "first_dispatch_right":
        return Measure(sums["office_right"], sums["office"], left_out)
    parts = {p: sums[f"confirmed_{p}"] for p in ("solved", "partly", "accepted")} if name == "confirmed" else {}
    return Measure(sums[name], sums["size"], left_out, parts=parts)


def _hatch(name: str, sums: Sums) -> Measure:
    if name == "declined":
        return Measure(sums["declined"], sums["submitted"])
    return Measure(sums[f"hatch_{name}"], sums["all" if name in OF_ALL_DISPATCHED else "size"])


def _names(session: Session, query: ReportQuery, keys: Iterable[Key]) -> dict[Key, _Name]:
    """What each key is called: codes of units, paths of categories, months by themselves."""
    if query.by == "month":
        return {key: _Name(key, key, None, key) for key in keys if key is not None}
    ids = [int(key) for key in keys if key is not None]
    found: dict[Key, _Name] = {}
    if query.by == "category":
        for category in session.scalars(select(Category).where(Category.id.in_(ids))):
            found[str(category.id)] = _Name(category.path, category.name, category.name_en, category.path)
    else:
        for unit in session.scalars(select(Unit).where(Unit.id.in_(ids))):
            found[str(unit.id)] = _Name(unit.code, unit.name, unit.name_en, unit.path)
    if None in keys:
        found[None] = _Name(NO_KEY, "", None, "\uffff")
    return found
