"""What an admin sets for the whole site (self-dispatch, danger words, ...): named values in one table, with their defaults."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.db import Base, Instant
from feedback.kernel.memo import forget
from feedback.kernel.reference import kept, watch

DEFAULTS: dict[str, Any] = {
    "self_dispatch": True,
    "dispatch_precision": 95,
    "default_calendar": "site",
    "root_dispatchers": [],
    "danger_words_urgent": [],
    "danger_words_critical": [],
    "quiet_hours": "",
    "quiet_days_off": False,
    "look_alike_days": 180,
    "topic_days": 56,
}
"""dispatch_precision: of a hundred tickets that the category model sends on by itself, how many must go to the right category.
root_dispatchers: logins of those who take tickets about the root itself. quiet_hours: such as `22:00-07:00`, in the
site's zone, when no mail leaves about tickets that are not urgent; empty: none. quiet_days_off: nor on a whole day
without working time in the site's calendar. look_alike_days: how old a ticket may be to be shown as one that says the
same. topic_days: how far back the topics of the leader's page look."""


class SiteSetting(Base):
    """One named value that an admin changed from its default."""

    __tablename__ = "site_setting"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(Instant)


watch(SiteSetting.__table__)


def get_setting(session: Session, name: str) -> Any:
    """The value in force. KeyError for a name that is not in DEFAULTS."""
    changed = kept(session, "site", lambda reading: {r.name: r.value for r in reading.scalars(select(SiteSetting))})
    return changed.get(name, DEFAULTS[name])


def put_setting(session: Session, name: str, value: Any, *, now: datetime) -> None:
    """Set it in the present transaction; the use-case that calls this writes the audit entry. KeyError as above."""
    if name not in DEFAULTS:
        raise KeyError(name)
    forget(session)
    session.merge(SiteSetting(name=name, value=value, changed_at=now))


def change_setting(
    session: Session, name: str, value: Any, *, actor: Actor, now: datetime, facts: dict[str, Any] | None = None
) -> None:
    """Set it in the present transaction with its audit entry; `facts` say what changed, else from what to what."""
    told = facts if facts is not None else {"from": get_setting(session, name), "to": value}
    put_setting(session, name, value, now=now)
    audit.record(
        session,
        "settings",
        actor=actor.audit_name(),
        action="setting.changed",
        now=now,
        facts={"setting": name, **told},
    )
