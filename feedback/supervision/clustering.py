"""Which of many texts raise the same matter: average linkage over the rare pairs of characters that they share. Pure.

Two groups are put together while their members are alike on average, so that a chain of half-alike texts does not grow into
one heap. Pairs that many texts have are left out: they cost the most and say the least.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from feedback.tickets.bigrams import pairs_of

ALIKE_ON_AVERAGE = 0.065
"""Groups are put together down to this likeness (0 to 1)."""
COMMON = 0.04
"""A pair that a larger share of the texts has is left out."""
FEWEST_COMMON = 200
"""But not where it is in no more texts than these."""
WORTH_KEEPING = 0.03
MOST_CHARACTERS = 1_000

Postings = defaultdict[str, list[tuple[int, float]]]
Parts = tuple[Counter[str], Counter[str]]
NOTHING: Parts = (Counter(), Counter())


@dataclass(frozen=True)
class Said:
    """A title and a text."""

    title: str
    text: str


def cluster(all_said: Sequence[Said], *, least: float = ALIKE_ON_AVERAGE) -> list[list[int]]:
    """Groups of texts that raise the same matter, by their places in the sequence; the largest first, lone ones too."""
    parts = [(Counter(pairs_of(s.title)), Counter(pairs_of(s.text[:MOST_CHARACTERS]))) for s in all_said]
    return sorted(_join(_likenesses(parts), least), key=lambda members: (-len(members), members[0]))


def _likenesses(parts: list[Parts]) -> list[dict[int, float]]:
    """For each text the mean of the cosines of title and text with every other that shares rare pairs with it.

    It empties `parts` as it goes, so that not everything is held at once.
    """
    total = len(parts)
    frequency: Counter[str] = Counter()
    for title, text in parts:
        frequency.update(title.keys() | text.keys())
    most = max(COMMON * total, FEWEST_COMMON)
    weights = {pair: math.log((1 + total) / (1 + times)) + 1 for pair, times in frequency.items()}
    postings: tuple[Postings, Postings] = (defaultdict(list), defaultdict(list))
    found: list[dict[int, float]] = []
    for place in range(total):
        mine: defaultdict[int, float] = defaultdict(float)
        for part, there in zip(parts[place], postings, strict=True):
            raw = {pair: (1 + math.log(times)) * weights[pair] for pair, times in part.items()}
            length = math.sqrt(2 * sum(weight * weight for weight in raw.values())) or 1.0
            for pair, heavy in raw.items():
                if 2 <= frequency[pair] <= most:
                    weight = heavy / length
                    for other, its_weight in there[pair]:
                        mine[other] += weight * its_weight
                    there[pair].append((place, weight))
        parts[place] = NOTHING
        found.append({other: value for other, value in mine.items() if value >= WORTH_KEEPING})
    return _to_both_sides(found)


def _to_both_sides(earlier: Sequence[dict[int, float]]) -> list[dict[int, float]]:
    both: list[dict[int, float]] = [{} for _ in earlier]
    for place, others in enumerate(earlier):
        for other, value in others.items():
            both[place][other] = both[other][place] = value
    return both


def _join(alike: list[dict[int, float]], least: float) -> list[list[int]]:
    """Average linkage: `alike` holds sums of likenesses between groups; what is not in it counts as nothing alike."""
    members: dict[int, list[int]] = {place: [place] for place in range(len(alike))}
    sums = dict(enumerate(alike))
    waiting = [(-value, one, other) for one, others in sums.items() for other, value in others.items() if one < other]
    waiting = [each for each in waiting if -each[0] >= least]
    heapq.heapify(waiting)
    fresh = len(alike)
    while waiting:
        _, one, other = heapq.heappop(waiting)
        if one not in sums or other not in sums:
            continue
        first, second = sums.pop(one), sums.pop(other)
        if len(first) < len(second):
            first, second = second, first
        for third, value in second.items():
            first[third] = first.get(third, 0.0) + value
        first.pop(one, None)
        first.pop(other, None)
        members[fresh] = members.pop(one) + members.pop(other)
        size = len(members[fresh])
        for third, value in first.items():
            its = sums[third]
            its.pop(one, None)
            its.pop(other, None)
            its[fresh] = value
            average = value / (size * len(members[third]))
            if average >= least:
                heapq.heappush(waiting, (-average, third, fresh))
        sums[fresh] = first
        fresh += 1
    return [sorted(found) for found in members.values()]
