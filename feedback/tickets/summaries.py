"""Neutral summaries: a dispatcher's words about a matter, published to an area so that others there may join it unseen.

Whoever reads one learns its words and a token to join by; the ticket itself stays hidden from them. Never of a protected
ticket, never of one that is about somebody. Written by dispatch/summaries.py alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, and_, false, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.actor import Actor
from feedback.kernel.db import Base, Id, Instant
from feedback.people.models import Unit
from feedback.tickets import lifecycle
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import PROTECTED, visible

SUMMARY_LIMIT = 300
JOINABLE = (*lifecycle.OPEN, lifecycle.RESOLVED)
"""The statuses of a ticket that another may still be joined to."""


class PublishedSummary(Base):
    """A neutral summary of a ticket, for who submits in that area. One at most of a ticket is not withdrawn."""

    __tablename__ = "published_summary"
    __table_args__ = (Index("ix_published_summary_ticket_id_withdrawn_at", "ticket_id", "withdrawn_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    text: Mapped[str] = mapped_column(Text)
    published_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


def summary_of(session: Session, ticket: Ticket) -> PublishedSummary | None:
    """The summary of a ticket that is published now, whoever may read it."""
    mine = PublishedSummary.ticket_id == ticket.id
    return session.scalars(select(PublishedSummary).where(mine, PublishedSummary.withdrawn_at.is_(None))).first()


def pointless_of_summaries(session: Session, ticket: Ticket) -> set[str]:
    """What the table allows and this ticket does not: to publish what is protected, to take back what is not published."""
    if ticket.privacy in PROTECTED or ticket.is_about:
        return {"publish_summary", "withdraw_summary"}
    return set() if summary_of(session, ticket) else {"withdraw_summary"}


def is_published_to(actor: Actor) -> ColumnElement[bool]:
    """SQL on summaries: it is published now, to an area in which the actor submits."""
    paths = [grant.unit_path for grant in actor.grants if grant.role == "submitter"]
    above = sorted({unit_id for path in paths for unit_id in path.strip("/").split("/") if unit_id})
    if not above:
        return false()
    in_area = PublishedSummary.area_id.in_([int(unit_id) for unit_id in above])
    return and_(PublishedSummary.withdrawn_at.is_(None), in_area)


MAY_BE_JOINED = and_(Ticket.status.in_(JOINABLE), Ticket.privacy.not_in(PROTECTED), ~Ticket.is_about)
"""SQL: a ticket that may be joined by its summary."""


def newest_summaries(session: Session, actor: Actor, most: int) -> Sequence[PublishedSummary]:
    """The newest summaries that this actor may join by, among the `most` newest that are published to them."""
    newest = select(PublishedSummary.id).where(is_published_to(actor)).order_by(PublishedSummary.id.desc()).limit(most)
    summaries = session.scalars(select(PublishedSummary).where(PublishedSummary.id.in_(newest.subquery().select())))
    found = {summary.ticket_id: summary for summary in summaries}
    if not found:
        return []
    still = session.scalars(select(Ticket.id).where(Ticket.id.in_(list(found)), MAY_BE_JOINED))
    return [found[ticket_id] for ticket_id in still]


def summaries_for(session: Session, actor: Actor, ticket_ids: Sequence[int]) -> dict[int, PublishedSummary]:
    """By ticket: the summaries among these tickets' that this actor may join by."""
    found = session.scalars(
        select(PublishedSummary)
        .join(Ticket, Ticket.id == PublishedSummary.ticket_id)
        .where(PublishedSummary.ticket_id.in_(ticket_ids), is_published_to(actor), MAY_BE_JOINED)
    )
    return {summary.ticket_id: summary for summary in found}


def may_join_by_summary(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> bool:
    """Whether this actor may join that ticket, which they may not see, because its summary is published to their area.

    `now` is the instant of the act: a summary counts from when it was published until it was withdrawn.
    """
    summary = summaries_for(session, actor, [ticket.id]).get(ticket.id)
    return summary is not None and summary.at <= now


def find_ticket_to_join(session: Session, actor: Actor, named: str, now: datetime) -> Ticket | None:
    """The ticket that somebody names to join: by its reference if they may see it, else by a summary's token.

    Its reference finds it by a published summary too. None for anything else, the same as for what does not exist.
    """
    name = named.strip().upper()
    by_token = select(PublishedSummary.ticket_id).where(PublishedSummary.token == name)
    found = session.scalars(select(Ticket).where(or_(Ticket.reference == name, Ticket.id.in_(by_token)))).first()
    if found is None:
        return None
    if name == found.reference and session.scalar(select(Ticket.id).where(Ticket.id == found.id, visible(actor))):
        return found
    return found if may_join_by_summary(session, actor, found, now) else None


def areas_to_publish_to(units: dict[int, Unit], ticket: Ticket, office_path: str) -> list[Unit]:
    """The area of a ticket and what lies above it, up to the office's own unit: nearest first."""
    found, unit = [], units.get(ticket.area_id)
    while unit is not None and unit.path.startswith(office_path):
        found.append(unit)
        unit = units.get(unit.parent_id) if unit.parent_id else None
    return found
