"""A file that comes by itself: it joins what its sender just said on the ticket, or is a word of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.files.kinds import MOST_FILES
from feedback.files.refusals import UnfitFile
from feedback.files.uploads import KeptFile
from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.idempotency import Once, again_if_raced
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.tickets.attachments import add_files
from feedback.tickets.hold import Held, hold_ticket
from feedback.tickets.lifecycle import WAITING
from feedback.tickets.models import Attachment, Message, TimelineEntry
from feedback.tickets.transition import actor_name, perform
from feedback.tickets.visibility import get_ticket, standings

JOINS_WITHIN = timedelta(hours=1)
"""For how long a file still belongs to what its sender said last. Later it is a word of its own, of which others hear."""


@dataclass(frozen=True)
class Attached:
    """A file on a ticket. `is_new` is False where the same file was there already: then the new bytes are not needed."""

    id: int
    is_new: bool


def check_may_attach(session: Session, reference: str, actor: Actor, now: datetime) -> None:
    """Raise what `attach_file` would raise before it looks at a file: NotFound, Forbidden, Conflict. Writes nothing."""
    _hold(session, reference, actor, now, is_reading=True)


def attach_file(reference: str, file: KeptFile, *, actor: Actor, now: datetime, once: Once | None = None) -> Attached:
    """Put a kept file on a ticket. The same bytes from the same sender are put there once.

    Whoever raised it may where they may comment, staff where they may write a note. Raises NotFound, Forbidden, Conflict,
    Invalid (too many files with one entry), Throttled above the day's amount.
    """

    def write() -> Attached:
        with transaction() as session:
            earlier = once.find(session, now) if once else None
            held = _hold(session, reference, actor, now)
            there = _same_file(held, file.sha256)
            if there is not None:
                return Attached(there, is_new=False)
            attached = _attach(held, file)
            if once and not earlier:
                once.keep(session, held.ticket.reference, held.ticket.version, now)
            return Attached(attached, is_new=True)

    return again_if_raced(once, write)


def _hold(session: Session, reference: str, actor: Actor, now: datetime, *, is_reading: bool = False) -> Held:
    ticket = get_ticket(session, actor, reference)
    mine = standings(session, actor, ticket, now)
    action = "comment" if any(standing.relation == "own" for standing in mine) else "note"
    held = hold_ticket(session, reference, action, actor=actor, now=now)
    if is_reading:
        session.rollback()
    return held


def _own_entries(held: Held) -> Iterable[TimelineEntry]:
    """What the sender said on this ticket, the newest first."""
    mine = (
        TimelineEntry.seat_id == held.standing.seat_id
        if held.standing.seat_id is not None
        else TimelineEntry.account_id == held.actor.account_id
    )
    return held.session.scalars(
        select(TimelineEntry)
        .where(TimelineEntry.ticket_id == held.ticket.id, mine)
        .order_by(TimelineEntry.version.desc())
    )


def _same_file(held: Held, sha256: str) -> int | None:
    entry_ids = [entry.id for entry in _own_entries(held)]
    return held.session.scalar(
        select(Attachment.id).where(Attachment.timeline_id.in_(entry_ids), Attachment.sha256 == sha256)
    )


def _attach(held: Held, file: KeptFile) -> int:
    entry = _entry_to_join(held)
    if entry is None:
        held.files = (file,)
        entry = perform(held)
        return held.session.scalars(select(Attachment.id).where(Attachment.timeline_id == entry.id)).one()
    (row,) = add_files(held.session, held.ticket, entry, [file], actor=held.actor, now=held.now)
    audit.record(
        held.session,
        f"ticket:{held.ticket.id}",
        actor=actor_name(held),
        action="attach",
        now=held.now,
        facts={"attachment": row.id, "entry": entry.version, "sha256": row.sha256, "channel": held.actor.channel},
    )
    return row.id


def _entry_to_join(held: Held) -> TimelineEntry | None:
    """The sender's last word, if it is fresh and no question waits for a new one. Raises UnfitFile where it is full."""
    if held.standing.seat_id is not None and held.ticket.status == WAITING:
        return None
    newest = next(
        (entry for entry in _own_entries(held) if entry.at > held.now - JOINS_WITHIN and _says_something(held, entry)),
        None,
    )
    if newest is None or newest.round != held.ticket.round:
        return None
    known = held.session.scalar(select(func.count()).where(Attachment.timeline_id == newest.id)) or 0
    if known >= MOST_FILES:
        raise UnfitFile(
            Text(
                N_("%(most)s files are the most for one word. Say something more, then send the others."),
                most=MOST_FILES,
            )
        )
    return newest


def _says_something(held: Held, entry: TimelineEntry) -> bool:
    """It has words or files: to a mere step (a signature, a dispatch) nothing is attached."""
    words = select(Message.id).where(Message.ticket_id == entry.ticket_id, Message.version == entry.version)
    files = select(Attachment.id).where(Attachment.timeline_id == entry.id)
    return held.session.scalar(words.limit(1)) is not None or held.session.scalar(files.limit(1)) is not None
