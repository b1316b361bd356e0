"""Texts cut into the words that the search index holds, and queries into phrases of such words. Pure; no database here.

Chinese has no spaces: a run of characters becomes each pair of neighbours and its last one alone, so that every character
begins a word and a search for any part of a run is an exact phrase. Other words and numbers stay whole and are found by
how they begin. Both sides are folded alike (NFKC, no case), so SQLite and PostgreSQL only ever compare plain words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_WORD = 60
MOST_PHRASES = 20

_NO_SPACES = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
"""Han, kana, bopomofo, Yi and Hangul: scripts whose words are not (or not surely) parted by spaces."""
_RUN = re.compile(rf"([{_NO_SPACES}]+)|([^\W_{_NO_SPACES}]+)")
_STARTS_WORD = rf"(?<![^\W_{_NO_SPACES}])"


@dataclass(frozen=True)
class Run:
    """Folded characters of one kind that stand together."""

    text: str
    is_chinese: bool


@dataclass(frozen=True)
class Phrase:
    """What stands between two spaces of a query: words that must follow each other; the last may only be begun."""

    words: tuple[str, ...]
    is_begun: bool
    runs: tuple[Run, ...]

    def pattern(self) -> str:
        """A regular expression that finds the phrase in a folded text."""
        found, before = "", None
        for run in self.runs:
            if before is not None:
                found += r"[\W_]*" if run.is_chinese or before.is_chinese else r"[\W_]+"
            found += ("" if run.is_chinese or before is not None else _STARTS_WORD) + re.escape(run.text)
            before = run
        return found


def fold(text: str) -> str:
    """The text without what makes no difference to a search: width, ligatures, case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words_of(text: str) -> Iterator[str]:
    """The words of a text, in their order, as the index holds them."""
    for run in _runs_of(text):
        yield from _words_of_run(run)


def pairs_of(text: str) -> Iterator[str]:
    """The words of a text that say what it is about: pairs of characters and whole words, no character alone."""
    for match in _RUN.finditer(fold(text)):
        if match[1]:
            yield from _pairs(match[1])
        else:
            yield match[2][:LONGEST_WORD]


def phrases_of(query: str) -> tuple[Phrase, ...]:
    """What a query asks for: each phrase once, at most MOST_PHRASES; none where it holds neither letter nor number."""
    found: dict[tuple[str, ...], Phrase] = {}
    for part in query.split():
        runs = tuple(_runs_of(part))
        if not runs:
            continue
        last = runs[-1]
        is_begun = len(last.text) == 1 or not last.is_chinese
        words = [word for run in runs[:-1] for word in _words_of_run(run)]
        words += [last.text] if is_begun else _pairs(last.text)
        found.setdefault(tuple(words), Phrase(tuple(words), is_begun, runs))
    return tuple(found.values())[:MOST_PHRASES]


def _runs_of(text: str) -> Iterator[Run]:
    for match in _RUN.finditer(fold(text)):
        yield Run(match[0][:LONGEST_WORD] if match[2] else match[0], bool(match[1]))


def _words_of_run(run: Run) -> list[str]:
    return [*_pairs(run.text), run.text[-1]] if run.is_chinese else [run.text]


def _pairs(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(len(text) - 1)]
