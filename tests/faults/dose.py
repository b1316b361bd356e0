"""How much of a fault a run gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dose:
    """Kills (or rounds) of one fault; `size` is how many tickets where the fault asks for a number."""

    kills: int
    seed: int = 1
    size: int = 100
    longest_wait: float = 3.0
