"""Counting what a page asks the database, so that a list never asks once a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from feedback.kernel.db import db


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The statements sent to the database inside the block, in their order."""
    statements: list[str] = []

    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", _note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", _note)
