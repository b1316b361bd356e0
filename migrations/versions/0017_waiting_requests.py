"""find requests that wait for a decision without reading tickets

There are few of them at any time, however many tickets there are.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index that a decider's list starts from."""
    op.create_index("ix_ticket_request_state_requested_at", "ticket_request", ["state", "requested_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_ticket_request_state_requested_at", table_name="ticket_request")
