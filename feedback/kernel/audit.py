"""Who did what to what: entries chained per stream by HMAC, heads gathered in chained checkpoints. Ids and digests, never texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint, bindparam, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel import keyring
from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.transaction import before_commit

OVERLAP = timedelta(minutes=10)


class AuditEntry(Base):
    """One act; the database refuses to change or delete a row (migrations/).

    `stream` is what it concerns: `ticket:12`, `account:7`, `settings`.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (UniqueConstraint("stream", "seq"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    stream: Mapped[str] = mapped_column(String(60))
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    prev_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))


class AuditCheckpoint(Base):
    """The heads of the streams that changed since the last one, chained; so a whole stream can't vanish unnoticed."""

    __tablename__ = "audit_checkpoint"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    heads: Mapped[dict[str, Any]] = mapped_column(JSON)
    prev_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64), unique=True)


def digest(text: str) -> str:
    """A digest that shows later whether a text was altered, without keeping it (keyed, so that short texts can't be guessed)."""
    return keyring.mac("audit.digest", text)[:32]


def _canonical(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def mac_of(entry: AuditEntry) -> str:
    """The seal of an entry over all it says and over the one before it."""
    at = entry.at.astimezone(UTC).isoformat()
    return seal_of(entry.stream, entry.seq, at, entry.actor, entry.action, _canonical(entry.facts), entry.prev_mac)


def seal_of(stream: str, seq: int, at: str, actor: str, action: str, facts: str, prev_mac: str) -> str:
    """The seal from its parts, for rows written in bulk: `at` in UTC as ISO tells it, `facts` as `_canonical` writes them."""
    return keyring.mac("audit", stream, seq, at, actor, action, facts, prev_mac)


def record(
    session: Session,
    stream: str,
    *,
    actor: str,
    action: str,
    now: datetime,
    facts: dict[str, Any] | None = None,
    is_first: bool = False,
) -> None:
    """Add an entry to the stream's chain in the present transaction, at whose end it is written with its others.

    `is_first`: what it concerns was made just now. The caller holds the lock of what the stream concerns (the ticket's
    row); a race would fail on (stream, seq).
    """
    heads: dict[str, tuple[int, str]] = session.info.get(_HEADS, {})
    seq, mac = heads.get(stream, (0, ""))
    if stream not in heads and not is_first:
        seq, mac = _head(session, stream)
    at = now.astimezone(UTC).isoformat()
    facts = facts or {}
    seal = seal_of(stream, seq + 1, at, actor, action, _canonical(facts), mac)
    entry = {
        "stream": stream,
        "seq": seq + 1,
        "at": now,
        "actor": actor,
        "action": action,
        "facts": facts,
        "prev_mac": mac,
        "mac": seal,
    }
    if not session.info.get("writing"):
        session.add(AuditEntry(**entry))
        return
    session.info.setdefault(_HEADS, {})[stream] = (seq + 1, seal)
    session.info.setdefault(_PLACE, []).append(entry)


_PLACE, _HEADS = "audit entries", "audit heads"
"""What the open transaction is about to write, and number and seal of the newest of each stream among it."""


def _write_entries(session: Session) -> None:
    entries = session.info.pop(_PLACE, ())
    if entries:
        session.connection().execute(_ADDED, entries)


before_commit(_write_entries)
_ADDED = insert(AuditEntry)
_LAST = (
    select(AuditEntry.seq, AuditEntry.mac)
    .where(AuditEntry.stream == bindparam("stream"))
    .order_by(AuditEntry.seq.desc())
    .limit(1)
)


def _head(session: Session, stream: str) -> tuple[int, str]:
    """Number and seal of the newest entry of a stream; (0, "") for one that begins."""
    last = session.execute(_LAST, {"stream": stream}).first()
    return (last.seq, last.mac) if last else (0, "")


def _checkpoint_mac(checkpoint: AuditCheckpoint) -> str:
    at = checkpoint.at.astimezone(UTC).isoformat()
    return keyring.mac("audit.checkpoint", at, _canonical(checkpoint.heads), checkpoint.prev_mac)


def add_checkpoint(session: Session, *, now: datetime) -> AuditCheckpoint | None:
    """Chain the heads of the streams that changed since the last checkpoint; None when none did.

    The entries of OVERLAP before it are looked at again: a slow transaction may have committed them since.
    """
    _write_entries(session)
    last = session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.id.desc()).limit(1)).first()
    known = last.heads if last else {}
    query = select(AuditEntry.stream, AuditEntry.seq, AuditEntry.mac).order_by(AuditEntry.stream, AuditEntry.seq)
    if last:
        query = query.where(AuditEntry.at > last.at - OVERLAP)
    heads: dict[str, Any] = {stream: [seq, mac] for stream, seq, mac in session.execute(query)}
    if all(known.get(stream) == head for stream, head in heads.items()):
        return None
    checkpoint = AuditCheckpoint(at=now, heads=heads, prev_mac=last.mac if last else "")
    checkpoint.mac = _checkpoint_mac(checkpoint)
    session.add(checkpoint)
    session.flush()
    return checkpoint


def verify(session: Session) -> Iterator[str]:
    """Yield a line for each thing that does not hold; nothing when the whole trail is whole."""
    macs: dict[tuple[str, int], str] = {}
    expected: dict[str, tuple[int, str]] = {}
    for entry in session.scalars(
        select(AuditEntry).order_by(AuditEntry.stream, AuditEntry.seq).execution_options(yield_per=1000)
    ):
        seq, prev = expected.get(entry.stream, (0, ""))
        if entry.seq != seq + 1:
            yield f"{entry.stream} seq {seq + 1}: missing (next found is {entry.seq})"
        elif entry.prev_mac != prev:
            yield f"{entry.stream} seq {entry.seq}: does not follow seq {seq}"
        elif mac_of(entry) != entry.mac:
            yield f"{entry.stream} seq {entry.seq}: altered"
        expected[entry.stream] = (entry.seq, entry.mac)
        macs[entry.stream, entry.seq] = entry.mac
    prev = ""
    for checkpoint in session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.id)):
        if checkpoint.prev_mac != prev or _checkpoint_mac(checkpoint) != checkpoint.mac:
            yield f"checkpoint {checkpoint.id}: altered or out of order"
        for stream, (seq, mac) in checkpoint.heads.items():
            if macs.get((stream, seq)) != mac:
                yield f"checkpoint {checkpoint.id}: {stream} seq {seq} is gone or altered"
        prev = checkpoint.mac


def count_entries(session: Session) -> int:
    """How many entries the trail holds."""
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def content_digest(data: bytes) -> str:
    """SHA-256 of bytes, as hex (idempotency bodies, files)."""
    return hashlib.sha256(data).hexdigest()
