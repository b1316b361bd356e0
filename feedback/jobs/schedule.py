"""The periodic jobs, as one declared list: what, how often, and whether the scheduler does it itself where no worker does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Periodic:
    """A task of queues.TASKS that is put on its queue every so many seconds, if none of it waits there."""

    task: str
    every_seconds: float


def schedule(sweep_seconds: int) -> tuple[Periodic, ...]:
    """Everything that happens by itself; `sweep_seconds` is the SWEEP_SECONDS setting."""
    return (
        Periodic("sweep", sweep_seconds),
        Periodic("relay_due", sweep_seconds),
        Periodic("checkpoint", 300),
        Periodic("clean_files", 30),
        Periodic("tidy_files", 3600),
        Periodic("purge", 3600),
        Periodic("learn", 6 * 3600),
        Periodic("weigh_words", 1800),
        Periodic("find_hot_topics", 3600),
    )
