"""Reference data: what hardly changes and every page needs (units, categories, settings), kept by each process.

The database itself says when something changed: triggers on the watched tables write a new random token into one row, in
the transaction of the change. Whoever reads compares that token, so no process ever goes on with what is no longer so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, String, Table, event, select
from sqlalchemy.orm import Mapped, Session, UOWTransaction, mapped_column

from feedback.kernel.db import Base
from feedback.kernel.memo import forget, remembered

T = TypeVar("T")
Held = dict[Hashable, tuple[str, Any]]
VERBS = ("INSERT", "UPDATE", "DELETE")
_PLACE = "reference"

_held: WeakKeyDictionary[Engine, Held] = WeakKeyDictionary()
_watched: set[str] = set()


class ReferenceState(Base):
    """One row, whose token is another one after each change of a watched table."""

    __tablename__ = "reference_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(40))


_SQLITE = "UPDATE reference_state SET token = lower(hex(randomblob(16)))"
_TOKEN = select(ReferenceState.token)
TOKEN = _TOKEN.scalar_subquery()
"""For a statement that is sent anyway: whoever asks it along gives it to `note_token`, and saves one of its own."""


def note_token(session: Session, token: str | None) -> None:
    """Say which token this transaction has read."""
    remembered(session, _PLACE, lambda: token or "")


def kept(session: Session, key: Hashable, read: Callable[[Session], T]) -> T:
    """What `read` gives; from this process's memory where nothing that is watched changed since.

    What is returned is shared: nobody changes it, and rows in it belong to no session. What this transaction itself
    has changed and not yet committed is seen by it, and kept by nobody.
    """
    token = reference_token(session)
    engine = session.get_bind().engine
    held = _held.setdefault(engine, {})
    known = held.get(key)
    if known is not None and known[0] == token:
        found: T = known[1]
        return found
    with Session(engine, expire_on_commit=False) as apart:
        if apart.scalar(_TOKEN) == token:
            value = read(apart)
            apart.expunge_all()
            held[key] = (token, value)
            return value
    return read(session)  # the token is of a change that nobody else may see yet, or of a moment ago


def reference_token(session: Session) -> str:
    """What stands for the present state of all that is watched: another one after each change of it."""
    if session.info.get("writing") and _has_watched(session):
        session.flush()
    return remembered(session, _PLACE, lambda: session.connection().scalar(_TOKEN) or "")


def watch(table: Any, *, only: str | None = None) -> None:
    """Have changes of a table's rows noticed; `only`: the columns whose change alone counts."""
    kind: Table = table
    _watched.add(kind.name)

    def make(_table: Any, connection: Connection, **_more: Any) -> None:
        for statement in triggers(kind.name, connection.dialect.name, only=only):
            connection.exec_driver_sql(statement)

    event.listen(kind, "after_create", make)


def triggers(table: str, dialect: str, *, only: str | None = None) -> list[str]:
    """The statements that have a table watched."""
    verbs = [f"UPDATE OF {only}"] if only else list(VERBS)
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_{verb.split()[0].lower()}_noticed AFTER {verb} ON {table} BEGIN {_SQLITE}; END"
            for verb in verbs
        ]
    return [
        "CREATE OR REPLACE FUNCTION notice_reference() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN UPDATE reference_state SET token = gen_random_uuid()::text; RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_noticed AFTER {' OR '.join(verbs)} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION notice_reference()",
    ]


def _add_row(_table: Any, connection: Connection, **_more: Any) -> None:
    connection.execute(ReferenceState.__table__.insert(), {"id": 1, "token": secrets.token_hex(16)})  # type: ignore[attr-defined]


event.listen(ReferenceState.__table__, "after_create", _add_row)


def _has_watched(session: Session) -> bool:
    changed = (*session.new, *session.dirty, *session.deleted)
    return any(getattr(one, "__tablename__", "") in _watched for one in changed)


@event.listens_for(Session, "after_flush")
def _notice_own_changes(session: Session, _context: UOWTransaction) -> None:
    if _has_watched(session):
        forget(session)
