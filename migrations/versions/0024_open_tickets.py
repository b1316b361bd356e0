"""lists of all that is open are read in their order, however many tickets are closed

A partial index of what is not closed for each order: by due time, by receipt, by how often it came back.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import text

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ONLY = "status <> 'closed'"
HELD = ("status", "origin", "is_about", "area_id", "lead_unit_id")
MADE: dict[str, tuple[tuple[Any, ...], str]] = {
    "ix_ticket_open_by_due": (("due_at", "id", *HELD), ONLY),
    "ix_ticket_open_by_receipt": (("submitted_at", "id", "last_word_at", *HELD), ONLY),
    "ix_ticket_open_by_disputes": ((text("reopen_count DESC"), "id", *HELD), f"{ONLY} AND reopen_count > 0"),
}


def upgrade() -> None:
    """Make the indexes."""
    for name, (columns, only) in MADE.items():
        op.create_index(name, "ticket", list(columns), sqlite_where=text(only), postgresql_where=text(only))


def downgrade() -> None:
    """Take them away."""
    for name in MADE:
        op.drop_index(name, table_name="ticket")
