"""The only place that commits. A use-case does all its writing inside one `transaction()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from feedback.kernel.db import session as current_session
from feedback.kernel.memo import forget

_before_commit: list[Callable[[Session], None]] = []
_after_commit: list[Callable[[Session], None]] = []


def before_commit(callback: Callable[[Session], None]) -> None:
    """Have `callback` called at the end of every transaction: it writes what was kept to write it by one statement."""
    if callback not in _before_commit:
        _before_commit.append(callback)


def after_commit(callback: Callable[[Session], None]) -> None:
    """Have `callback` called after every commit that wrote (the doors wake the outbox's relay so). It must not raise."""
    if callback not in _after_commit:
        _after_commit.append(callback)


@contextmanager
def transaction(*, is_trial: bool = False) -> Iterator[Session]:
    """Open a write transaction; commit at the end, roll back and pass on whatever is raised. A trial is rolled back too.

    What was read before is forgotten, so that every decision is made on rows read under the write lock.
    RuntimeError where one is open already: a use-case never runs inside another.
    """
    session = current_session()
    if session.info.get("writing"):
        raise RuntimeError("transaction() inside transaction()")
    session.rollback()
    forget(session)
    session.connection(execution_options={"writes": True})
    session.info["writing"] = True
    try:
        yield session
        if is_trial:
            session.rollback()
        else:
            for callback in _before_commit:
                callback(session)
            session.commit()
    except BaseException:
        session.rollback()
        session.info.clear()
        raise
    finally:
        session.info.pop("writing", None)
        forget(session)
    if is_trial:
        session.info.clear()
        return
    for callback in _after_commit:
        callback(session)
    session.info.clear()
