"""Working time by a business calendar: adding, subtracting and measuring it, forwards and backwards. Pure; no database.

The rules of counting: windows are half-open; a start outside working time (the closing instant included) counts from
the next opening; a target reached exactly at a closing stays there; backwards is the mirror image. Instants are aware
and come back in UTC; durations are real time, whatever the wall clock does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from feedback.calendars.definition import CalendarDefinition
from feedback.calendars.plan import DayPlan, is_official_year_known, plan_year
from feedback.calendars.table import (
    DAY,
    EPOCH_ORDINAL,
    WindowTable,
    YearWindows,
    build_year,
    from_micros,
    join_years,
    to_micros,
)
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

FIRST_YEAR, LAST_YEAR = 1950, 2200
SEARCH_YEARS = 120
FEWEST_DAYS = 12


@dataclass(frozen=True)
class Calendar:
    """A calendar ready for arithmetic, equal and hashed by its definition. It keeps the tables of the years asked for.

    Raises Invalid for a definition without any working time.
    """

    definition: CalendarDefinition
    _years: dict[int, YearWindows] = field(default_factory=dict, init=False, compare=False, repr=False)
    _tables: list[WindowTable] = field(default_factory=list, init=False, compare=False, repr=False)
    _zone: ZoneInfo = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", self.definition.time_zone)
        if not self.definition.has_working_time:
            raise Invalid({"windows": Text(N_("A calendar needs working time: at least one week row with windows."))})

    def year(self, year: int) -> YearWindows:
        found = self._years.get(year)
        if found is None:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise Invalid({"start": Text(N_("The year %(year)s is out of range."), year=year)})
            found = build_year(plan_year(self.definition, year), self.definition.time_zone)
            self._years[year] = found
        return found

    def table(self, first_year: int, last_year: int) -> WindowTable:
        """A table that covers at least these years; what was built before is used again."""
        known = self._tables[0] if self._tables else None
        if known and known.first_year <= first_year and last_year <= known.last_year:
            return known
        if known:
            first_year, last_year = min(first_year, known.first_year), max(last_year, known.last_year)
        table = join_years([self.year(year) for year in range(first_year, last_year + 1)])
        self._tables[:] = [table]
        return table

    def around(self, micros: int, instant: datetime) -> WindowTable:
        """A table that covers this instant's local year; most often the one at hand, without asking the zone."""
        known = self._tables[0] if self._tables else None
        if known and known.safe_from <= micros < known.safe_until:
            return known
        year = self.local(instant).year
        return self.table(year, year)

    def goes_on(self) -> bool:
        """Whether there is working time for good, and not too seldom to work by: in a year far from any dated row."""
        return len(self.year(LAST_YEAR - 1).days) >= FEWEST_DAYS

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self._zone)

    def plan_on(self, ordinal: int) -> DayPlan:
        """What the calendar says about a date (given as its ordinal)."""
        return self.year(datetime.fromordinal(ordinal).year).plan.on(datetime.fromordinal(ordinal).date())


def is_working_time(instant: datetime, calendar: Calendar) -> bool:
    return next_opening(instant, calendar) == instant


def next_opening(instant: datetime, calendar: Calendar) -> datetime:
    """From when a start counts: the instant itself in working time, else (a closing included) the next opening."""
    micros, table = _enter(instant, calendar)
    while True:
        at = bisect_right(table.closes, micros)
        if at < len(table.closes):
            return from_micros(max(micros, table.opens[at]))
        table = _later(table, instant, calendar)


def previous_closing(instant: datetime, calendar: Calendar) -> datetime:
    """Its mirror image: the instant itself after an opening up to its closing, else (at an opening too) that before."""
    micros, table = _enter(instant, calendar)
    while True:
        at = bisect_left(table.opens, micros) - 1
        if at >= 0:
            return from_micros(min(micros, table.closes[at]))
        table = _earlier(table, instant, calendar)


def add_working_time(start: datetime, duration: timedelta, calendar: Calendar) -> datetime:
    """The instant by which `duration` (zero or more) of working time has passed since `start`; zero gives `start`."""
    micros, table = _enter(start, calendar)
    amount = _amount(duration)
    if amount == 0:
        return start.astimezone(UTC)
    while (target := table.place(micros) + amount) > table.total:
        table = _later(table, start, calendar)
    at = bisect_left(table.through, target)
    return from_micros(table.closes[at] - (table.through[at] - target))


