"""The database handle, the declarative base and the column types that behave alike on SQLite and PostgreSQL. No tables."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    Executable,
    FromClause,
    Integer,
    MetaData,
    Result,
    event,
    literal,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, SessionTransaction
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Id = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key on both databases (SQLite autoincrements only INTEGER)."""


BUSY_MS = 10_000
"""How long a writer waits for others on SQLite."""
LOOK_AGAIN_SECONDS = 0.002
MOST_PREPARED = 400
"""Statements that a connection to PostgreSQL keeps prepared: those of all pages, with room."""
_asking = Lock()
"""Held by the thread that looks whether the one writer's place is free."""


class Instant(TypeDecorator[datetime]):
    """An aware instant: timestamptz on PostgreSQL, UTC text that sorts rightly on SQLite. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """On SQLite the text is read at once as UTC: a page reads hundreds, and in two steps each takes eight times as long."""
        return _read_utc if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _read_utc(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "autoflush": True})


def session() -> Session:
    """The session of the present application context: reads may use it at any time, writes only inside `transaction()`."""
    return db.session()


@contextmanager
def flushed(session: Session, kind: type[Base]) -> Iterator[None]:
    """Ask for rows of one kind alone: what was changed of them is written before, what else is pending later with the rest."""
    if any(isinstance(one, kind) for one in (*session.new, *session.dirty)):
        session.flush()
    with session.no_autoflush:
        yield


def is_among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """SQL: the column holds one of these. For statements that are kept: one with `in_` is written anew at each use."""
    return column.in_([literal(value, column.type) for value in sorted(values)])


class _WithHints(SQLiteCompiler):
    """Writes a hint such as INDEXED BY behind the name of its table."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def read_columns(session: Session, statement: Executable, values: dict[str, Any] | None = None) -> Result[Any]:
    """The rows of a statement that asks for columns alone: while somebody only reads, past what the ORM does for its objects."""
    if session.info.get("writing"):
        return session.execute(statement, values)
    return session.connection().execute(statement, values)


def prepare_engine(engine: Engine) -> None:
    """Make SQLite safe for many processes: WAL, waiting for locks, foreign keys, and BEGIN IMMEDIATE for writers.

    PostgreSQL compiles no statement to machine code: ours take milliseconds, the compiling a quarter of a second.

    A deferred BEGIN that turns into a write fails at once when another process writes (the lock upgrade does not wait).
    """
    if engine.dialect.name == "postgresql":
        _prepare_postgresql(engine)
    if engine.dialect.name != "sqlite":
        return
    engine.dialect.statement_compiler = _WithHints

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _prepare_postgresql(engine: Engine) -> None:
    """Have connections compile no statement to machine code, and keep their prepared statements from one page to the next.

    The driver forgets what it has prepared at each ROLLBACK, and the server then plans anew what is asked again and again,
    which takes it longer than to carry it out. So what only reads is a READ ONLY transaction, and is ended by COMMIT.
    """
    dialect: Any = engine.dialect
    roll_back = dialect.do_rollback

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        was_autocommit = connection.autocommit
        connection.autocommit = True
        connection.execute("SET jit = off")
        connection.autocommit = was_autocommit
        connection.prepared_max = MOST_PREPARED

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.read_only = None

    def _end(connection: Any) -> None:
        raw = connection.driver_connection
        if raw.read_only and raw.info.transaction_status.name == "INTRANS":
            dialect.do_commit(connection)
        else:
            roll_back(connection)

    def _execute(cursor: Any, statement: str, parameters: Any, _context: Any = None) -> None:
        plans_anew = {"prepare": False} if _is_cut_or_summed(statement) and not hasattr(cursor, "scrollable") else {}
        cursor.execute(statement, parameters, **plans_anew)

    dialect.do_rollback, dialect.do_execute = _end, _execute


_is_cut_or_summed = re.compile(r"\bLIMIT\b|\bGROUP BY\b").search
"""Lists and reports: which way through them is the short one depends on the values, so they are planned for these each time."""


@event.listens_for(db.session, "after_begin")
def _mark_reading(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    """What a session begins outside `transaction()` only reads."""
    if connection.dialect.name == "postgresql" and not connection.get_execution_options().get("writes"):
        raw: Any = connection.connection.driver_connection
        raw.read_only = True


def _begin_writing(connection: Connection) -> None:
    """Wait for the one writer's place, asking every few milliseconds.

    SQLite's own wait sleeps up to a tenth of a second between two looks: with some writers the place stands empty most of
    the time. Of a process's threads one asks, the others wait for it: each look costs the one who writes time.
    OperationalError after BUSY_MS, as SQLite's would be.
    """
    raw: Any = connection.connection.driver_connection
    until = time.monotonic() + BUSY_MS / 1000
    raw.execute("PRAGMA busy_timeout=0")
    asks = _asking.acquire(timeout=BUSY_MS / 1000)
    try:
        while time.monotonic() < until:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(LOOK_AGAIN_SECONDS)
            else:
                return
    finally:
        if asks:
            _asking.release()
        raw.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # says what is wrong, in SQLAlchemy's words
