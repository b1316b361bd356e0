"""The period that a report is asked for in an address: this month, last month, the last 90 days, or from one day to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from feedback.kernel.clock import local_day
from feedback.kernel.errors import Invalid
from feedback.reports.period import ReportQuery
from feedback.web.filters import left_out_words
from feedback.web.translate import gettext as _

THIS_MONTH, LAST_MONTH, LAST_90, OWN = "this_month", "last_month", "last_90", "own"
MONTHS = 6
"""How many months stand side by side."""
PERIODS = (THIS_MONTH, LAST_MONTH, LAST_90, OWN)
STANDARD = LAST_90
"""Early in a month this month says little, and a stable closure needs thirty days to be one."""


@dataclass(frozen=True)
class Period:
    """Days from..to, both included, and by which name they were asked for."""

    name: str
    first: date
    last: date

    def query(self, by: str = "unit") -> ReportQuery:
        """The report's query for it."""
        return ReportQuery.parse({"from": self.first, "to": self.last, "by": by})

    def before(self) -> Period:
        """As many days right before; the whole month before, where it is a month."""
        last = self.first - timedelta(days=1)
        if self.name in (THIS_MONTH, LAST_MONTH):
            return Period(self.name, last.replace(day=1), last)
        return Period(self.name, last - (self.last - self.first), last)

    def months(self, count: int = MONTHS) -> Period:
        """The months up to that of the last day, whole, to be compared with each other."""
        first = self.last.replace(day=1)
        for _month in range(count - 1):
            first = (first - timedelta(days=1)).replace(day=1)
        return Period(OWN, first, self.last)

    def args(self) -> dict[str, str]:
        """As it stands in the address of a list."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def asked_period(args: Mapping[str, str], now: datetime) -> tuple[Period, list[str]]:
    """The period that the address asks for, and a sentence for what made no sense in it."""
    name = args.get("period", "").strip()
    if not name:
        name = OWN if args.get("from") or args.get("to") else STANDARD
    if name == OWN:
        try:
            asked = ReportQuery.parse({key: args.get(key, "") for key in ("from", "to")})
            asked.check()
            return Period(OWN, asked.first, asked.last), []
        except Invalid as refused:
            return _named(STANDARD, now), [left_out_words(next(iter(refused.errors)), refused)]
    if name not in PERIODS:
        return _named(STANDARD, now), [_("There is no such period; these are the last 90 days.")]
    return _named(name, now), []


def _named(name: str, now: datetime) -> Period:
    today = local_day(now)
    if name == THIS_MONTH:
        return Period(name, today.replace(day=1), today)
    if name == LAST_MONTH:
        last = today.replace(day=1) - timedelta(days=1)
        return Period(name, last.replace(day=1), last)
    return Period(LAST_90, today - timedelta(days=89), today)