def subtract_working_time(end: datetime, duration: timedelta, calendar: Calendar) -> datetime:
    """The instant from which `duration` (zero or more) of working time passes until `end`; zero gives `end`."""
    micros, table = _enter(end, calendar)
    amount = _amount(duration)
    if amount == 0:
        return end.astimezone(UTC)
    while (target := table.place(micros) - amount) < 0:
        table = _earlier(table, end, calendar)
    at = bisect_right(table.before, target) - 1
    return from_micros(table.opens[at] + target - table.before[at])


def working_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """The working time from `start` to `end`. Raises Invalid where the end is before the start."""
    first, _ = _enter(start, calendar)
    last, table = _enter(end, calendar)
    if last < first:
        raise Invalid({"end": Text(N_("The end is before the start."))})
    return timedelta(microseconds=table.place(last) - table.place(first))


def add_working_days(start: datetime, days: int, calendar: Calendar) -> datetime:
    """The same time of day on the `days`th (1 or more) working day after `start`.

    Where that is not working time: the next opening of that day, or its closing if none is left.
    """
    counted = next_opening(_whole_days(start, days), calendar)
    here = _wall_micros(counted, calendar)
    ordinal, time_of_day = here // DAY + EPOCH_ORDINAL, here % DAY
    table = calendar.table(calendar.local(counted).year, calendar.local(counted).year)
    while (at := bisect_right(table.days, ordinal) + days - 1) >= len(table.days):
        table = _later(table, start, calendar)
    year, ordinal = _of_year(calendar, table.days[at])
    target = year.instant_at(ordinal, time_of_day)
    windows = year.windows_on(ordinal)
    return from_micros(next((max(target, opens) for opens, closes in windows if target < closes), windows[-1][1]))


def subtract_working_days(end: datetime, days: int, calendar: Calendar) -> datetime:
    """The same time of day on the `days`th (1 or more) working day before `end`.

    Where that is not working time: the closing before it on that day, or its opening if there is none. Midnight belongs
    to the day that it ends.
    """
    counted = previous_closing(_whole_days(end, days), calendar)
    here = _wall_micros(counted, calendar) - 1
    ordinal, time_of_day = here // DAY + EPOCH_ORDINAL, here % DAY + 1
    table = calendar.table(calendar.local(counted).year, calendar.local(counted).year)
    while (at := bisect_left(table.days, ordinal) - days) < 0:
        table = _earlier(table, end, calendar)
    year, ordinal = _of_year(calendar, table.days[at])
    target = year.instant_at(ordinal, time_of_day)
    windows = year.windows_on(ordinal)
    return from_micros(
        next((min(target, closes) for opens, closes in reversed(windows) if target > opens), windows[0][0])
    )


def unknown_years(start: datetime, end: datetime, calendar: Calendar) -> tuple[int, ...]:
    """The local years between two instants whose official days are not known, so that plain weekdays were counted."""
    first, last = calendar.local(start).year, calendar.local(end).year
    return tuple(year for year in range(first, last + 1) if not is_official_year_known(calendar.definition, year))


def _enter(instant: datetime, calendar: Calendar) -> tuple[int, WindowTable]:
    if instant.tzinfo is None:
        raise Invalid({"start": Text(N_("An instant needs its offset from UTC, such as 2026-10-09T09:00:00+08:00."))})
    micros = to_micros(instant)
    return micros, calendar.around(micros, instant)


def _later(table: WindowTable, asked: datetime, calendar: Calendar) -> WindowTable:
    if table.last_year >= min(asked.year + SEARCH_YEARS, LAST_YEAR):
        raise _no_time_left(calendar)
    return calendar.table(table.first_year, table.last_year + 1)


def _earlier(table: WindowTable, asked: datetime, calendar: Calendar) -> WindowTable:
    if table.first_year <= max(asked.year - SEARCH_YEARS, FIRST_YEAR):
        raise _no_time_left(calendar)
    return calendar.table(table.first_year - 1, table.last_year)


def _no_time_left(calendar: Calendar) -> Invalid:
    return Invalid(
        {
            "calendar": Text(
                N_("The calendar %(code)s has no working time there; give it a week row that goes on."),
                code=calendar.definition.code,
            )
        }
    )


def _amount(duration: timedelta) -> int:
    if duration < timedelta(0):
        raise Invalid({"amount": Text(N_("An amount of time can't be less than nothing."))})
    return duration // timedelta(microseconds=1)


def _whole_days(instant: datetime, days: int) -> datetime:
    if days < 1:
        raise Invalid({"amount": Text(N_("A number of working days starts at 1."))})
    return instant


def _wall_micros(instant: datetime, calendar: Calendar) -> int:
    return to_micros(calendar.local(instant).replace(tzinfo=UTC))


def _of_year(calendar: Calendar, ordinal: int) -> tuple[YearWindows, int]:
    return calendar.year(datetime.fromordinal(ordinal).year), ordinal
