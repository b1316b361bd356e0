"""neutral summaries by which others may join a matter"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "published_summary",
        sa.Column("id", ID, nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_by_id", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["unit.id"], name=op.f("fk_published_summary_area_id_unit")),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["account.id"], name=op.f("fk_published_summary_published_by_id_account")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_published_summary_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_summary")),
        sa.UniqueConstraint("token", name=op.f("uq_published_summary_token")),
    )
    op.create_index("ix_published_summary_ticket_id_withdrawn_at", "published_summary", ["ticket_id", "withdrawn_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("published_summary")
