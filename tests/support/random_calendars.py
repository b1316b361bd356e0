"""Random calendars for properties, each made twice from the same draws: for the engine and for the plain oracle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from feedback.calendars.definition import CalendarDefinition, DateRow, Span, WeekRow, Window
from feedback.calendars.worktime import Calendar
from tests.support.slow_calendar import Pair, SlowCalendar, SlowDate, SlowLayer, SlowWeek

ZONES = (
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/St_Johns",
)
AROUND = (
    date(2026, 3, 7),
    date(2026, 3, 28),
    date(2026, 4, 4),
    date(2026, 9, 30),
    date(2026, 10, 31),
    date(2028, 2, 28),
)
"""Days near clock changes of these zones, a year's quarter, a leap day."""


@dataclass(frozen=True)
class Twin:
    engine: Calendar
    slow: SlowCalendar
    day: date

    def instant(self, minutes: int) -> datetime:
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        return midnight + timedelta(minutes=minutes)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Pair, ...]:
    """One to three windows on quarters of an hour, sometimes overlapping or up to 24:00."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        opens = draw(st.integers(0, 92))
        found.append((opens * 15, draw(st.integers(opens + 1, 96)) * 15))
    return tuple(found)


@st.composite
def twins(draw: st.DrawFn) -> Twin:
    """A calendar with working time in every week, one or two layers, spans and date rows near its `day`."""
    day = draw(st.sampled_from(AROUND))
    zone = draw(st.sampled_from(ZONES))
    layers = [draw(_layer(day, is_whole=True))]
    if draw(st.booleans()):
        layers.insert(0, draw(_layer(day, is_whole=False)))
    definition: CalendarDefinition | None = None
    for layer in reversed(layers):
        definition = _definition(layer, definition)
    assert definition is not None
    named = CalendarDefinition("random", definition.weeks, definition.dates, zone, definition.base)
    return Twin(Calendar(named), SlowCalendar(ZoneInfo(zone), tuple(layers)), day)


@st.composite
def _layer(draw: st.DrawFn, day: date, *, is_whole: bool) -> SlowLayer:
    weeks = []
    if is_whole:
        days = draw(st.sets(st.integers(0, 6), min_size=3))
        weeks.append(SlowWeek(frozenset(days), draw(windows())))
    if draw(st.booleans()):
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        first, last = (day + timedelta(days=draw(st.integers(-5, 5))) for _ in range(2))
        if draw(st.booleans()):
            span = SlowWeek(frozenset(days), draw(windows()), (first.month, first.day), (last.month, last.day))
        else:
            span = SlowWeek(frozenset(days), draw(windows()), min(first, last), max(first, last))
        weeks.append(span)
    dates = []
    for _ in range(draw(st.integers(0, 3))):
        begins = day + timedelta(days=draw(st.integers(-4, 6)))
        ends_on = begins + timedelta(days=draw(st.integers(0, 2)))
        kind = draw(st.sampled_from(("holiday", "workday", "half")))
        has_windows = kind == "half" or (kind == "workday" and draw(st.booleans()))
        dates.append(SlowDate(kind, begins, ends_on, draw(windows()) if has_windows else ()))
    return SlowLayer(tuple(weeks), tuple(dates))


def _definition(layer: SlowLayer, base: CalendarDefinition | None) -> CalendarDefinition:
    return CalendarDefinition(
        "layer",
        tuple(WeekRow(tuple(sorted(w.days)), _windows(w.windows), _span(w)) for w in layer.weeks),
        tuple(DateRow(d.kind, d.first, d.last, _windows(d.windows)) for d in layer.dates),  # type: ignore[arg-type]
        None,
        base,
    )


def _windows(pairs: tuple[Pair, ...]) -> tuple[Window, ...]:
    return tuple(Window(opens, closes) for opens, closes in pairs)


def _span(week: SlowWeek) -> Span | None:
    if week.first is None or week.last is None:
        return None
    if isinstance(week.first, date) and isinstance(week.last, date):
        first, last = week.first, week.last
        return Span((first.year, first.month, first.day), (last.year, last.month, last.day))
    return Span(week.first, week.last)  # type: ignore[arg-type]
