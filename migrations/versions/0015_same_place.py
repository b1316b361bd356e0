"""find what was raised again at the same place

A closure is stable only where nobody raises the same kind of matter at the same place again soon after.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index that the question is asked by."""
    op.create_index("ix_ticket_place", "ticket", ["place", "area_id", "category_id", "submitted_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_ticket_place", table_name="ticket")
