"""What a text is made of for the category model: Han characters alone and in pairs, other words whole. Pure.

Training and every prediction go through here, so that both see the same. FEATURES grows when the answer changes: a model
trained on other features is then refused.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator

from feedback.routing.keywords import fold

FEATURES = 1
MOST_LETTERS = 6000
"""Letters of a text that are looked at; so a very long one costs no more than this."""
TITLE_WEIGHT = 4
"""How often each feature of the title counts: a title says in a few words what the matter is."""

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_RUN = re.compile(rf"([{_HAN}]+)|[^\W\d_{_HAN}]+")
_BLANK = re.compile(r"(?<![^\W_]) +| +(?![^\W_])" + rf"|(?<=[{_HAN}]) +| +(?=[{_HAN}])")


def key_of(word: str) -> int:
    """The number that stands for a word where many are kept: 32 bits, the same in every process."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def spans(folded: str) -> Iterator[tuple[int, int]]:
    """Where the features of a folded text stand: half-open spans, in the order of the text."""
    for run in _RUN.finditer(folded):
        begin, end = run.span()
        if run[1] is None:
            yield begin, end
            continue
        for at in range(begin, end):
            yield at, at + 1
            if at + 1 < end:
                yield at, at + 2


def prepared(text: str) -> str:
    """A text as its features are looked for in it: folded and cut to MOST_LETTERS."""
    return fold(text[:MOST_LETTERS])


def join_tokens(tokens: str) -> str:
    """A text that was cut into words, put together again; a blank stays only between words of letters."""
    return _BLANK.sub("", " ".join(tokens.split()))


def count_features(text: str, title: str = "") -> Counter[int]:
    """How often each feature occurs, by key; those of the title count TITLE_WEIGHT times."""
    keys: Counter[int] = Counter()
    for word, number in count_words(text, title).items():
        keys[key_of(word)] += number
    return keys


def count_words(text: str, title: str = "") -> Counter[str]:
    """The same by the feature as it is written."""
    found = _count_words(prepared(text))
    if title:
        for word, number in _count_words(prepared(title)).items():
            found[word] += number * TITLE_WEIGHT
    return found


def _count_words(folded: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for run in _RUN.finditer(folded):
        word = run[0]
        if run[1] is None:
            found[word] += 1
        else:
            found.update(word)
            found.update([word[at : at + 2] for at in range(len(word) - 1)])
    return found
