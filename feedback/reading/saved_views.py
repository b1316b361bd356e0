"""Lists that somebody gave a name: the filters of an address, kept per account. It knows no address's meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sqlalchemy import ForeignKey, Row, String, UniqueConstraint, bindparam, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.actor import Actor
from feedback.kernel.command import Command
from feedback.kernel.db import Base, Id, Instant, read_columns
from feedback.kernel.errors import Conflict, NotFound
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction

MOST_VIEWS = 12


class SavedView(Base):
    """A name for a list with its filters: `page` (such as `desk`) and the query of its address."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "page", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    page: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[str] = mapped_column(String(1000))
    saved_at: Mapped[datetime] = mapped_column(Instant)


def _one_line(value: str) -> str:
    return " ".join(value.split())


class SaveView(Command):
    """A name for a page's query. A name that is there already gets the new query."""

    page: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    name: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_one_line)]
    query: Annotated[str, Field(max_length=1000)]


_OWN = (
    select(SavedView.id, SavedView.name, SavedView.query)
    .where(SavedView.account_id == bindparam("account_id"), SavedView.page == bindparam("page"))
    .order_by(SavedView.id)
)


def list_views(session: Session, actor: Actor, page: str) -> Sequence[Row[Any]]:
    """Id, name and query of the actor's own named lists of a page, in the order in which they were first named."""
    return read_columns(session, _OWN, {"account_id": actor.account_id, "page": page}).all()


def save_view(fields: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    """Name a list, or point a name at another. Raises Invalid, and Conflict above 12 on a page."""
    command = SaveView.parse(fields)
    with transaction() as session:
        of_page = select(SavedView).where(SavedView.account_id == actor.account_id, SavedView.page == command.page)
        row = session.scalars(of_page.where(SavedView.name == command.name)).first()
        if row is None:
            if (session.scalar(select(func.count()).select_from(of_page.subquery())) or 0) >= MOST_VIEWS:
                raise Conflict(
                    Text(N_("You have %(most)s named lists here already. Delete one first."), most=MOST_VIEWS),
                    code="limit_reached",
                )
            row = SavedView(account_id=actor.account_id, page=command.page, name=command.name)
            session.add(row)
        row.query, row.saved_at = command.query, now


def drop_view(view_id: int, *, actor: Actor) -> None:
    """Forget one of the actor's own names. Raises NotFound."""
    with transaction() as session:
        row = session.get(SavedView, view_id)
        if row is None or row.account_id != actor.account_id:
            raise NotFound
        session.delete(row)
