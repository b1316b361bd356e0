"""find the tickets that were joined to another one without reading all

Only joined tickets are in the index, and they are few.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ONLY = text("joined_into_id IS NOT NULL")


def upgrade() -> None:
    """Make the index from an elder ticket to those joined to it."""
    op.create_index("ix_ticket_joined_into_id", "ticket", ["joined_into_id"], sqlite_where=ONLY, postgresql_where=ONLY)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_ticket_joined_into_id", table_name="ticket")
