"""What waits is read in its order from an index of what waits alone, however much is done or was put off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event

from feedback.kernel import outbox
from feedback.kernel.db import db
from feedback.kernel.transaction import transaction
from tests.support.county import START, County

LATER = START + timedelta(hours=1)


def _add(**columns: object) -> int:
    row = outbox.Outbox(event="ticket.submitted", payload={}, **{"created_at": START, "available_at": START, **columns})
    with transaction() as session:
        session.add(row)
        session.flush()
        return row.id


def test_what_is_due_comes_the_eldest_first_whatever_its_state(any_county: County) -> None:
    dropped = _add(state=outbox.LEASED, lease_until=START, attempts=1)
    _add(state=outbox.LEASED, lease_until=LATER + timedelta(seconds=9), attempts=1)
    _add(state=outbox.NEW, available_at=LATER + timedelta(hours=1), attempts=1)
    put_off = _add(state=outbox.NEW, available_at=LATER, attempts=1)
    ahead = LATER + timedelta(minutes=5)
    never_put_off = _add(state=outbox.NEW, created_at=ahead, available_at=ahead)
    _add(state=outbox.DONE)
    session = any_county.session
    assert outbox.due_events(session, LATER, 9)[-3:] == [dropped, put_off, never_put_off]
    eldest = outbox.due_events(session, LATER, 9)[:-3]
    assert outbox.due_events(session, LATER, len(eldest) + 2) == [*eldest, dropped, put_off]
    since = outbox.due_events(session, LATER, 9, but_not_since=START - timedelta(days=9))
    assert since == [never_put_off]


def test_sqlite_reads_no_further_than_what_is_asked_for(county: County) -> None:
    county.session.commit()
    plans: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        if statement.startswith("SELECT") and ("outbox" in statement or "delivery" in statement):
            raw = db.session.connection().connection.dbapi_connection
            assert raw is not None
            rows = raw.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        outbox.due_events(county.session, LATER, 20, but_not_since=START)
        outbox.due_deliveries(county.session, LATER, 20)
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
    used = {
        name for name in ("ix_outbox_new", "ix_outbox_leased", "ix_delivery_waiting") for plan in plans if name in plan
    }
    assert used == {"ix_outbox_new", "ix_outbox_leased", "ix_delivery_waiting"}
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]
