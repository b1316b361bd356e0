"""Groups of like texts, found by a process of its own: `python -m feedback.supervision.grouping`, texts in, groups out.

What it needs while it works, some hundreds of MiB, goes back to the system with its end. A few texts are grouped right here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator

from feedback.kernel.apart import limit_self, run_apart
from feedback.supervision.clustering import Said, cluster

MODULE = "feedback.supervision.grouping"
FEW = 300
"""So many texts are not worth a process."""
SECONDS = 240
MEMORY_BYTES = 2_000_000_000


def group(texts: Iterable[Said]) -> list[list[int]]:
    """`cluster`, with no more memory here than a text takes at a time. Raises ChildFailed."""
    first: list[Said] = []
    rest = iter(texts)
    for said in rest:
        first.append(said)
        if len(first) > FEW:
            return _in_child(_all(first, rest))
    return cluster(first)


def _all(first: list[Said], rest: Iterator[Said]) -> Iterator[Said]:
    yield from first
    first.clear()
    yield from rest


def _in_child(texts: Iterable[Said]) -> list[list[int]]:
    lines = (json.dumps([said.title, said.text]).encode() + b"\n" for said in texts)
    found: list[list[int]] = json.loads(run_apart(MODULE, lines, seconds=SECONDS))
    return found


def main() -> None:
    """Read texts as lines of JSON, write the groups."""
    limit_self(SECONDS, MEMORY_BYTES)
    json.dump(cluster([Said(*json.loads(line)) for line in sys.stdin.buffer]), sys.stdout)


if __name__ == "__main__":
    main()
