"""Where a found ticket speaks of what was asked: the sentence around the first hit, out of words this reader may read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, false, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.tickets.bigrams import Phrase, fold, phrases_of
from feedback.tickets.models import Message, Seat, Ticket, TimelineEntry
from feedback.tickets.visibility import SAME_ACTORS, sees_as_staff

BEFORE, AFTER = 40, 100
"""At most so many characters are shown before the first hit and from it on."""
_END = re.compile(r"[。！？!?；;\n]+|\.(?=\s|$)")
_CUT = "…"

Part = tuple[str, bool]


@dataclass(frozen=True)
class Snippet:
    """A piece of text in its parts; those with True are what was asked for."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "".join(text for text, _is_hit in self.parts)


def mark(text: str, phrases: Sequence[Phrase]) -> tuple[Part, ...]:
    """The text in parts, hits marked; one part where there is none."""
    parts: list[Part] = []
    done = 0
    for start, end in _spans(text, phrases):
        if start > done:
            parts.append((text[done:start], False))
        parts.append((text[start:end], True))
        done = end
    if done < len(text) or not parts:
        parts.append((text[done:], False))
    return tuple(parts)


def sentence_around(text: str, phrases: Sequence[Phrase]) -> Snippet | None:
    """The sentence in which the first hit stands, shortened around it; None without a hit."""
    first = next(iter(_spans(text, phrases)), None)
    if first is None:
        return None
    hit, hit_end = first
    begin = max((match.end() for match in _END.finditer(text, 0, hit)), default=0)
    ends = _END.search(text, hit_end)
    end = ends.end() if ends else len(text)
    opened, closed = begin < hit - BEFORE, end > max(hit + AFTER, hit_end)
    begin, end = max(begin, hit - BEFORE), min(end, max(hit + AFTER, hit_end))
    shown = " ".join(text[begin:end].split())
    return Snippet(mark(f"{_CUT if opened else ''}{shown}{_CUT if closed else ''}", phrases))


def snippets_of(session: Session, actor: Actor, tickets: Sequence[Any], query: str) -> Mapping[int, Snippet]:
    """By ticket that this actor may see (read with id and place): where it speaks of the query. One statement for all.

    A ticket that was found by its reference or title alone has none.
    """
    phrases = phrases_of(query)
    if not phrases or not tickets:
        return {}
    texts: dict[int, list[str]] = {ticket.id: [] for ticket in tickets}
    for ticket_id, body in session.execute(_readable(actor), {"ids": list(texts)}):
        texts[ticket_id].append(body)
    for ticket in tickets:
        texts[ticket.id].append(ticket.place or "")
    found = {ticket_id: _first(bodies, phrases) for ticket_id, bodies in texts.items()}
    return {ticket_id: snippet for ticket_id, snippet in found.items() if snippet}


@lru_cache(maxsize=SAME_ACTORS)
def _readable(actor: Actor) -> Select[int, str]:
    """The words of these tickets that the reader may read (sight.py's rule, but nothing said with a verdict), in order."""
    own_seats = select(Seat.id).where(Seat.submitter_key == actor.submitter_key)
    is_own = TimelineEntry.seat_id.in_(own_seats) if actor.submitter_key else false()
    is_for_all = and_(TimelineEntry.is_public, TimelineEntry.seat_id.is_(None))
    may_read = and_(TimelineEntry.action != "confirm", or_(is_for_all, is_own, sees_as_staff(actor)))
    ids: BindParameter[Any] = bindparam("ids", expanding=True)
    return (
        select(Message.ticket_id, Message.body)
        .join(Ticket, Message.ticket_id == Ticket.id)
        .join(
            TimelineEntry,
            and_(TimelineEntry.ticket_id == Message.ticket_id, TimelineEntry.version == Message.version),
        )
        .where(Message.ticket_id.in_(ids), Message.is_current, or_(Message.version == 1, may_read))
        .order_by(Message.ticket_id, Message.version)
    )


def _first(texts: Iterable[str], phrases: Sequence[Phrase]) -> Snippet | None:
    return next((snippet for text in texts if (snippet := sentence_around(text, phrases))), None)


def _spans(text: str, phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Where hits begin and end in the text, in order, those that touch joined."""
    folded, origin = _folded(text)
    found = sorted(
        (match.start(), match.end()) for phrase in phrases for match in re.finditer(phrase.pattern(), folded)
    )
    joined: list[tuple[int, int]] = []
    for start, end in ((origin[first], origin[last - 1] + 1) for first, last in found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the place in the text that it came from."""
    folded = fold(text)
    if len(folded) == len(text):
        return folded, range(len(text))
    pieces = [fold(character) for character in text]
    return "".join(pieces), [place for place, piece in enumerate(pieces) for _each in piece]
