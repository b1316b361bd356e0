"""what waits to be told or sent is read in its order, however much waits or is done

Partial indexes: of new events, of events in somebody's hands, of messages with a time to try them.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MADE = {
    "ix_outbox_new": ("outbox", ("id", "available_at", "created_at"), "state = 'new'"),
    "ix_outbox_leased": ("outbox", ("id", "lease_until", "created_at"), "state = 'leased'"),
    "ix_delivery_waiting": ("delivery", ("next_try_at", "id", "state"), "next_try_at IS NOT NULL"),
}


def upgrade() -> None:
    """Make the indexes."""
    for name, (table, columns, only) in MADE.items():
        op.create_index(name, table, list(columns), sqlite_where=text(only), postgresql_where=text(only))


def downgrade() -> None:
    """Take them away."""
    for name, (table, _columns, _only) in MADE.items():
        op.drop_index(name, table_name=table)
