"""What a report is asked for: days from..to on the site's clock, by what, below which unit. Local days become instants here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field

from feedback.kernel.command import Code, Command, DateField
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.reports.metrics import HATCHES, MEASURES, MONTH_CLOSES_AFTER_DAYS, SHARES

LONGEST_DAYS = 3700
By = Literal["unit", "area", "category", "month"]
Part = Literal["numerator", "denominator", "left_out"]
BYS: tuple[str, ...] = get_args(By)


class ReportQuery(Command):
    """`from` and `to` are both included."""

    first: DateField = Field(alias="from")
    last: DateField = Field(alias="to")
    by: By = "unit"
    unit: Code | None = None

    def check(self) -> None:
        """Raise Invalid where the days are the wrong way round or too far apart."""
        if self.last < self.first:
            raise Invalid({"to": Text(N_("Must not lie before the first day."))})
        if (self.last - self.first).days > LONGEST_DAYS:
            raise Invalid({"to": Text(N_("At most ten years at once."))})
        if not 1990 <= self.first.year <= self.last.year <= 2200:
            raise Invalid({"from": Text(N_("Must be a day between 1990 and 2200."))})


class ListQuery(ReportQuery):
    """Which number of the report to open; without `key` the total's."""

    key: Code | None = None
    measure: Code = "stable"
    part: Part = "denominator"

    def check(self) -> None:
        """As ReportQuery; Invalid also for a figure that does not exist."""
        super().check()
        if not any(self.measure in names for names in (MEASURES, HATCHES, SHARES)):
            raise Invalid({"measure": Text(N_("Must be one of: %(names)s."), names=(*MEASURES, *HATCHES))})


def starts_at(day: date, zone: str) -> datetime:
    """The instant (UTC) at which a local day begins."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def bounds(query: ReportQuery, zone: str) -> tuple[datetime, datetime]:
    """The half-open span of instants that the days cover."""
    return starts_at(query.first, zone), starts_at(query.last + timedelta(days=1), zone)


def months(query: ReportQuery, zone: str) -> list[tuple[str, datetime]]:
    """Each month touched, as (`2026-03`, the instant at which it ends), in order."""
    found = []
    year, month = query.first.year, query.first.month
    while (year, month) <= (query.last.year, query.last.month):
        name = f"{year:04d}-{month:02d}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        found.append((name, starts_at(date(year, month, 1), zone)))
    return found


def is_final(end: datetime, now: datetime) -> bool:
    """Whether the figures of a month that ended at `end` are closed."""
    return end + timedelta(days=MONTH_CLOSES_AFTER_DAYS) <= now
