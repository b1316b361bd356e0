"""About what each person wants a mail: at once, once a day, or never. Notices on the pages always come.

A breach that is told to a supervisor or a leader is mailed at once whatever they chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from sqlalchemy import ForeignKey, Select, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.actor import Actor
from feedback.kernel.clock import site_zone
from feedback.kernel.command import Command, Line
from feedback.kernel.db import Base, Id
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction

AT_ONCE, DAILY, NEVER = "at_once", "daily", "never"
CHOICES = (AT_ONCE, DAILY, NEVER)
TOPICS = ("own", "work", "requests", "alarms")
"""own: tickets that they raised; work: what happens to tickets of their unit; requests: decisions asked for and made;
alarms: time limits."""
DIGEST_AT = time(8)
ABOVE = ("supervisor", "leader")


class MailChoice(Base):
    """What an account chose for a topic; without a row it is `at_once`."""

    __tablename__ = "mail_choice"
    __table_args__ = (UniqueConstraint("account_id", "topic"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    topic: Mapped[str] = mapped_column(String(20))
    choice: Mapped[str] = mapped_column(String(10))


class ChooseMails(Command):
    """A choice for each topic."""

    own: Line = AT_ONCE
    work: Line = AT_ONCE
    requests: Line = AT_ONCE
    alarms: Line = AT_ONCE


def choose_mails(cmd: ChooseMails, *, actor: Actor, now: datetime) -> None:
    """Keep the actor's own choices. Invalid names the topic whose choice is none."""
    wanted = {topic: getattr(cmd, topic) for topic in TOPICS}
    wrong = Text(N_("Must be one of: %(expected)s."), expected=tuple(CHOICES))
    errors = {topic: wrong for topic, choice in wanted.items() if choice not in CHOICES}
    if errors:
        raise Invalid(errors)
    with transaction() as session:
        rows = {row.topic: row for row in session.scalars(_of(actor.account_id or 0))}
        for topic, choice in wanted.items():
            if topic in rows:
                rows[topic].choice = choice
            elif choice != AT_ONCE:
                session.add(MailChoice(account_id=actor.account_id, topic=topic, choice=choice))


def choices_of(session: Session, account_id: int) -> dict[str, str]:
    """The choice for each topic."""
    chosen = {row.topic: row.choice for row in session.scalars(_of(account_id))}
    return {topic: chosen.get(topic, AT_ONCE) for topic in TOPICS}


def choice_for(session: Session, account_id: int, event: str, payload: Mapping[str, object], *, is_own: bool) -> str:
    """How this account wants to be mailed about an event; `is_own`: told as whoever raised the ticket."""
    if payload.get("is_breach") and payload.get("audience") in ABOVE:
        return AT_ONCE
    return choices_of(session, account_id)[_topic(event, is_own=is_own)]


def next_digest(now: datetime) -> datetime:
    """When the day's mail leaves next: eight in the morning at the site."""
    local = now.astimezone(site_zone())
    day = local.date() + timedelta(days=1 if local.time() >= DIGEST_AT else 0)
    return datetime.combine(day, DIGEST_AT, local.tzinfo).astimezone(now.tzinfo)


def _topic(event: str, *, is_own: bool) -> str:
    if event == "sla.alarm":
        return "alarms"
    if is_own:
        return "own"
    return "requests" if event.startswith("request.") else "work"


def _of(account_id: int) -> Select[MailChoice]:
    return select(MailChoice).where(MailChoice.account_id == account_id)
