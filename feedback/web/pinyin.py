"""How Chinese names are typed on a Latin keyboard: full pinyin and first letters, with every reading of a character."""

from __future__ import annotations

import os
from functools import lru_cache

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
# Names need no dictionary of phrases: every reading counts, and without it the library takes 14 MB instead of 59.
from pypinyin import Style, pinyin

MOST_READINGS = 16


@lru_cache(maxsize=4096)
def spellings(name: str) -> tuple[str, ...]:
    """The full spellings of a name and those by first letters, in small letters; the usual reading comes first.

    `水务局` gives `shuiwuju` and `swj`. Names of many readings give the first sixteen. Empty for a name without Chinese.
    """
    if name.isascii():
        return ()
    readings = [
        [letter] if letter.isascii() else pinyin(letter, style=Style.NORMAL, heteronym=True)[0]
        for letter in name.casefold()
        if letter.isalnum()
    ]
    spelt = [("", "")]
    for syllables in readings:
        longer = [(full + s, short + s[:1]) for full, short in spelt for s in dict.fromkeys(syllables)]
        spelt = longer[:MOST_READINGS]
    return tuple(dict.fromkeys([*(full for full, _ in spelt), *(short for _, short in spelt)]))


def is_spelt(name: str, typed: str) -> bool:
    """Whether the letters typed begin one of the name's spellings (spaces and case don't count)."""
    wanted = "".join(typed.split()).casefold()
    return len(wanted) > 1 and wanted.isascii() and any(one.startswith(wanted) for one in spellings(name))
