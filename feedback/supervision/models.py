"""Tables of what is watched: topics, which are groups of tickets that raise the same matter. Written by topics.py alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base, Id, Instant


class HotTopic(Base):
    """A group of tickets as it was last found; `id` stays while most of its tickets stay together.

    `recent` came in the last week; `usual` is what comes in a usual week of the same area and category, whatever it is about.
    """

    __tablename__ = "hot_topic"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    size: Mapped[int]
    recent: Mapped[int]
    usual: Mapped[float]
    is_burst: Mapped[bool]
    found_at: Mapped[datetime] = mapped_column(Instant)
    renewed_at: Mapped[datetime] = mapped_column(Instant)


class HotTopicTicket(Base):
    """A ticket of a topic."""

    __tablename__ = "hot_topic_ticket"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("hot_topic.id"), index=True)
