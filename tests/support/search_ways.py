"""Has a small site search in the ways that only a large one has reason to: whatever the way, the same is found."""

from __future__ import annotations

import pytest

from feedback.reading import full_text, starts

WAYS = (full_text.NAMED, full_text.NEAR, full_text.COMMON, full_text.LISTED)
LOOKED, CUT, MANY = " whole", " cut", " many"
"""Of a way: a list of a common word is looked into to its end, or is too long for that; hits are too many to be told."""
ALL_WAYS = (
    *WAYS,
    full_text.COMMON + LOOKED,
    full_text.COMMON + CUT,
    *(way + MANY for way in (full_text.NAMED, full_text.NEAR, full_text.LISTED)),
    full_text.COMMON + LOOKED + MANY,
)


def ask_in_one_way(patch: pytest.MonkeyPatch, asked: str) -> None:
    """From now on every query of staff is asked in this way, and lists of common words are walked without a look."""
    way = asked.split()[0]
    patch.setattr(starts, "MOST_FOUND", -1 if MANY in asked else 1_000)
    if way != asked and way == full_text.COMMON:
        patch.setattr(full_text, "MANY", -1)
        patch.setattr(full_text, "most_near", lambda _session: 0)
        patch.setattr(full_text, "FEWEST_OF_SAMPLE", 0)
        patch.setattr(starts, "_most_of_list", lambda _session, _whole: 1 if CUT in asked else 1_000)
        patch.setattr(starts, "MOST_RANKED", 200)
        patch.setattr(starts, "MOST_COUNTED_OF_COMMON", 50)
        return
    patch.setattr(full_text, "MANY", 300 if way == full_text.NAMED else -1)
    patch.setattr(full_text, "most_near", lambda _session: 2_000 if way == full_text.NEAR else 0)
    patch.setattr(full_text, "FEWEST_OF_SAMPLE", 0 if way == full_text.COMMON else 1_000)
    for name in ("MOST_RANKED", "MOST_COUNTED_OF_COMMON"):
        patch.setattr(starts, name, -1)
