"""The one place that reads the wall clock, and the site's own days. Doors read it once and hand `now` down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_site = {"zone": ZoneInfo("Asia/Shanghai")}


def install_timezone(name: str) -> None:
    """Set the site's zone (the TIMEZONE setting), once, when the application is made."""
    _site["zone"] = ZoneInfo(name)


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def site_zone() -> ZoneInfo:
    """The site's zone: in which its days begin, and a time written without an offset is meant."""
    return _site["zone"]


def local_day(instant: datetime) -> date:
    """The day of an instant at the site."""
    return instant.astimezone(_site["zone"]).date()
