"""extensions that were granted to a clock

Empty for every clock so far. A nullable column costs no table rewrite.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("sla_clock", sa.Column("extensions", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("sla_clock", "extensions")
