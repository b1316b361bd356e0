"""Which windows each day of a year has, by the precedence of contract.md's calendars file, and why. Wall time only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from feedback.calendars.definition import CalendarDefinition, DateRow, WeekRow, Window
from feedback.calendars.holidays import is_year_known, official_days


@dataclass(frozen=True)
class DayPlan:
    """One day: its windows, the kind of row that decided (week, holiday, workday, half, none), whose row, its note."""

    windows: tuple[Window, ...]
    kind: str
    layer: str = ""
    note: str = ""


NO_ROW = DayPlan((), "none")


@dataclass(frozen=True)
class YearPlan:
    """The days of one local year, the first of January first."""

    year: int
    days: tuple[DayPlan, ...]

    def on(self, day: date) -> DayPlan:
        return self.days[day.timetuple().tm_yday - 1]


def plan_year(definition: CalendarDefinition, year: int) -> YearPlan:
    """Own date rows beat the base's, those beat own week rows, those the base's; in a layer the later row wins."""
    dated = _dated(definition, year)
    by_weekday = tuple(tuple(_week_rows(definition, weekday)) for weekday in range(7))
    return YearPlan(
        year,
        tuple(
            dated.get(day) or _by_week(by_weekday[day.weekday()], day)
            for day in _days_between(date(year, 1, 1), date(year, 12, 31))
        ),
    )


def is_official_year_known(definition: CalendarDefinition, year: int) -> bool:
    """Whether the official days of `year` are known to this definition; True where it does not stand on them."""
    layer = definition.official_layer
    if layer is None or (year <= layer.official_through and is_year_known(year)):
        return True
    return any(row.first.year <= year <= row.last.year for row in layer.dates)


def _dated(definition: CalendarDefinition, year: int) -> dict[date, DayPlan]:
    makeup = definition.makeup_windows
    first_day, last_day = date(year, 1, 1), date(year, 12, 31)
    dated: dict[date, DayPlan] = {}
    for layer in reversed(definition.layers):
        if layer.official and year <= layer.official_through:
            for day, kind in official_days(year).items():
                dated[day] = DayPlan(makeup if kind == "workday" else (), kind, layer.code)
        for row in layer.dates:
            for day in _days_between(max(row.first, first_day), min(row.last, last_day)):
                dated[day] = DayPlan(_row_windows(row, makeup), row.kind, layer.code, row.note)
    return dated


def _row_windows(row: DateRow, makeup: tuple[Window, ...]) -> tuple[Window, ...]:
    if row.kind == "holiday":
        return ()
    return row.windows or makeup if row.kind == "workday" else row.windows


def _week_rows(definition: CalendarDefinition, weekday: int) -> Iterator[tuple[WeekRow, DayPlan]]:
    for layer in definition.layers:
        for row in reversed(layer.weeks):
            if weekday in row.days:
                yield row, DayPlan(row.windows, "week", layer.code)


def _by_week(rows: tuple[tuple[WeekRow, DayPlan], ...], day: date) -> DayPlan:
    return next((plan for row, plan in rows if row.span is None or row.span.covers(day)), NO_ROW)


def _days_between(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
