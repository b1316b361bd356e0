"""A plain oracle for working time: it walks minute by minute over real time and shares no code with the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)

Pair = tuple[int, int]


@dataclass(frozen=True)
class SlowWeek:
    days: frozenset[int]
    windows: tuple[Pair, ...]
    first: tuple[int, int] | date | None = None
    last: tuple[int, int] | date | None = None

    def holds_on(self, day: date) -> bool:
        if day.weekday() not in self.days:
            return False
        if self.first is None:
            return True
        if isinstance(self.first, date):
            return self.first <= day <= self.last  # type: ignore[operator]
        place, wraps = (day.month, day.day), self.first > self.last  # type: ignore[operator]
        after, before = place >= self.first, place <= self.last  # type: ignore[operator]
        return after or before if wraps else after and before


@dataclass(frozen=True)
class SlowDate:
    kind: str
    first: date
    last: date
    windows: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class SlowLayer:
    weeks: tuple[SlowWeek, ...] = ()
    dates: tuple[SlowDate, ...] = ()


@dataclass
class SlowCalendar:
    """Layers, the calendar's own first, then its base's."""

    zone: ZoneInfo
    layers: tuple[SlowLayer, ...]
    _windows: dict[date, tuple[Pair, ...]] = field(default_factory=dict)

    def windows_on(self, day: date) -> tuple[Pair, ...]:
        if day not in self._windows:
            self._windows[day] = self._look_up(day)
        return self._windows[day]

    def _look_up(self, day: date) -> tuple[Pair, ...]:
        for layer in self.layers:
            for row in reversed(layer.dates):
                if row.first <= day <= row.last:
                    if row.kind == "workday" and not row.windows:
                        return next((w.windows for each in self.layers for w in each.weeks if w.windows), ())
                    return row.windows
        for layer in self.layers:
            for week in reversed(layer.weeks):
                if week.holds_on(day):
                    return week.windows
        return ()

    def is_open(self, instant: datetime) -> bool:
        local = instant.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.windows_on(local.date()))

    def add(self, start: datetime, minutes: int) -> datetime:
        instant = start
        while minutes:
            minutes -= self.is_open(instant)
            instant += MINUTE
        return instant

    def subtract(self, end: datetime, minutes: int) -> datetime:
        instant = end
        while minutes:
            instant -= MINUTE
            minutes -= self.is_open(instant)
        return instant

    def between(self, start: datetime, end: datetime) -> int:
        minutes, instant = 0, start
        while instant < end:
            minutes += self.is_open(instant)
            instant += MINUTE
        return minutes

    def add_days(self, start: datetime, days: int) -> datetime:
        instant = start
        while not self.is_open(instant):
            instant += MINUTE
        local = instant.astimezone(self.zone)
        day = local.date()
        while days:
            day += timedelta(days=1)
            days -= bool(self._open_minutes(day))
        wanted = local.hour * 60 + local.minute
        reached = self._reached(day, wanted)
        later = [minute for minute in self._open_minutes(day) if minute >= reached]
        return later[0] if later else self._open_minutes(day)[-1] + MINUTE

    def subtract_days(self, end: datetime, days: int) -> datetime:
        instant = end
        while not self.is_open(instant - MINUTE):
            instant -= MINUTE
        local = (instant - MINUTE).astimezone(self.zone)
        day = local.date()
        while days:
            day -= timedelta(days=1)
            days -= bool(self._open_minutes(day))
        reached = self._reached(day, local.hour * 60 + local.minute + 1)
        earlier = [minute for minute in self._open_minutes(day) if minute + MINUTE <= reached]
        return earlier[-1] + MINUTE if earlier else self._open_minutes(day)[0]

    def _reached(self, day: date, wanted: int) -> datetime:
        """The first instant of the day at which its wall clock shows `wanted` minutes or more; else the day's end."""
        last = None
        for instant in self._minutes(day):
            local = instant.astimezone(self.zone)
            if local.hour * 60 + local.minute >= wanted:
                return instant
            last = instant
        assert last is not None
        return last + MINUTE

    def _open_minutes(self, day: date) -> list[datetime]:
        return [instant for instant in self._minutes(day) if self.is_open(instant)] if self.windows_on(day) else []

    def _minutes(self, day: date) -> Iterator[datetime]:
        """Every real minute whose local date is `day`, in order."""
        instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
        for _ in range(56 * 60):
            if instant.astimezone(self.zone).date() == day:
                yield instant
            instant += MINUTE
