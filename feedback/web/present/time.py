"""Instants and spans as people say them (today 16:30, Thursday, 3 days ago), in the site's zone and the reader's language.

No ticket is known here; a place that shows an instant also gives its exact form, for hover, focus and print.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, get_day_names

from feedback.kernel.clock import local_day, site_zone
from feedback.web.language import LOCALES, catalogue
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext, pgettext

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DAYS_NAMED = 7
"""Up to so many days ahead a weekday is clearer than a date."""

When = dict[str, Any]


def _locale() -> Locale:
    return _LOCALES[catalogue()]


_LOCALES = {name: Locale(name) for name in LOCALES.values()}


def local(instant: datetime) -> datetime:
    """The instant on the site's wall."""
    return instant.astimezone(site_zone())


class _Wall(NamedTuple):
    """An instant on the site's wall, in the forms that pages need."""

    day: date
    clock: str
    iso: str
    exact: str


@lru_cache(maxsize=8192)
def _wall(instant: datetime, zone: ZoneInfo) -> _Wall:
    """Kept, because a list is read again and again and says each instant in three forms."""
    wall = instant.astimezone(zone)
    iso = wall.isoformat("T", "seconds")
    return _Wall(wall.date(), iso[11:16], iso, f"{iso[:10]} {iso[11:16]} {iso[19:]}")


def _on_wall(instant: datetime) -> _Wall:
    return _wall(instant, site_zone())


def exact(instant: datetime) -> str:
    """Date and time in full, with the offset: `2026-03-05 17:30 +08:00`."""
    return _on_wall(instant).exact


def day_words(day: date, now: datetime) -> str:
    """A day: today, tomorrow, yesterday, a weekday of the coming week, else the date (with its year if it is another)."""
    return _day_words(day, local_day(now), _locale())


@lru_cache(maxsize=2048)
def _day_words(day: date, today: date, locale: Locale) -> str:
    """Kept, because a list says the same few days again and again."""
    ahead = (day - today).days
    if ahead in (-1, 0, 1):
        return {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}[ahead]
    if 0 < ahead < DAYS_NAMED:
        is_chinese = locale.language == "zh"
        names = get_day_names("abbreviated", locale=locale) if is_chinese else get_day_names("wide", locale=locale)
        name = names[day.weekday()]
        is_next_week = day.weekday() < today.weekday()
        return pgettext("next week", "%(weekday)s", weekday=name) if is_next_week else name
    skeleton = "MMMd" if day.year == today.year else "yMMMd"
    return str(format_skeleton(skeleton, datetime(day.year, day.month, day.day), locale=locale))  # noqa: DTZ001


def moment(instant: datetime, now: datetime) -> str:
    """A time at which something is due or was said: `today 16:30`, `Thursday 17:30`, `Mar 12 09:00`."""
    wall = _on_wall(instant)
    return f"{day_words(wall.day, now)} {wall.clock}"


def ago(instant: datetime, now: datetime) -> str:
    """How long ago something happened: minutes within the hour, then the time of day, days within the week, the date."""
    passed = now - instant
    if passed < MINUTE:
        return moment(instant, now) if passed < -MINUTE else _("just now")
    if passed < HOUR:
        minutes = passed // MINUTE
        return ngettext("%(num)d minute ago", "%(num)d minutes ago", minutes)
    day = _on_wall(instant).day
    days = (local_day(now) - day).days
    if 1 < days < DAYS_NAMED:
        return ngettext("%(num)d day ago", "%(num)d days ago", days)
    return moment(instant, now) if days <= 1 else day_words(day, now)


def span(duration: timedelta) -> str:
    """A length of time in its largest unit: days, hours or minutes, at least one minute."""
    if duration >= DAY:
        return ngettext("%(num)d day", "%(num)d days", duration // DAY)
    if duration >= HOUR:
        return ngettext("%(num)d hour", "%(num)d hours", duration // HOUR)
    return ngettext("%(num)d minute", "%(num)d minutes", max(1, duration // MINUTE))


def left_words(due_at: datetime, now: datetime) -> str:
    """How much time is left, or by how much it is late: `3 hours left`, `2 days late`."""
    if due_at < now:
        return _("%(span)s late", span=span(now - due_at))
    return _("%(span)s left", span=span(due_at - now))


def when_due(instant: datetime, now: datetime) -> When:
    """A `when` of the macros for something that is or was due then."""
    wall = _on_wall(instant)
    return {"words": f"{day_words(wall.day, now)} {wall.clock}", "iso": wall.iso, "exact": wall.exact}


def when_past(instant: datetime, now: datetime) -> When:
    """A `when` of the macros for something that happened; the page keeps the minutes true."""
    wall = _on_wall(instant)
    found = {"words": ago(instant, now), "iso": wall.iso, "exact": wall.exact}
    return {**found, "live": "ago"} if timedelta(0) <= now - instant < HOUR else found


def when_day_of(instant: datetime, now: datetime) -> When:
    """The day of an instant, with the exact time on hover: what fits under a step."""
    wall = _on_wall(instant)
    return {"words": day_words(wall.day, now), "iso": wall.iso, "exact": wall.exact}


def when_day(day: date, now: datetime) -> When:
    """A `when` of the macros for a whole day."""
    return {"words": day_words(day, now), "iso": day.isoformat(), "exact": day.isoformat()}
