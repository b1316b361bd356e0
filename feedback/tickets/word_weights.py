"""How common each pair of characters is among the newest tickets: what look-alikes and topics are weighed by.

One row, packed; a job writes it anew as tickets come. Where it is missing or old everything still works, only less sharply:
what it does not know counts as rare.
"""

from __future__ import annotations

import math
import sys
import zlib
from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import LargeBinary, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.reference import kept, watch
from feedback.kernel.transaction import transaction
from feedback.routing.features import key_of
from feedback.tickets.likeness import MOST_CHARACTERS, distinct
from feedback.tickets.models import Message, Ticket

MOST_TICKETS = 10_000
"""The newest of them are counted."""
MOST_PAIRS = 150_000
FEWEST = 2
"""A pair that one ticket alone has is not kept: it is rare."""
GROWN = 1.1
"""The row is written anew when there are so many times as many tickets as when it was written."""
BATCH = 500


class WordWeights(Base):
    """In how many of `tickets` each pair stands: packed numbers, by the CRC-32 of the pair, sorted."""

    __tablename__ = "word_weights"

    id: Mapped[int] = mapped_column(primary_key=True)
    tickets: Mapped[int]
    mean_square: Mapped[float]
    newest_message: Mapped[int] = mapped_column(Id)
    made_at: Mapped[datetime] = mapped_column(Instant)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


watch(WordWeights.__table__)


@dataclass(frozen=True)
class Weights:
    """In how many of so many tickets a pair stands; `mean_square` is that of the weights of all their pairs."""

    tickets: int
    mean_square: float
    scale: float
    """How many times as many tickets there are as were counted."""
    keys: array[int]
    counts: array[int]

    def count(self, pair: str) -> int:
        """In how many tickets it stands; 0 for one that stands in a single one or in none."""
        key = key_of(pair)
        place = bisect_left(self.keys, key)
        return self.counts[place] if place < len(self.keys) and self.keys[place] == key else 0

    def weight(self, pair: str) -> float:
        """The rarer, the higher: 1 for what stands in every ticket."""
        return weight_of(max(self.count(pair), 1), self.tickets) if self.tickets else 1.0


def weight_of(count: int, tickets: int) -> float:
    """What a pair weighs that stands in `count` of so many tickets."""
    return math.log((1 + tickets) / (1 + count)) + 1


def get_weights(session: Session) -> Weights:
    """The weights as they were last written; none known on a new site. To be read only."""
    return kept(session, "word_weights", _read)


def _read(session: Session) -> Weights:
    row = session.execute(select(WordWeights.tickets, WordWeights.mean_square, WordWeights.packed)).first()
    if row is None:
        return Weights(0, 1.0, 1.0, array("I"), array("I"))
    numbers = array("I", zlib.decompress(row.packed))
    if sys.byteorder == "big":
        numbers.byteswap()
    half = len(numbers) // 2
    scale = max(1.0, (session.scalar(select(func.max(Ticket.id))) or 0) / max(row.tickets, 1))
    return Weights(row.tickets, row.mean_square, scale, numbers[:half], numbers[half:])


def renew_weights(now: datetime, *, always: bool = False) -> int | None:
    """Count the pairs of the newest tickets anew, unless hardly any came since; gives how many tickets were counted.

    None where nothing was to do. It reads without holding anything up, and writes one row.
    """
    with transaction() as session:
        newest = session.scalar(select(func.max(Message.id)).where(Message.version == 1)) or 0
        before = session.get(WordWeights, 1)
        if before is not None and not always and newest <= before.newest_message * GROWN:
            return None
    counts, tickets = _count(session)
    stand = sum(counts.values())
    square = sum(times * weight_of(times, tickets) ** 2 for times in counts.values())
    frequent = [(key, times) for key, times in counts.most_common(MOST_PAIRS) if times >= FEWEST]
    frequent.sort()
    numbers = array("I", [key for key, _ in frequent])
    numbers.extend(times for _, times in frequent)
    if sys.byteorder == "big":
        numbers.byteswap()
    with transaction() as session:
        row = WordWeights(
            id=1,
            tickets=tickets,
            mean_square=square / stand if stand else 1.0,
            newest_message=newest,
            made_at=now,
            packed=zlib.compress(numbers.tobytes()),
        )
        session.merge(row)
    return tickets


def _count(session: Session) -> tuple[Counter[int], int]:
    """In how many of the newest tickets each pair stands, by its number; and how many tickets those are."""
    counts: Counter[int] = Counter()
    tickets, before = 0, None
    while tickets < MOST_TICKETS:
        query = select(Message.id, Message.title, func.substr(Message.body, 1, MOST_CHARACTERS).label("body"))
        query = query.where(Message.version == 1, Message.is_current).order_by(Message.id.desc()).limit(BATCH)
        rows = session.execute(query.where(Message.id < before) if before is not None else query).all()
        for row in rows:
            counts.update(key_of(pair) for pair in distinct(row.title, row.body))
        tickets += len(rows)
        if len(rows) < BATCH:
            break
        before = rows[-1].id
    return counts, tickets
