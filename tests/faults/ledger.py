"""What clients asked and were told: a file that only grows, outside the product, and is all that its answers are held against."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWERED, BROKEN, REFUSED_LINK = "answered", "broken", "refused"
"""BROKEN: sent, and the line was cut before an answer; REFUSED_LINK: nobody took the call."""


@dataclass(frozen=True)
class Call:
    """One try to send one submission, from when its bytes were sent to when it ended (monotonic seconds)."""

    key: str
    outcome: str
    sent: float
    ended: float
    status: int = 0
    reference: str = ""


class Ledger:
    """Lines of JSON; each is on the file before the client goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def write(self, kind: str, **what: Any) -> None:
        """Add a line."""
        with self._lock:
            self._file.write(json.dumps({"kind": kind, **what}, ensure_ascii=False) + "\n")

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """All lines of a kind, in order."""
        with self._lock:
            self._file.flush()
        found = (json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines())
        return [line for line in found if line.pop("kind") == kind]

    def calls(self) -> list[Call]:
        """Every try to submit that ended."""
        return [Call(**line) for line in self.lines("call")]

    def file_calls(self) -> list[Call]:
        """Every try to send a file by itself that ended."""
        return [Call(**line) for line in self.lines("file call")]

    def asked(self) -> list[str]:
        """The keys of all submissions."""
        return [line["key"] for line in self.lines("asked")]

    def told(self) -> dict[str, set[str]]:
        """The references that a client was given with a 201, by its key."""
        found: dict[str, set[str]] = {}
        for call in self.calls():
            if call.status == 201:
                found.setdefault(call.key, set()).add(call.reference)
        return found

    def outcomes(self) -> dict[str, int]:
        """How many calls ended how."""
        calls = self.calls() + self.file_calls()
        return dict(Counter(f"{call.outcome} {call.status}".removesuffix(" 0") for call in calls))

    def close(self) -> None:
        """No more lines."""
        self._file.close()
