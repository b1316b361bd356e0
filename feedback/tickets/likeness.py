"""How like two texts are: by the pairs of characters and the words that they share, the rarer the weightier. Pure.

A matter is known by its rare pairs, which are mostly names of places. Title and text are compared each for itself. The
measure is the cosine of both, with the length of the other text taken for what a text so long usually weighs: so nothing
but the words that are asked for needs to be looked for in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feedback.tickets.bigrams import fold, pairs_of

MOST_CHARACTERS = 1_000
"""Of a text; what comes after them is not compared."""
LONGEST_TITLE = 200

Weigh = Callable[[str], float]
"""How rare a pair is; 1 for what stands everywhere."""


@dataclass(frozen=True)
class Wanted:
    """The pairs of a text with the squares of their weights, and what all of them come to."""

    pairs: tuple[tuple[str, float], ...]
    words: dict[str, float]
    """Those of Latin letters and figures, which must stand there as whole words."""
    pattern: re.Pattern[str] | None
    """Finds them."""
    length: float

    def share(self, folded: str) -> float:
        """How much of the weight stands in another text, from 0 to 1."""
        return min(1.0, self._found(folded) / self.length**2) if self.length else 0.0

    def likeness(self, folded: str, mean_square: float) -> float:
        """How like another text is, from 0 to 1. `mean_square` is that of the weights of usual texts."""
        usual = self.length * math.sqrt(mean_square * _pieces(folded))
        return min(1.0, self._found(folded) / usual) if usual else 0.0

    def _found(self, folded: str) -> float:
        found = sum([square for pair, square in self.pairs if pair in folded])
        if self.pattern is not None:
            found += sum(self.words[word] for word in set(self.pattern.findall(folded)))
        return found


@dataclass(frozen=True)
class Matter:
    """A title and a text to be held against others; both the same where something was said without a title."""

    title: Wanted
    text: Wanted

    def likeness(self, title: str, text: str, mean_square: float) -> float:
        """The mean of how like the titles and how like the texts are, from 0 to 1."""
        in_title = self.title.likeness(title.casefold(), mean_square)
        return (in_title + self.text.likeness(text.casefold(), mean_square)) / 2


def _pieces(text: str) -> float:
    """About how many pairs and words a text has: what UTF-8 writes in three bytes is a character of Chinese."""
    return (len(text.encode("utf-8", "surrogatepass")) - len(text)) / 2 + text.count(" ") + 1


def split_title(words: str) -> tuple[str | None, str]:
    """Title and text of what stands in one piece: a short first line is the title of what follows it."""
    first, _, rest = words.strip().partition("\n")
    if rest.strip() and len(first) <= LONGEST_TITLE:
        return first, rest
    return None, words


def wanted(text: str, weigh: Weigh) -> Wanted:
    """A text as what is looked for in others."""
    squares = {pair: weigh(pair) ** 2 for pair in pairs_of(text[:MOST_CHARACTERS])}
    words = {pair: square for pair, square in squares.items() if pair.isascii()}
    return Wanted(
        pairs=tuple((pair, square) for pair, square in squares.items() if pair not in words),
        words=words,
        pattern=re.compile(f"(?<![0-9a-z])(?:{'|'.join(words)})(?![0-9a-z])") if words else None,
        length=math.sqrt(sum(squares.values())),
    )


def matter(title: str | None, text: str, weigh: Weigh) -> Matter:
    """A title and a text, ready to be held against others. Without a title all of it is held against titles too."""
    body = wanted(text, weigh)
    return Matter(body if title is None else wanted(title, weigh), body)


def distinct(title: str | None, text: str) -> Iterator[str]:
    """Each pair once, those of the title first."""
    yield from dict.fromkeys((*pairs_of(title or ""), *pairs_of(text[:MOST_CHARACTERS])))


def folded(text: str) -> str:
    """A text as `share` and `likeness` look into it."""
    return fold(text[:MOST_CHARACTERS])
