"""Tickets that say the same as a text, nearest first: candidates from the full-text index, then held against it exactly.

Only the rarest pairs of the text are looked up, each for its newest tickets alone: the work does not grow with the county.
A reader gets what they may see, and of other matters at most a summary that was published to their area.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.site import get_setting
from feedback.reading.views import UnitLabel, unit_labels
from feedback.tickets.likeness import MOST_CHARACTERS, Matter, distinct, folded, matter, wanted
from feedback.tickets.models import Message, Ticket
from feedback.tickets.search_index import newest_with
from feedback.tickets.seats import words_of_own
from feedback.tickets.summaries import JOINABLE, newest_summaries
from feedback.tickets.visibility import visible
from feedback.tickets.word_weights import Weights, get_weights

MOST_LOOKS, NEWEST = 96, 120
"""How many pairs are looked up, and how many tickets are taken of each."""
UNKNOWN_LOOKS = 16
"""So many of the looks are for pairs that were never counted: new names, if others raise them too."""
MOST_READ, FEWEST_LOOKS = 2_500, 12
"""The looks end where about so many entries of the index would be read, but not before so many looks."""
COMMON = 0.03
"""A pair that a larger share of all tickets has says nothing."""
CANDIDATES, COMPARED = 240, 60
MOST_SUMMARIES = 200
ALIKE = 0.12
"""From here on a page says of two tickets that they say the same."""
SUMMED_UP = 0.4
"""So much of a summary must stand in a text that says the same."""
LIMIT = 10


@dataclass(frozen=True)
class LookAlike:
    """A ticket that says the same as a text, and how much so (0 to 1).

    Of one that the reader may not see there is a published summary alone: then `title` is that, `token` joins by it, and
    nothing else is set.
    """

    title: str
    score: float
    reference: str | None = None
    token: str | None = None
    ticket_id: int | None = None
    source_id: str | None = None
    status: str | None = None
    unit: UnitLabel | None = None
    area: UnitLabel | None = None
    place: str | None = None
    submitted_at: datetime | None = None
    is_near: bool = False


@dataclass(frozen=True)
class Asked:
    """What others are held against: the words, and where it is if that is known. `ticket_id`: the ticket that says it."""

    title: str | None
    text: str
    area_id: int | None = None
    place: str | None = None
    ticket_id: int | None = None


def find_look_alikes(
    session: Session,
    actor: Actor,
    asked: Asked,
    *,
    now: datetime,
    least: float = ALIKE,
    limit: int = LIMIT,
    of_any_age: bool = False,
) -> list[LookAlike]:
    """What says the same and may still be joined, as this reader may see it: what lies near first, then the most alike.

    `least` is the score from which something counts. `of_any_age` takes closed, old and imported tickets too, and orders
    by score alone.
    """
    weights = get_weights(session)
    mine = matter(asked.title, asked.text, weights.weight)
    among = _candidates(session, weights, asked)
    since = None if of_any_age else now - timedelta(days=int(get_setting(session, "look_alike_days")))
    found = _seen(session, actor, among, since, mine, weights, asked)
    if not actor.is_system:
        found += _summaries(session, actor, weights, asked, known={one.ticket_id for one in found})
    found = [one for one in found if one.score >= (least if one.token is None else SUMMED_UP)]
    return sorted(found, key=lambda one: (not (one.is_near or of_any_age), -one.score))[:limit]


def say_the_same(
    session: Session, actor: Actor, ticket: Ticket, *, now: datetime, limit: int = LIMIT
) -> list[LookAlike]:
    """What says the same as a ticket that the reader may see."""
    asked = asked_of(session, ticket)
    return find_look_alikes(session, actor, asked, now=now, limit=limit) if asked else []


def asked_of(session: Session, ticket: Ticket) -> Asked | None:
    """A ticket's own words and place; None where its words are gone."""
    first = and_(Message.ticket_id == ticket.id, Message.version == 1, Message.is_current)
    words = session.execute(select(Message.title, Message.body).where(first)).first()
    if words is None:
        return None
    return Asked(words.title, words.body, area_id=ticket.area_id, place=ticket.place, ticket_id=ticket.id)


