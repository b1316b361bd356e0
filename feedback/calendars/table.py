"""A calendar's working time as sorted instants with running sums, a year at a time. No rules of counting here.

All numbers are whole microseconds since 1970-01-01T00:00Z, so that nothing is ever rounded.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from feedback.calendars.definition import Window
from feedback.calendars.plan import YearPlan

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_ONE = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    return (instant - EPOCH) // _ONE


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


@dataclass(frozen=True)
class Segment:
    """A stretch of real time with one offset between UTC and the wall clock."""

    begins: int
    ends: int
    offset: int


@dataclass(frozen=True)
class YearWindows:
    """The windows of one local year as instants. `days` are the ordinals of the dates that have any."""

    segments: tuple[Segment, ...]
    plan: YearPlan
    windows: tuple[tuple[int, int], ...]
    days: tuple[int, ...]

    def windows_on(self, ordinal: int) -> list[tuple[int, int]]:
        """The real stretches of working time of one date, in order (a clock change can split or shorten a window)."""
        return on_wall(self.plan.on(date.fromordinal(ordinal)).windows, ordinal, self.segments)

    def instant_at(self, ordinal: int, time_of_day: int) -> int:
        """The first instant whose wall time is `time_of_day` or later on that date: a time skipped by a clock change
        becomes the instant of the change, a repeated one its first pass."""
        wall = (ordinal - EPOCH_ORDINAL) * DAY + time_of_day
        for segment in self.segments:
            if wall < segment.ends + segment.offset:
                return max(wall, segment.begins + segment.offset) - segment.offset
        raise ValueError("a date outside the year of its table")


@dataclass(frozen=True)
class WindowTable:
    """The windows of a row of years, touching ones joined.

    `before[i]` is the working time before window i, `through[i]` that up to its end, both from the table's beginning.
    From `safe_from` to `safe_until` an instant lies in these years in any zone.
    """

    first_year: int
    last_year: int
    opens: list[int]
    closes: list[int]
    before: list[int]
    through: list[int]
    days: list[int]
    safe_from: int
    safe_until: int

    @property
    def total(self) -> int:
        return self.through[-1] if self.through else 0

    def place(self, micros: int) -> int:
        """Working time from the table's beginning to an instant."""
        at = bisect_right(self.opens, micros) - 1
        return 0 if at < 0 else self.before[at] + min(micros, self.closes[at]) - self.opens[at]


def build_year(plan: YearPlan, zone: ZoneInfo) -> YearWindows:
    segments = _segments(plan.year, zone)
    first = date(plan.year, 1, 1).toordinal()
    windows: list[tuple[int, int]] = []
    days: list[int] = []
    for place, day in enumerate(plan.days):
        found = on_wall(day.windows, first + place, segments)
        if found:
            windows.extend(found)
            days.append(first + place)
    return YearWindows(segments, plan, tuple(windows), tuple(days))


def join_years(years: list[YearWindows]) -> WindowTable:
    """One table out of neighbouring years, the earliest first."""
    opens: list[int] = []
    closes: list[int] = []
    for start, end in sorted(window for year in years for window in year.windows):
        if closes and start <= closes[-1]:
            closes[-1] = max(closes[-1], end)
        else:
            opens.append(start)
            closes.append(end)
    before: list[int] = []
    through: list[int] = []
    total = 0
    for start, end in zip(opens, closes, strict=True):
        before.append(total)
        total += end - start
        through.append(total)
    days = [day for year in years for day in year.days]
    first, last = years[0].plan.year, years[-1].plan.year
    safe_from = (date(first, 1, 2).toordinal() - EPOCH_ORDINAL) * DAY
    safe_until = (date(last, 12, 31).toordinal() - EPOCH_ORDINAL) * DAY
    return WindowTable(first, last, opens, closes, before, through, days, safe_from, safe_until)


def on_wall(windows: tuple[Window, ...], ordinal: int, segments: tuple[Segment, ...]) -> list[tuple[int, int]]:
    """The instants at which the wall clock of that date stands inside one of the windows."""
    midnight = (ordinal - EPOCH_ORDINAL) * DAY
    found: list[tuple[int, int]] = []
    for segment in segments:
        low, high = segment.begins + segment.offset, segment.ends + segment.offset
        if high <= midnight or low >= midnight + DAY:
            continue
        for window in windows:
            start = max(midnight + window.opens * 60 * SECOND, low)
            end = min(midnight + window.closes * 60 * SECOND, high)
            if start < end:
                found.append((start - segment.offset, end - segment.offset))
    return found


def _segments(year: int, zone: ZoneInfo) -> tuple[Segment, ...]:
    """The zone's offsets from two days before a year to two days after it (no zone changes twice within a day)."""
    begin = (date(year, 1, 1).toordinal() - EPOCH_ORDINAL - 2) * 86_400
    end = (date(year, 12, 31).toordinal() - EPOCH_ORDINAL + 3) * 86_400
    segments: list[Segment] = []
    since, offset = begin, _offset(begin, zone)
    for second in range(begin + 86_400, end + 1, 86_400):
        later = _offset(second, zone)
        if later != offset:
            change = _change(second - 86_400, second, zone)
            segments.append(Segment(since * SECOND, change * SECOND, offset * SECOND))
            since, offset = change, later
    segments.append(Segment(since * SECOND, end * SECOND, offset * SECOND))
    return tuple(segments)


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first second of (low, high] with the offset of `high`."""
    old = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == old:
            low = middle
        else:
            high = middle
    return high


def _offset(second: int, zone: ZoneInfo) -> int:
    local = (EPOCH + timedelta(seconds=second)).astimezone(zone)
    return (local.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1) - second
