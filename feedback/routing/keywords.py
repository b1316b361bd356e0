"""Which keywords speak in a text. Pure: texts in, words out; it knows no category's meaning and no database."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


def fold(text: str) -> str:
    """A text as words are looked for in it: half width, small letters, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True)
class Keyword:
    """A word that speaks for `owner`; `folded` is how it is looked for, `shown` how the catalogue writes it."""

    folded: str
    shown: str
    owner: int


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _places(text: str, word: str) -> list[tuple[int, int]]:
    """Where the word stands: half-open spans. One that begins with a Latin letter only counts where a word begins."""
    found = []
    at = text.find(word)
    while at >= 0:
        if not (at and _is_latin(word[0]) and _is_latin(text[at - 1])):
            found.append((at, at + len(word)))
        at = text.find(word, at + 1)
    return found


def hear(text: str, keywords: Iterable[Keyword]) -> dict[int, tuple[str, ...]]:
    """The words that speak in a text, as shown, by owner; the longest wins over one that lies inside it.

    Owners come in the order of how much of the text speaks for them, then by owner.
    """
    folded = fold(text)
    spans = [(begin, end, k) for k in keywords if k.folded in folded for begin, end in _places(folded, k.folded)]
    spans.sort(key=lambda span: (span[0], -span[1]))
    words: dict[int, dict[str, None]] = {}
    length: dict[int, int] = {}
    outer = (-1, -1)
    for begin, end, keyword in spans:
        is_inside = end < outer[1] or (end == outer[1] and begin > outer[0])
        if is_inside:
            continue
        outer = (begin, end)
        words.setdefault(keyword.owner, {})[keyword.shown] = None
        length[keyword.owner] = length.get(keyword.owner, 0) + end - begin
    return {owner: tuple(words[owner]) for owner in sorted(words, key=lambda o: (-length[o], o))}
