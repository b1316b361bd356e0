"""indexes from which lists and counts of pages are read alone"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TICKET = {
    "ix_ticket_by_status": (
        *("status", "due_at", "id", "reopen_count", "is_about", "origin"),
        *("last_word_at", "submitted_at", "area_id", "lead_unit_id"),
    ),
    "ix_ticket_on_desk": (
        *("lead_unit_id", "status", "due_at", "id", "reopen_count"),
        *("assignee_id", "is_about", "origin", "lead_leg_id"),
    ),
    "ix_ticket_lead_unit_id_due_at_id": ("lead_unit_id", "due_at", "id"),
}
TICKET_BEFORE = {
    "ix_ticket_status_due_at_id": ("status", "due_at", "id"),
    "ix_ticket_lead_unit_id_status_due_at": ("lead_unit_id", "status", "due_at"),
}
LEG = {
    "ix_leg_ticket_id_unit_id_ended_at": ("ticket_id", "unit_id", "ended_at"),
    "ix_leg_unit_id_role_ended_at_ticket_id": ("unit_id", "role", "ended_at", "ticket_id"),
}
LEG_BEFORE = {"ix_leg_ticket_id": ("ticket_id",), "ix_leg_unit_id_ended_at": ("unit_id", "ended_at")}


def upgrade() -> None:
    """Put the wide ones in the place of the narrow ones."""
    _change("ticket", TICKET_BEFORE, TICKET)
    _change("leg", LEG_BEFORE, LEG)


def downgrade() -> None:
    """Put the narrow ones back."""
    _change("leg", LEG, LEG_BEFORE)
    _change("ticket", TICKET, TICKET_BEFORE)


def _change(table: str, gone: dict[str, tuple[str, ...]], made: dict[str, tuple[str, ...]]) -> None:
    for name in gone:
        op.drop_index(name, table_name=table)
    for name, columns in made.items():
        op.create_index(name, table, list(columns))
