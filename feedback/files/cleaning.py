"""Making a file safe to hand on: pictures are made anew in a child process with narrow limits, plain text stays as it is.

A child costs memory, so a process runs one at a time; whoever finds none free within a few seconds gets Busy.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from feedback.files.kinds import KINDS, Kind, check_size
from feedback.files.refusals import UnfitFile
from feedback.kernel.text import N_, Text

AT_ONCE = 1
WAIT_SECONDS = 8.0
"""How long a file waits for its turn."""
CHILD_SECONDS = 10.0
"""How long a child may take by the wall; its own processor time is bounded more narrowly."""

CPU_SECONDS = 5
MEMORY_BYTES = 700_000_000
MOST_PIXELS = 40_000_000
MOST_FRAMES = 200

_ENDED_BY_OTHERS = frozenset(-number for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
_CHILD = str(Path(__file__).resolve().with_name("clean_image.py"))
_REFUSED = 3
_LIMITS = tuple(map(str, (CPU_SECONDS, MEMORY_BYTES, MOST_PIXELS, MOST_FRAMES)))
_PROBLEMS = {
    "pixels": N_("This picture has too many pixels (%(pixels)s million at most). Take a smaller one."),
    "frames": N_("This picture moves too much (%(frames)s frames at most). Send a still one."),
    "damaged": N_("This picture can't be read: it is damaged or not whole. Choose it again, or take another."),
    "slow": N_("This picture takes too long to read. Take another, or a smaller one."),
    "unchecked": N_("This file could not be checked in time and was removed. Please send it again."),
}
PROBLEMS = tuple(_PROBLEMS)
_turns = threading.BoundedSemaphore(AT_ONCE)


class Busy(Exception):
    """There was no room to clean a file now. Nothing is wrong with it."""


@dataclass(frozen=True)
class CleanFile:
    """Bytes that may be handed on, and what kind they are now."""

    data: bytes
    kind: Kind


def problem_text(code: str) -> Text:
    """What a code of PROBLEMS says to people."""
    most = {"pixels": MOST_PIXELS // 1_000_000, "frames": MOST_FRAMES}
    return Text(_PROBLEMS[code], **({code: most[code]} if code in most else {}))


def clean_file(data: bytes, kind: Kind, *, wait: float = WAIT_SECONDS) -> CleanFile:
    """The file as it may be handed on. Raises UnfitFile (`code` is one of PROBLEMS), FileTooLarge, Busy after `wait` seconds."""
    if not kind.is_image:
        return CleanFile(data, kind)
    if not _turns.acquire(timeout=wait):
        raise Busy
    try:
        cleaned = _in_child(data)
    finally:
        _turns.release()
    check_size(cleaned.data)
    return cleaned


def _in_child(data: bytes) -> CleanFile:
    call = (sys.executable, "-I", _CHILD, *_LIMITS)
    try:
        done = subprocess.run(
            call,
            input=data,
            capture_output=True,
            timeout=CHILD_SECONDS,
            env={},
            check=False,
            start_new_session=True,  # a signal that ends this process's group must not look like a damaged picture
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Busy from error
    if done.returncode == 0:
        name, _, cleaned = done.stdout.partition(b"\n")
        return CleanFile(cleaned, KINDS[name.decode()])
    if done.returncode in _ENDED_BY_OTHERS:
        raise Busy
    said = done.stderr.decode(errors="replace") if done.returncode == _REFUSED else ""
    code = "slow" if done.returncode == -signal.SIGXCPU else said if said in _PROBLEMS else "damaged"
    raise UnfitFile(problem_text(code), code)
