"""topics: groups of tickets that raise the same matter"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "hot_topic",
        sa.Column("id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("category_id", ID, nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("recent", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Double(), nullable=False),
        sa.Column("is_burst", sa.Boolean(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["unit.id"], name=op.f("fk_hot_topic_area_id_unit")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_hot_topic_category_id_category")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hot_topic")),
    )
    op.create_table(
        "hot_topic_ticket",
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("topic_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_hot_topic_ticket_ticket_id_ticket")),
        sa.ForeignKeyConstraint(["topic_id"], ["hot_topic.id"], name=op.f("fk_hot_topic_ticket_topic_id_hot_topic")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_hot_topic_ticket")),
    )
    op.create_index(op.f("ix_hot_topic_ticket_topic_id"), "hot_topic_ticket", ["topic_id"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("hot_topic_ticket")
    op.drop_table("hot_topic")
