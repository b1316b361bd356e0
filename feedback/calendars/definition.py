"""What a business calendar says, as frozen data, and its JSON form. No arithmetic and no reading of files here.

A definition holds its base inside itself: a stored version means the same for ever, whatever happens to the base.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Asia/Shanghai"
OFFICIAL_CODE = "cn"
MINUTES_A_DAY = 24 * 60

RowKind = Literal["holiday", "workday", "half"]


@dataclass(frozen=True, order=True)
class Window:
    """Working time of a day, half-open, in minutes after local midnight; 1440 is 24:00."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_A_DAY:
            raise ValueError(f"a window must open before it closes within one day: {self.opens}-{self.closes}")

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


@dataclass(frozen=True)
class Span:
    """When a week row holds: once between two dates, or yearly between two (month, day) pairs, over New Year too."""

    first: tuple[int, int, int] | tuple[int, int]
    last: tuple[int, int, int] | tuple[int, int]

    @property
    def is_yearly(self) -> bool:
        return len(self.first) == 2

    def covers(self, day: date) -> bool:
        if not self.is_yearly:
            return self.first <= (day.year, day.month, day.day) <= self.last
        place = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= place <= self.last
        return place >= self.first or place <= self.last

    def __str__(self) -> str:
        return f"{_dashed(self.first)}/{_dashed(self.last)}"


@dataclass(frozen=True)
class WeekRow:
    """The windows of some days of the week (Monday is 0). Without windows: these days are closed."""

    days: tuple[int, ...]
    windows: tuple[Window, ...]
    span: Span | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", merged(self.windows))


@dataclass(frozen=True)
class DateRow:
    """What differs from `first` to `last`, both included. A workday without windows has those of the first week row."""

    kind: RowKind
    first: date
    last: date
    windows: tuple[Window, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", merged(self.windows))


@dataclass(frozen=True)
class CalendarDefinition:
    """A calendar and, inside it, its base. Of two rows of one layer that speak about the same day the later one wins.

    `official` asks China's official days of the libraries up to and including the year `official_through`;
    its own date rows are imported notices and beat the libraries.
    """

    code: str
    weeks: tuple[WeekRow, ...] = ()
    dates: tuple[DateRow, ...] = ()
    zone: str | None = None
    base: CalendarDefinition | None = None
    official: bool = False
    official_through: int = 0
    _layers: tuple[CalendarDefinition, ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_layers", (self, *(self.base.layers if self.base else ())))

    @property
    def layers(self) -> tuple[CalendarDefinition, ...]:
        """This definition, its base, the base's base and so on."""
        return self._layers

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone of the arithmetic: its own, else the nearest base's, else Asia/Shanghai."""
        return ZoneInfo(next((layer.zone for layer in self.layers if layer.zone), DEFAULT_ZONE))

    @property
    def makeup_windows(self) -> tuple[Window, ...]:
        """The hours of a make-up workday that names none: of the first week row that has any, nearest layer first."""
        return next((row.windows for layer in self.layers for row in layer.weeks if row.windows), ())

    @property
    def official_layer(self) -> CalendarDefinition | None:
        """The layer of China's official days, if this calendar stands on them."""
        return next((layer for layer in self.layers if layer.official), None)

    @property
    def has_working_time(self) -> bool:
        return any(
            any(row.windows for row in layer.weeks) or any(row.windows for row in layer.dates) for layer in self.layers
        )


def to_json(definition: CalendarDefinition) -> dict[str, Any]:
    """The stored form; `from_json` gives back an equal definition."""
    stored: dict[str, Any] = {
        "code": definition.code,
        "zone": definition.zone,
        "weeks": [
            {"days": list(row.days), "windows": _pairs(row.windows), "span": str(row.span) if row.span else None}
            for row in definition.weeks
        ],
        "dates": [
            {
                "kind": row.kind,
                "first": row.first.isoformat(),
                "last": row.last.isoformat(),
                "windows": _pairs(row.windows),
                "note": row.note,
            }
            for row in definition.dates
        ],
        "base": to_json(definition.base) if definition.base else None,
    }
    if definition.official:
        stored["official_through"] = definition.official_through
    return stored


def from_json(stored: dict[str, Any]) -> CalendarDefinition:
    """A definition out of its stored form; KeyError or ValueError for anything `to_json` did not write."""
    return CalendarDefinition(
        code=stored["code"],
        zone=stored["zone"],
        weeks=tuple(
            WeekRow(tuple(row["days"]), _windows(row["windows"]), _span(row["span"])) for row in stored["weeks"]
        ),
        dates=tuple(
            DateRow(
                row["kind"],
                date.fromisoformat(row["first"]),
                date.fromisoformat(row["last"]),
                _windows(row["windows"]),
                row["note"],
            )
            for row in stored["dates"]
        ),
        base=from_json(stored["base"]) if stored["base"] else None,
        official="official_through" in stored,
        official_through=stored.get("official_through", 0),
    )


def merged(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """The same working time in order, overlapping and touching windows made one."""
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.opens <= joined[-1].closes:
            joined[-1] = Window(joined[-1].opens, max(joined[-1].closes, window.closes))
        else:
            joined.append(window)
    return tuple(joined)


def _pairs(windows: tuple[Window, ...]) -> list[list[int]]:
    return [[window.opens, window.closes] for window in windows]


def _windows(pairs: list[list[int]]) -> tuple[Window, ...]:
    return tuple(Window(opens, closes) for opens, closes in pairs)


def _span(text: str | None) -> Span | None:
    if text is None:
        return None
    first, last = (tuple(int(part) for part in end.split("-")) for end in text.split("/"))
    return Span(first, last)  # type: ignore[arg-type]


def _dashed(parts: tuple[int, ...]) -> str:
    return "-".join(
        f"{part:04d}" if place == 0 and len(parts) == 3 else f"{part:02d}" for place, part in enumerate(parts)
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
