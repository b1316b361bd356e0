"""first words of a page that somebody has put away"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "hint_seen",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_hint_seen_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hint_seen")),
        sa.UniqueConstraint("account_id", "page", name=op.f("uq_hint_seen_account_id_page")),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("hint_seen")
