"""Which first words of a page somebody has put away. What the words are is the pages' affair."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import ForeignKey, Select, String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.actor import Actor
from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.transaction import transaction
from feedback.notifications.queries import unread_of
from feedback.tickets.visibility import SAME_ACTORS


class HintSeen(Base):
    """An account that has put away the first words of a page."""

    __tablename__ = "hint_seen"
    __table_args__ = (UniqueConstraint("account_id", "page"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    page: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(Instant)


def is_put_away(session: Session, actor: Actor, page: str) -> bool:
    """Whether this account has put away the first words of the page."""
    seen = select(HintSeen.id).where(HintSeen.account_id == actor.account_id, HintSeen.page == page)
    return session.scalar(seen) is not None


def unread_and_put_away(session: Session, actor: Actor, page: str | None) -> tuple[int, bool]:
    """What the frame of every page shows: `unread_count`, and whether the page's first words are put away; one statement."""
    counted = session.connection().execute(_frame_of(actor), {"page": page}).one()
    return counted[0], counted[1]


@lru_cache(maxsize=SAME_ACTORS)
def _frame_of(actor: Actor) -> Select[int, bool]:
    seen = select(HintSeen.id).where(HintSeen.account_id == actor.account_id, HintSeen.page == bindparam("page"))
    return select(unread_of(actor).scalar_subquery(), seen.exists())


def put_away(page: str, *, actor: Actor, now: datetime) -> None:
    """Show the first words of the page to this account no more; a second time changes nothing."""
    with transaction() as session:
        if not is_put_away(session, actor, page):
            session.add(HintSeen(account_id=actor.account_id, page=page, at=now))