def chosen_pairs(weights: Weights, asked: Asked) -> list[str]:
    """The pairs that are looked up: the rarest of those that others have, and some that were never counted."""
    most = max(COMMON * weights.tickets, FEW)
    known: list[tuple[int, str]] = []
    unknown: list[str] = []
    for pair in distinct(asked.title, asked.text):
        count = weights.count(pair)
        if not count:
            unknown.append(pair)
        elif count <= most:
            known.append((count, pair))
    known.sort(key=lambda each: each[0])
    rest = unknown[: max(UNKNOWN_LOOKS, MOST_LOOKS - len(known))]
    chosen: list[str] = []
    to_read = 0.0
    for count, pair in known[: MOST_LOOKS - len(rest)]:
        to_read += count * weights.scale
        if to_read > MOST_READ and len(chosen) >= FEWEST_LOOKS:
            break
        chosen.append(pair)
    return [*rest, *chosen]


FEW = 20
"""A pair in no more tickets than these is looked up however large its share is."""


def _candidates(session: Session, weights: Weights, asked: Asked) -> list[int]:
    """The ids of the tickets that share the most of the rare pairs; the pair that fewer have counts more."""
    shared: defaultdict[int, float] = defaultdict(float)
    for ids in newest_with(session, chosen_pairs(weights, asked), NEWEST):
        weight = math.log((2 + max(weights.tickets, NEWEST)) / (1 + len(ids))) ** 2
        for ticket_id in ids:
            shared[ticket_id] += weight
    shared.pop(asked.ticket_id or 0, None)
    return sorted(shared, key=lambda ticket_id: (-shared[ticket_id], -ticket_id))[:CANDIDATES]


_COLUMNS = (
    Ticket.id,
    Ticket.reference,
    Ticket.source_id,
    Ticket.status,
    Ticket.area_id,
    Ticket.lead_unit_id,
    Ticket.place,
    Ticket.submitted_at,
)


def _seen(
    session: Session,
    actor: Actor,
    among: Sequence[int],
    since: datetime | None,
    mine: Matter,
    weights: Weights,
    asked: Asked,
) -> list[LookAlike]:
    if not among:
        return []
    rows = {row.id: row for row in session.execute(select(*_COLUMNS).where(Ticket.id.in_(among), visible(actor)))}
    if since is not None:  # looked at here: asked of the database, it would begin with all that is open
        rows = {row.id: row for row in rows.values() if row.status in JOINABLE and row.submitted_at >= since}
    nearest = [ticket_id for ticket_id in among if ticket_id in rows][:COMPARED]
    # Of a ticket that the reader joined they read their own words alone.
    words = _words(session, nearest) | words_of_own(session, actor.submitter_key, nearest)
    labels = unit_labels(session)
    found = []
    for ticket_id in nearest:
        if ticket_id in words:
            title, text = words[ticket_id]
            score = mine.likeness(title, text, weights.mean_square)
            found.append(_look_alike(rows[ticket_id], title, score, labels, asked))
    return found


def _words(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    query = select(Message.ticket_id, Message.title, func.substr(Message.body, 1, MOST_CHARACTERS).label("body"))
    query = query.where(Message.ticket_id.in_(ids), Message.version == 1, Message.is_current)
    return {row.ticket_id: (row.title or "", row.body) for row in session.execute(query)}


def _look_alike(row: Any, title: str, score: float, labels: Mapping[int, UnitLabel], asked: Asked) -> LookAlike:
    same_place = bool(asked.place) and row.place == asked.place
    return LookAlike(
        title=title,
        score=score,
        reference=row.reference,
        ticket_id=row.id,
        source_id=row.source_id,
        status=row.status,
        unit=labels.get(row.lead_unit_id),
        area=labels.get(row.area_id),
        place=row.place,
        submitted_at=row.submitted_at,
        is_near=same_place or (asked.area_id is not None and row.area_id == asked.area_id),
    )


def _summaries(
    session: Session, actor: Actor, weights: Weights, asked: Asked, known: set[int | None]
) -> list[LookAlike]:
    """Published summaries that say the same. They are held against it by their own words, never by the hidden text."""
    said = folded(f"{asked.title or ''}\n{asked.text}")
    return [
        LookAlike(
            title=row.text,
            score=wanted(row.text, weights.weight).share(said),
            token=row.token,
            is_near=row.area_id == asked.area_id,
        )
        for row in newest_summaries(session, actor, MOST_SUMMARIES)
        if row.ticket_id not in known and row.ticket_id != asked.ticket_id
    ]
