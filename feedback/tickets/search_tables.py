"""The search's shadow table: the words of each ticket, by who may find it by them, and its full-text index on each database.

It holds no rule and no text that isn't elsewhere: search_index.py fills it, and may fill it anew at any time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, ForeignKey, Text, event
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base

Cut = Text().with_variant(TSVECTOR(), "postgresql")
"""Words as bigrams.py cuts them: parted by spaces on SQLite, with their places on PostgreSQL."""

FULL_TEXT = "ticket_search"
"""SQLite's index; FTS5 keeps tables of its own beside it, whose names begin alike."""


class TicketWords(Base):
    """A ticket's words. `everyone`: found by all who see it; `seats`: what submitters said later; `staff`: internal words.

    No submitter's name, login or alias is among them, and nothing that was said with a verdict.
    """

    __tablename__ = "ticket_words"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    everyone: Mapped[str] = mapped_column(Cut)
    seats: Mapped[str] = mapped_column(Cut)
    staff: Mapped[str] = mapped_column(Cut)


POSTGRES_INDEX = ("CREATE INDEX ix_ticket_words_full_text ON ticket_words USING gin (everyone, seats, staff)",)
SQLITE_INDEX = (
    # `ascii` parts words at our spaces alone: `unicode61` knows no letters younger than Unicode 6.1 and would drop them.
    "CREATE VIRTUAL TABLE ticket_search USING fts5(everyone, seats, staff, content='ticket_words', "
    "content_rowid='ticket_id', columnsize=0, tokenize='ascii')",
    "CREATE TRIGGER ticket_words_added AFTER INSERT ON ticket_words BEGIN "
    "INSERT INTO ticket_search(rowid, everyone, seats, staff) "
    "VALUES (new.ticket_id, new.everyone, new.seats, new.staff); END",
    "CREATE TRIGGER ticket_words_gone AFTER DELETE ON ticket_words BEGIN "
    "INSERT INTO ticket_search(ticket_search, rowid, everyone, seats, staff) "
    "VALUES ('delete', old.ticket_id, old.everyone, old.seats, old.staff); END",
    "CREATE TRIGGER ticket_words_changed AFTER UPDATE ON ticket_words BEGIN "
    "INSERT INTO ticket_search(ticket_search, rowid, everyone, seats, staff) "
    "VALUES ('delete', old.ticket_id, old.everyone, old.seats, old.staff); "
    "INSERT INTO ticket_search(rowid, everyone, seats, staff) "
    "VALUES (new.ticket_id, new.everyone, new.seats, new.staff); END",
)
"""FTS5 over the table's own words; the triggers keep it whole, because FTS5 must be told the old words to forget them."""


def _make_index(_table: Any, connection: Connection, **_more: Any) -> None:
    for statement in SQLITE_INDEX if connection.dialect.name == "sqlite" else POSTGRES_INDEX:
        connection.exec_driver_sql(statement)


def _drop_index(_table: Any, connection: Connection, **_more: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE ticket_search")


event.listen(TicketWords.__table__, "after_create", _make_index)
event.listen(TicketWords.__table__, "before_drop", _drop_index)


def is_full_text(name: str | None) -> bool:
    """Whether a table or index of this name is made by the statements above: no model describes those."""
    return name is not None and (name in (FULL_TEXT, "ix_ticket_words_full_text") or name.startswith(f"{FULL_TEXT}_"))
