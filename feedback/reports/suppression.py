"""Which cells must not be shown lest somebody who spoke in confidence be singled out. PURE."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

FEWEST = 5
"""A cell with a confidential ticket in it is shown only if it counts at least this many."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Cell:
    """How many a cell counts, and how many of these are confidential or anonymous."""

    size: int
    protected: int

    @property
    def is_telling(self) -> bool:
        """Whether showing it could single somebody out."""
        return self.protected > 0 and 0 < self.size < FEWEST


@dataclass(frozen=True)
class Hidden:
    """The keys whose cells are not shown, and whether the total isn't either."""

    keys: frozenset[object]
    total: bool


def hide(cells: Mapping[K, Cell], already: frozenset[object] = frozenset()) -> Hidden:
    """Which cells of one total to hide.

    What is hidden must not come out by taking the shown cells from the total: so at least two are hidden together, and
    at least FEWEST in all, the smallest ones first; where that can't be had, the total is hidden too. `already` are keys
    hidden for another reason.
    """
    hidden: set[K] = {key for key, cell in cells.items() if cell.is_telling or key in already}
    shown = sorted((k for k in cells if k not in hidden and cells[k].size), key=lambda k: (cells[k].size, str(k)))
    while _tells(cells, hidden):
        if not shown:
            return Hidden(frozenset(hidden), total=True)
        hidden.add(shown.pop(0))
    return Hidden(frozenset(hidden), total=False)


def _tells(cells: Mapping[K, Cell], hidden: set[K]) -> bool:
    """Whether the difference between the total and what is shown would single somebody out."""
    counted = [cells[key] for key in hidden if cells[key].size]
    if not any(cell.protected for cell in counted):
        return False
    return len(counted) < 2 or sum(cell.size for cell in counted) < FEWEST
