"""What must hold of files: every row has its bytes, and every file in the store its row. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.files.store import Store
from feedback.intake.file_care import missing_files, orphans
from feedback.reports.invariants import Fault
from feedback.tickets.models import Ticket


def find_file_faults(session: Session, store: Store, now: datetime) -> Iterator[Fault]:
    """Files without bytes, and bytes of an hour or more that no ticket names."""
    for ticket_id, name in missing_files(session, store):
        reference = session.scalar(select(Ticket.reference).where(Ticket.id == ticket_id)) or "?"
        yield Fault(reference, f"the file {name} is not in the store")
    for key in orphans(session, store, now=now):
        yield Fault("files", f"{key} lies in the store, and no ticket names it")
