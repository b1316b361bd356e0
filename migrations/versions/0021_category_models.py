"""trained category models, each a version that can be put in force again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SQLITE = "BEGIN UPDATE reference_state SET token = lower(hex(randomblob(16))); END"
VERBS = ("INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Make the table, and have its changes noticed by every process that keeps the model."""
    op.create_table(
        "category_model",
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trained_by", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("learned_from", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_category_model")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in VERBS:
            op.execute(f"CREATE TRIGGER category_model_{verb.lower()}_noticed AFTER {verb} ON category_model {SQLITE}")
        return
    op.execute(
        "CREATE TRIGGER category_model_noticed AFTER INSERT OR UPDATE OR DELETE ON category_model "
        "FOR EACH STATEMENT EXECUTE FUNCTION notice_reference()"
    )


def downgrade() -> None:
    """Take it away; its triggers go with it."""
    op.drop_table("category_model")
