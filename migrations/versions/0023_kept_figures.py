"""figures kept on the ticket: what its events and verdicts say, the office that dispatched it, and the indexes they are read by

A report then reads one range of one index, and nothing else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BATCH = 20_000
SUMS = ("verdicts", "verdicts_protected", "halves", "ratings", "ratings_protected", "good_ratings")
REPORTS = (
    *("origin", "is_about", "area_id", "lead_unit_id", "first_area_id", "first_resolved_unit_id"),
    *("category_id", "first_category_id", "privacy", "closure_reason"),
)
COHORTS = (
    *("figures", "first_office_id", "is_own_unit", *SUMS),
    *("submitted_at", "first_dispatched_at", "first_resolved_at", "resolved_at", "closed_at"),
)
MADE = {
    "ix_ticket_by_receipt": ("submitted_at", "id", *REPORTS, "first_dispatched_at"),
    "ix_ticket_by_first_due": ("original_due_at", "id", *REPORTS, *COHORTS),
}
GONE = {"ix_ticket_submitted_at_id": ("submitted_at", "id"), "ix_ticket_original_due_at": ("original_due_at",)}


def _step(more: str) -> str:
    return f"SELECT 1 FROM timeline a WHERE a.ticket_id = ticket.id AND {more}"  # noqa: S608


def _request(kind: str, state: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM ticket_request r WHERE r.ticket_id = ticket.id"  # noqa: S608
        f" AND r.kind = '{kind}' AND r.state = '{state}')"
    )


_CLOCK = "SELECT 1 FROM sla_clock c WHERE c.ticket_id = ticket.id AND c.kind = 'first_response'"
_LAST = "NOT EXISTS (SELECT 1 FROM verdict l WHERE l.seat_id = v.seat_id AND l.round > v.round)"


def _said(verdict: str) -> str:
    return f"EXISTS (SELECT 1 FROM verdict v WHERE v.ticket_id = ticket.id AND v.verdict = '{verdict}' AND {_LAST})"  # noqa: S608


def _resolved_by(due: str) -> str:
    disputed = _step("a.action = 'dispute' AND a.version > s.version")
    return (
        "EXISTS (SELECT 1 FROM timeline s WHERE s.ticket_id = ticket.id AND s.action = 'resolve'"  # noqa: S608
        f" AND s.at <= {due} AND NOT EXISTS ({disputed}))"
    )


_EXTENDED = (
    "COALESCE((SELECT max(COALESCE(c.breached_at, c.due_at)) FROM sla_clock c WHERE c.ticket_id = ticket.id"
    " AND c.kind = 'resolution' AND c.round = 1), ticket.original_due_at)"
)


def _seconds(earlier: str, later: str) -> str:
    if op.get_bind().dialect.name == "sqlite":
        return f"(CAST(strftime('%s', {later}) AS INTEGER) - CAST(strftime('%s', {earlier}) AS INTEGER))"
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {later})) - FLOOR(EXTRACT(EPOCH FROM {earlier})) AS BIGINT)"


def _conditions() -> list[str]:
    """What each bit of `figures` says, from the lowest."""
    reopened = (
        "EXISTS (SELECT 1 FROM timeline r JOIN timeline k ON k.ticket_id = r.ticket_id WHERE r.ticket_id = ticket.id"  # noqa: S608
        " AND r.action = 'reopen' AND k.action = 'confirm' AND k.to_status = 'closed.confirmed'"
        f" AND k.version < r.version AND {_seconds('k.at', 'r.at')} <= 2592000)"
    )
    gap = _seconds("ticket.closed_at", "y.submitted_at")
    again = (
        "ticket.closure_reason = 'confirmed' AND (EXISTS (SELECT 1 FROM ticket y WHERE y.place = ticket.place"  # noqa: S608
        " AND y.area_id = ticket.area_id AND y.category_id = ticket.category_id AND y.origin = 'loop'"
        f" AND y.submitted_at >= ticket.closed_at AND {gap} <= 2592000) OR EXISTS (SELECT 1 FROM ticket_link n"
        " JOIN ticket y ON n.from_id = y.id WHERE n.to_id = ticket.id AND n.kind = 'recurrence'"
        f" AND {gap} BETWEEN 0 AND 2592000))"
    )
    return [
        f"EXISTS ({_CLOCK} AND c.met_at IS NOT NULL AND c.breached_at IS NULL)"
        f" OR (NOT EXISTS ({_CLOCK}) AND ticket.first_responded_at IS NOT NULL)",
        _resolved_by("ticket.original_due_at"),
        _resolved_by(_EXTENDED),
        "EXISTS (" + _step("a.action IN ('transfer', 'adjudicate')") + ") OR " + _request("return", "granted"),
        _request("return", "granted"),
        _request("extension", "granted"),
        _request("suspension", "granted"),
        _request("appeal", "refused"),
        _request("appeal", "pending"),
        _said("partly"),
        _said("accepted"),
        reopened,
        again,
    ]


def _sum(adds: str) -> str:
    return (
        f"COALESCE((SELECT sum({adds}) FROM verdict v JOIN seat s ON s.id = v.seat_id"  # noqa: S608
        f" WHERE v.ticket_id = ticket.id AND s.left_at IS NULL AND {_LAST}), 0)"
    )


def _one(condition: str) -> str:
    return _sum(f"CASE WHEN {condition} THEN 1 ELSE 0 END")


def upgrade() -> None:
    """Add the columns, fill them, and put the wide indexes in the place of the narrow ones."""
    op.add_column("ticket", sa.Column("figures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "ticket", sa.Column("first_office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    for name in SUMS:
        op.add_column("ticket", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    fill()
    for name in GONE:
        op.drop_index(name, table_name="ticket")
    for name, columns in MADE.items():
        op.create_index(name, "ticket", list(columns))


def fill() -> None:
    """Count the new columns of every ticket of the loop, some thousands a statement."""
    bits = " + ".join(f"CASE WHEN {condition} THEN {1 << n} ELSE 0 END" for n, condition in enumerate(_conditions()))
    office = _step("a.action = 'dispatch' ORDER BY a.version LIMIT 1").replace("SELECT 1", "SELECT a.unit_id")
    is_protected = "s.privacy IN ('confidential', 'anonymous')"
    sums = (
        _sum("1"),
        _one(is_protected),
        _sum("CASE v.verdict WHEN 'solved' THEN 2 WHEN 'partly' THEN 1 ELSE 0 END"),
        _one("v.rating IS NOT NULL"),
        _one(f"v.rating IS NOT NULL AND {is_protected}"),
        _one("v.rating >= 3"),
    )
    said = ", ".join(f"{name} = {count}" for name, count in zip(SUMS, sums, strict=True))
    statement = sa.text(
        f"UPDATE ticket SET figures = {bits}, first_office_id = ({office}), {said}"  # noqa: S608
        " WHERE id > :after AND id <= :until AND origin = 'loop'"
    )
    connection = op.get_bind()
    last = connection.scalar(sa.text("SELECT max(id) FROM ticket")) or 0
    for after in range(0, last, BATCH):
        connection.execute(statement, {"after": after, "until": after + BATCH})


def downgrade() -> None:
    """Put the narrow indexes back and take the columns away."""
    for name in MADE:
        op.drop_index(name, table_name="ticket")
    for name, columns in GONE.items():
        op.create_index(name, "ticket", list(columns))
    for name in ("figures", "first_office_id", *SUMS):
        op.drop_column("ticket", name)
