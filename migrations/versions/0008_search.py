"""the words of each ticket, for searching

Tickets that were there before are found once `flask search reindex` has run.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQLITE_INDEX = (
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


def upgrade() -> None:
    """Make the table, and over it the full-text index of the database at hand."""
    cut = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")
    op.create_table(
        "ticket_words",
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("everyone", cut, nullable=False),
        sa.Column("seats", cut, nullable=False),
        sa.Column("staff", cut, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_words_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_words")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX ix_ticket_words_full_text ON ticket_words USING gin (everyone, seats, staff)")
    else:
        for statement in SQLITE_INDEX:
            op.execute(statement)


def downgrade() -> None:
    """Take the index and its words away; no text is lost."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_ticket_words_full_text", table_name="ticket_words")
    else:
        op.execute("DROP TABLE ticket_search")
    op.drop_table("ticket_words")
