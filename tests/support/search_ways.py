"""Has a small site search in the ways that only a large one has reason to: whatever the way, the same is found."""

from __future__ import annotations

import pytest

from feedback.reading import full_text, starts

WAYS = (full_text.NAMED, full_text.NEAR, full_text.COMMON, full_text.LISTED)


def ask_in_one_way(patch: pytest.MonkeyPatch, way: str) -> None:
    """From now on every query of staff is asked in this way, and lists of common words are walked without a look."""
    patch.setattr(full_text, "MANY", 300 if way == full_text.NAMED else -1)
    patch.setattr(full_text, "most_near", lambda _session: 2_000 if way == full_text.NEAR else 0)
    patch.setattr(full_text, "FEWEST_OF_SAMPLE", 0 if way == full_text.COMMON else 1_000)
    for name in ("MOST_RANKED", "MOST_COUNTED_OF_COMMON"):
        patch.setattr(starts, name, -1)
