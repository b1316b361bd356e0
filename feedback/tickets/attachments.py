"""The files of a ticket: which row belongs to which entry, what a reader may see of them, how much a person may send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from feedback.files.kinds import MOST_BYTES_A_DAY
from feedback.files.uploads import CLEAN, PENDING, KeptFile
from feedback.kernel.actor import Actor
from feedback.kernel.errors import NotFound, Throttled
from feedback.kernel.text import N_, Text
from feedback.tickets.models import Attachment, Seat, Ticket, TimelineEntry
from feedback.tickets.sight import Sight, sight_of
from feedback.tickets.visibility import visible

A_DAY = timedelta(days=1)
NOTE = "note"


@dataclass(frozen=True)
class FileView:
    """A file as one reader may see it. `version` is its entry's; `problem` a code of files/cleaning.PROBLEMS."""

    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    state: str
    problem: str | None
    version: int
    at: datetime


def add_files(
    session: Session, ticket: Ticket, entry: TimelineEntry, files: Sequence[KeptFile], *, actor: Actor, now: datetime
) -> list[Attachment]:
    """Rows of kept files under a name that tells nothing of their sender. Raises Throttled above the day's amount."""
    check_amount(session, actor, sum(file.size for file in files), now)
    known = session.scalar(select(func.count()).where(Attachment.ticket_id == ticket.id)) or 0
    rows = [
        Attachment(
            ticket_id=ticket.id,
            timeline_id=entry.id,
            state=file.state,
            sha256=file.sha256,
            size=file.size,
            content_type=file.kind.content_type,
            name=f"{ticket.reference}-{number}.{file.kind.ending}",
            storage_key=file.key,
            created_at=now,
        )
        for number, file in enumerate(files, start=known + 1)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def check_amount(session: Session, actor: Actor, more: int, now: datetime) -> None:
    """Raise Throttled where a person would have sent more than MOST_BYTES_A_DAY within 24 hours."""
    sent, since = session.execute(
        select(func.sum(Attachment.size), func.min(Attachment.created_at))
        .join(TimelineEntry, TimelineEntry.id == Attachment.timeline_id)
        .outerjoin(Seat, Seat.id == TimelineEntry.seat_id)
        .where(
            Attachment.created_at > now - A_DAY,
            or_(Seat.submitter_key == actor.submitter_key, TimelineEntry.account_id == actor.account_id),
        )
    ).one()
    if (sent or 0) + more > MOST_BYTES_A_DAY:
        wait = int((since + A_DAY - now).total_seconds()) if sent else 0
        most = MOST_BYTES_A_DAY // 1_000_000
        raise Throttled(
            Text(
                N_("You have sent %(most)s MB of files within a day, which is the most. Send the rest later."),
                most=most,
            ),
            retry_after=max(1, wait),
        )


_FILES = select(Attachment).where(Attachment.ticket_id == bindparam("id")).order_by(Attachment.id)


def files_by_entry(session: Session, ticket: Ticket) -> Mapping[int, list[Attachment]]:
    """All files of a ticket by the id of their entry, whoever may see them."""
    found: dict[int, list[Attachment]] = defaultdict(list)
    for row in session.scalars(_FILES, {"id": ticket.id}):
        found[row.timeline_id].append(row)
    return found


def seen_files(entry: TimelineEntry, rows: Sequence[Attachment], sight: Sight, actor: Actor) -> tuple[FileView, ...]:
    """The files of an entry that this reader may have: their own in every state, others' when clean and meant for them."""
    if not rows:
        return ()
    is_mine = entry.seat_id in sight.seat_ids if entry.seat_id else entry.account_id == actor.account_id
    shows = sight.shows_words(is_public=entry.is_public, seat_id=entry.seat_id, action=entry.action) and (
        sight.is_staff or entry.action != NOTE
    )
    return tuple(_view(row, entry) for row in rows if is_mine or (shows and row.state == CLEAN))


def _view(row: Attachment, entry: TimelineEntry) -> FileView:
    return FileView(
        id=row.id,
        name=row.name,
        content_type=row.content_type,
        size=row.size,
        sha256=row.sha256,
        state=row.state,
        problem=row.problem,
        version=entry.version,
        at=row.created_at,
    )


def list_files(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> list[FileView]:
    """Every file of a ticket that this actor, who may see the ticket, may have."""
    by_entry = files_by_entry(session, ticket)
    if not by_entry:
        return []
    sight = sight_of(session, actor, ticket, now)
    entries = session.scalars(
        select(TimelineEntry).where(TimelineEntry.id.in_(by_entry)).order_by(TimelineEntry.version)
    )
    return [view for entry in entries for view in seen_files(entry, by_entry[entry.id], sight, actor)]


def find_file(session: Session, attachment_id: int, actor: Actor, now: datetime) -> tuple[FileView, str]:
    """A file that this actor may have, and its key in the store. Raises NotFound, the same for every other."""
    found = session.execute(
        select(Attachment, TimelineEntry, Ticket)
        .join(TimelineEntry, TimelineEntry.id == Attachment.timeline_id)
        .join(Ticket, Ticket.id == Attachment.ticket_id)
        .where(Attachment.id == attachment_id, Attachment.state.in_((CLEAN, PENDING)), visible(actor))
    ).first()
    if found is None:
        raise NotFound
    row, entry, ticket = found
    views = seen_files(entry, [row], sight_of(session, actor, ticket, now), actor)
    if not views:
        raise NotFound
    return views[0], row.storage_key
