"""Long work in a process of its own: a module of this program, bytes in, bytes out. What memory it took goes back with its end.

It gets no key and no database: little of the environment is handed on. The module bounds itself with `limit_self` first.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
NICE = 5
"""Whoever waits for a page comes first."""
_FROM_HERE = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class ChildFailed(Exception):
    """It did not end well; its argument says why, in its own last words where there are any."""


def run_apart(
    module: str,
    said: Iterable[bytes],
    *,
    seconds: float,
    keep: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> bytes:
    """What the module writes, given these pieces one after the other: it reads all before it answers.

    `keep` names what else of the environment it gets, `environ` says more. Raises ChildFailed, also after so many seconds.
    """
    environment = {name: os.environ[name] for name in (*_FROM_HERE, *keep) if name in os.environ}
    environment |= {"PYTHONPATH": str(ROOT), **(environ or {})}
    with subprocess.Popen(
        (sys.executable, "-m", module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    ) as child:
        try:
            with suppress(BrokenPipeError):  # it ended already; why, it says below
                for piece in said:
                    child.stdin.write(piece)  # type: ignore[union-attr]
            told, complaint = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise ChildFailed(type(error).__name__) from error
        finally:
            child.kill()
    if child.returncode != 0:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise ChildFailed(last or f"exit code {child.returncode}")
    return told


def limit_self(cpu_seconds: int, memory_bytes: int) -> None:
    """Bound this process, and let others go first."""
    os.nice(NICE)
    for which, most in ((resource.RLIMIT_CPU, cpu_seconds), (resource.RLIMIT_AS, memory_bytes)):
        with suppress(OSError, ValueError):  # not every system can bound both
            resource.setrlimit(which, (most, most))
