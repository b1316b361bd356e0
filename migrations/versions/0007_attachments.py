"""files belong to an entry, say why they were refused, and are found by their name in the store"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("problem", sa.String(length=20), nullable=True))
        batch_op.alter_column(
            "timeline_id", existing_type=sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        )
        batch_op.create_index(batch_op.f("ix_attachment_created_at"), ["created_at"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_attachment_storage_key"), ["storage_key"])


def downgrade() -> None:
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_attachment_storage_key"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_attachment_created_at"))
        batch_op.alter_column(
            "timeline_id", existing_type=sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        )
        batch_op.drop_column("problem")
