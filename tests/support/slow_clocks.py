"""A plain oracle for the clocks of whole tickets: it counts minute by minute and shares no code with the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.support.slow_calendar import MINUTE, SlowCalendar, SlowDate, SlowLayer, SlowWeek

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = frozenset(range(5))
OFFICIAL = SlowLayer(
    dates=(
        SlowDate("holiday", date(2026, 4, 4), date(2026, 4, 6)),
        SlowDate("holiday", date(2026, 5, 1), date(2026, 5, 5)),
        SlowDate("workday", date(2026, 5, 9), date(2026, 5, 9)),
        SlowDate("holiday", date(2026, 6, 19), date(2026, 6, 21)),
    )
)
"""The official days of spring 2026, typed from the notice."""
PAUSED = ("dispatch", "resolution", "leg")
LADDER = (("50%", 50), ("80%", 80), ("100%", 100), ("+1wd", 0))
LADDERS = {
    "dispatch": (("50%", 50), ("100%", 100), ("+1wd", 0)),
    "decision": (("50%", 50), ("100%", 100), ("+1wd", 0)),
    "confirmation": (("50%", 50), ("80%", 80)),
}
Span = tuple[datetime, datetime]


def slow_calendar(*windows: tuple[int, int], holidays: tuple[date, ...] = ()) -> SlowCalendar:
    """Weekdays with these windows in minutes of the day, on the official days, with own holidays."""
    own = SlowLayer((SlowWeek(WEEKDAYS, windows),), tuple(SlowDate("holiday", day, day) for day in holidays))
    return SlowCalendar(SHANGHAI, (own, OFFICIAL))


class Counting(SlowCalendar):
    """A slow calendar that keeps what it has counted, so that a long history stays affordable."""

    def __init__(self, plain: SlowCalendar) -> None:
        super().__init__(plain.zone, plain.layers)
        self._kept: dict[datetime, bool] = {}
        self._days: dict[date, list[datetime]] = {}

    def is_open(self, instant: datetime) -> bool:
        found = self._kept.get(instant)
        if found is None:
            found = self._kept[instant] = super().is_open(instant)
        return found

    def _minutes(self, day: date) -> Iterator[datetime]:
        if day not in self._days:
            self._days[day] = list(super()._minutes(day))
        return iter(self._days[day])


def merge(spans: list[Span], start: datetime) -> list[Span]:
    """In order, cut to what lies after the start, overlapping and touching ones made one."""
    merged: list[Span] = []
    for begins, ends in sorted(spans):
        cut = max(begins, start)
        if ends <= cut:
            continue
        if merged and cut <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((cut, ends))
    return merged


def parts(amount: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+)(min|h|d|wmin|wh|wd)", amount)
    assert found, amount
    count, unit = int(found[1]), found[2]
    return {"h": (count * 60, "min"), "d": (count * 1440, "min"), "wh": (count * 60, "wmin")}.get(unit, (count, unit))


def count_due(start: datetime, amount: str, calendar: SlowCalendar, spans: list[Span]) -> datetime:
    """Minutes that are neither closed nor paused; for days the pauses' working time after the base."""
    count, unit = parts(amount)
    still = merge(spans, start)
    if unit == "wd":
        due = calendar.add_days(start, count)
        for begins, ends in still:
            if begins < due:
                due = calendar.add(due, calendar.between(begins, ends))
        return due
    instant = start
    while count:
        is_paused = any(begins <= instant < ends for begins, ends in still)
        count -= not is_paused and (unit == "min" or calendar.is_open(instant))
        instant += MINUTE
    return instant


def count_granted(at: datetime, until: datetime, amount: str, calendar: SlowCalendar, spans: list[Span]) -> datetime:
    """A date that was granted, and the pauses since then: their length, or the working time inside them."""
    due = until
    for begins, ends in merge(spans, at):
        if begins < due:
            is_natural = parts(amount)[1] == "min"
            due = due + (ends - begins) if is_natural else calendar.add(due, calendar.between(begins, ends))
    return due


def count_share(start: datetime, due: datetime, percent: int, amount: str, calendar: SlowCalendar) -> datetime:
    """The instant by which that share of the time has passed, to the second."""
    if percent == 100 or due <= start:
        return due
    if parts(amount)[1] == "min":
        return start + (due - start) * percent / 100
    minutes, seconds = divmod(calendar.between(start, due) * 60 * percent // 100, 60)
    instant = calendar.add(start, minutes)
    if seconds:
        while not calendar.is_open(instant):
            instant += MINUTE
    return instant + timedelta(seconds=seconds)


@dataclass(eq=False)
class SlowClock:
    """One clock as the rules tell of it. `alarms` are the levels reached, by label and version of the due time."""

    kind: str
    start: datetime
    name: str
    policy: dict[str, str]
    calendar: str
    unit: str | None = None
    follows: SlowClock | None = None
    gaps: list[Span] = field(default_factory=list)
    due: datetime | None = None
    fixed: datetime | None = None
    granted: Span | None = None
    met: datetime | None = None
    dropped: datetime | None = None
    breached: datetime | None = None
    version: int = 1
    pending: list[tuple[datetime, str]] = field(default_factory=list)
    alarms: dict[tuple[str, int], datetime] = field(default_factory=dict)
    noted: dict[tuple[str, int], datetime] = field(default_factory=dict)

    @property
    def amount(self) -> str:
        return self.policy[self.name]

    @property
    def is_open(self) -> bool:
        return self.met is None and self.dropped is None

    def pass_to(self, now: datetime) -> None:
        """Levels reached by now are alarms, and what is due by now is late and stays so."""
        assert self.due is not None
        if self.due <= now and self.kind != "confirmation":
            self.breached = self.breached or self.due
        self._reach(lambda at: at <= now, now)

    def end(self, now: datetime, *, is_met: bool) -> None:
        """Exactly at its due time it has kept it."""
        assert self.due is not None
        if self.due < now:
            self.breached = self.breached or self.due
        self._reach(lambda at: at < now, now)
        self.met, self.dropped = (now, None) if is_met else (None, now)

    def _reach(self, is_reached: Callable[[datetime], bool], now: datetime) -> None:
        for at, label in self.pending:
            if is_reached(at):
                self.alarms[label, self.version], self.noted[label, self.version] = at, now
        self.pending = [level for level in self.pending if not is_reached(level[0])]

    def lay(self, due: datetime, calendar: SlowCalendar, still: list[Span], now: datetime) -> None:
        """A due time that moved has levels of its own; one reached before that would lie in the past rings no more."""
        if self.due is not None and due != self.due:
            self.version += 1
        self.due = due
        before = {label for label, _ in self.alarms}
        self.pending = sorted(
            (at, label)
            for label, at in self._levels(due, calendar, still)
            if (label, self.version) not in self.alarms and not (at <= now and label in before)
        )

    def _levels(self, due: datetime, calendar: SlowCalendar, still: list[Span]) -> Iterator[tuple[str, datetime]]:
        for label, percent in LADDERS.get(self.kind, LADDER):
            at = count_share(self.start, due, percent, self.amount, calendar) if percent else calendar.add_days(due, 1)
            yield label, next((ends for begins, ends in still if begins <= at < ends), max(at, self.start))
