"""how common each pair of characters is: what look-alikes are weighed by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SQLITE = "BEGIN UPDATE reference_state SET token = lower(hex(randomblob(16))); END"
VERBS = ("INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Make the table, and have its changes noticed by every process that keeps it."""
    op.create_table(
        "word_weights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("mean_square", sa.Double(), nullable=False),
        sa.Column("newest_message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_weights")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in VERBS:
            op.execute(f"CREATE TRIGGER word_weights_{verb.lower()}_noticed AFTER {verb} ON word_weights {SQLITE}")
        return
    op.execute(
        "CREATE TRIGGER word_weights_noticed AFTER INSERT OR UPDATE OR DELETE ON word_weights "
        "FOR EACH STATEMENT EXECUTE FUNCTION notice_reference()"
    )


def downgrade() -> None:
    """Take it away; its triggers go with it."""
    op.drop_table("word_weights")
