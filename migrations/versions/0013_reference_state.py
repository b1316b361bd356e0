"""notice changes of what every page needs

One row holds a token, and triggers on units, roles, categories and settings change it, so that processes may keep those.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WATCHED = (
    "unit",
    "role_grant",
    "deputy",
    "category",
    "catalogue_row",
    "site_setting",
    "sla_policy",
    "business_calendar",
)
SQLITE = "BEGIN UPDATE reference_state SET token = lower(hex(randomblob(16))); END"


def upgrade() -> None:
    """Make the row and the triggers."""
    op.create_table(
        "reference_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_state")),
    )
    op.execute("INSERT INTO reference_state (id, token) VALUES (1, 'first')")
    if op.get_bind().dialect.name == "sqlite":
        for table in WATCHED:
            for verb in ("INSERT", "UPDATE", "DELETE"):
                op.execute(f"CREATE TRIGGER {table}_{verb.lower()}_noticed AFTER {verb} ON {table} {SQLITE}")
        op.execute(f"CREATE TRIGGER account_update_noticed AFTER UPDATE OF is_active, login, name ON account {SQLITE}")
        return
    op.execute(
        "CREATE FUNCTION notice_reference() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN UPDATE reference_state SET token = gen_random_uuid()::text; RETURN NULL; END $$"
    )
    for table in WATCHED:
        op.execute(
            f"CREATE TRIGGER {table}_noticed AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION notice_reference()"
        )
    op.execute(
        "CREATE TRIGGER account_noticed AFTER UPDATE OF is_active, login, name ON account "
        "FOR EACH STATEMENT EXECUTE FUNCTION notice_reference()"
    )


def downgrade() -> None:
    """Take them away again."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in (*WATCHED, "account"):
        names = [f"{table}_noticed"]
        if is_sqlite:
            verbs = ("update",) if table == "account" else ("insert", "update", "delete")
            names = [f"{table}_{verb}_noticed" for verb in verbs]
        for name in names:
            op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON {table}")
    if not is_sqlite:
        op.execute("DROP FUNCTION notice_reference()")
    op.drop_table("reference_state")
