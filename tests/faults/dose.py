"""How much of a fault a run gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dose:
    """Kills (or rounds) of one fault; `size` is how many tickets where the fault asks for a number.

    `has_files` (F1): tickets come with files. `kinds` (F4): these alone, by turns; `away`: seconds of its long outage.
    """

    kills: int
    seed: int = 1
    size: int = 100
    longest_wait: float = 3.0
    has_files: bool = False
    kinds: tuple[str, ...] = ()
    away: float = 8.0
