"""Reads that one transaction (or one request's reading) asks for again and again, kept until it ends. Never across."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session

T = TypeVar("T")
_PLACE = "memo"


def remembered(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gave the first time in this transaction. Only for what the transaction itself does not change."""
    kept: dict[Hashable, T] = session.info.setdefault(_PLACE, {})
    if key not in kept:
        kept[key] = read()
    return kept[key]


def forget(session: Session) -> None:
    """Ask the database again: at the start and end of each transaction, and after a change of what is remembered."""
    session.info.pop(_PLACE, None)


event.listen(Session, "after_commit", forget)
event.listen(Session, "after_rollback", forget)
