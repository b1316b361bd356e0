"""Groups of like texts, found by a process of its own: `python -m feedback.supervision.grouping`, texts in, groups out.

What it needs while it works, some hundreds of MiB, goes back to the system with its end. A few texts are grouped right here.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from feedback.settings import ROOT
from feedback.supervision.clustering import Said, cluster

FEW = 300
SECONDS = 240
MEMORY_BYTES = 2_000_000_000
NICE = 5
"""Whoever waits for a page comes first."""
_FROM_HERE = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class GroupingFailed(Exception):
    """The process did not end well; what was found the last time stays."""


def group(texts: Iterable[Said]) -> list[list[int]]:
    """`cluster`, with no more memory here than a text takes at a time. Raises GroupingFailed."""
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
    environment = {name: os.environ[name] for name in _FROM_HERE if name in os.environ} | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        (sys.executable, "-m", "feedback.supervision.grouping"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    ) as child:
        try:
            if child.stdin is None:
                raise GroupingFailed("no way to hand the texts over")
            for said in texts:
                child.stdin.write(json.dumps([said.title, said.text]).encode() + b"\n")
            told, _ = child.communicate(timeout=SECONDS)
        except (subprocess.TimeoutExpired, BrokenPipeError) as error:
            raise GroupingFailed(type(error).__name__) from error
        finally:
            child.kill()
    if child.returncode != 0:
        raise GroupingFailed(f"exit code {child.returncode}")
    found: list[list[int]] = json.loads(told)
    return found


def main() -> None:
    """Read texts as lines of JSON, write the groups."""
    os.nice(NICE)
    for which, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with suppress(OSError, ValueError):  # not every system can bound both
            resource.setrlimit(which, (most, most))
    json.dump(cluster([Said(*json.loads(line)) for line in sys.stdin.buffer]), sys.stdout)


if __name__ == "__main__":
    main()
