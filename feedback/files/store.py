"""What a store of files can do, whatever it is made of: bytes under drawn names, whole or not at all."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}")


@dataclass(frozen=True)
class Stored:
    """A file that lies in the store, or the rest of one that was never finished."""

    key: str
    at: datetime


class Store(Protocol):
    """What both kinds of store can do. Keys are those of `new_key`; anything else is not there."""

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a new key. Raises OSError where they could not be kept; then nothing is there."""

    def get(self, key: str) -> bytes | None:
        """The bytes, or None where there are none."""

    def delete(self, key: str) -> None:
        """Remove what lies there; nothing there is fine."""

    def stored(self) -> Iterator[Stored]:
        """Everything that lies there."""


def new_key() -> str:
    """A name that says nothing, such as `3f/0a…`."""
    drawn = secrets.token_hex(16)
    return f"{drawn[:2]}/{drawn[2:]}"
