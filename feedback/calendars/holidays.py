"""China's official days off and make-up workdays as two libraries know them. Imported notices are merged elsewhere.

A year counts as known when its yearly notice of the State Council is in one of the libraries, not when statutory
holidays can be guessed: the guess has no make-up workdays and no bridging days.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Literal

import holidays
from chinese_calendar import constants

DayKind = Literal["holiday", "workday"]

NOTICE_MONTH = 11
"""The notice for a year comes in November of the year before: from then on a missing one is worth a warning."""

_FIRST_SOURCE_YEARS = frozenset(day.year for day in constants.holidays)
_SECOND_SOURCE_LIMIT = 2100


def is_year_known(year: int) -> bool:
    """Whether one of the two libraries has the official notice of that year."""
    return year in _FIRST_SOURCE_YEARS or _second_source(year) is not None


@lru_cache(maxsize=256)
def official_days(year: int) -> dict[date, DayKind]:
    """The days that the notice of `year` takes away (holiday) or adds (workday); empty for a year that is not known.

    Ordinary weekends and weekdays are not in it. Callers must not change the dictionary.
    """
    if year in _FIRST_SOURCE_YEARS:
        days: dict[date, DayKind] = {day: "holiday" for day in constants.holidays if day.year == year}
        days.update((day, "workday") for day in constants.workdays if day.year == year)
        return days
    return dict(_second_source(year) or {})


def latest_known_year() -> int:
    """The last year in an unbroken row of known ones."""
    year: int = max(_FIRST_SOURCE_YEARS)
    while is_year_known(year + 1):
        year += 1
    return year


@lru_cache(maxsize=256)
def _second_source(year: int) -> dict[date, DayKind] | None:
    """`holidays` answers for any year; only a year with make-up workdays comes from a notice and not from a guess."""
    if not min(_FIRST_SOURCE_YEARS) <= year <= _SECOND_SOURCE_LIMIT:
        return None
    china = holidays.country_holidays("CN", years=year)
    makeup = {day for day in china.weekend_workdays if day.year == year}
    if not makeup:
        return None
    days: dict[date, DayKind] = {day: "holiday" for day in china if day.year == year}
    days.update((day, "workday") for day in makeup)
    return days
