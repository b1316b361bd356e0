"""Makes batches of copies in processes beside, and writes them through the driver: executemany on SQLite, COPY on PostgreSQL.

While it runs nobody else may use the database: indexes, the search's triggers and checks of references are off, and on again after.
"""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import URL

from bench import county
from bench.copies import Ground, Pattern, new_reference, said_of, sealed_identity
from bench.templates import Copy, Template, text_of
from feedback.kernel import audit
from feedback.kernel.db import Base
from feedback.people.queries import submitter_key
from feedback.tickets.identity import new_alias
from feedback.tickets.search_index import Said, words_row

DAYS = 365
WORDS = "ticket_words"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
Rows = dict[str, list[list[Any]]]


@dataclass(frozen=True)
class Batch:
    """Which copies to make: templates by number, the first free ids, and how far they all move where it is given."""

    number: int
    templates: Sequence[int]
    bases: dict[str, int]
    move: timedelta | None = None


class Maker:
    """Makes the rows of batches; told apart by the batch's number, so it doesn't matter which process makes one."""

    def __init__(self, patterns: Sequence[Pattern], ground: Ground, dialect: str) -> None:
        tables = Base.metadata.tables
        self.ground, self.dialect = ground, dialect
        self.columns = {name: [column.name for column in tables[name].columns] for name in (*Ground.ORDER, WORDS)}
        self.templates = [Template(pattern, self.columns, dialect) for pattern in patterns]
        self._at = {name: {column: at for at, column in enumerate(found)} for name, found in self.columns.items()}
        self._said = [_said(pattern) for pattern in patterns]
        self._keys: dict[str, tuple[int, str]] = {}

    def batches(self, count: int, size: int, only: int | None = None, move: timedelta | None = None) -> Iterator[Batch]:
        """The batches of so many copies: the templates in turn, or one alone."""
        bases, made, number = dict(self.ground.next_ids), 0, 0
        while made < count:
            some = range(made, min(made + size, count))
            chosen = [at % len(self.templates) if only is None else only for at in some]
            yield Batch(number, chosen, dict(bases), move)
            for at in chosen:
                for name, rows in self.templates[at].counts.items():
                    bases[name] += rows
            made, number = made + len(chosen), number + 1

    def make(self, batch: Batch) -> dict[str, Any]:
        """The rows by table, ready for the driver; how many under "rows"."""
        draw = Random(f"{batch.number}:{self.ground.next_ids['ticket']}")  # noqa: S311
        rows: Rows = {name: [] for name in (*Ground.ORDER, WORDS)}
        bases = dict(batch.bases)
        for at in batch.templates:
            template = self.templates[at]
            move = shift(template.pattern, self.ground.now, draw, is_quiet=template.is_quiet)
            self._copy(at, bases, move if batch.move is None else batch.move, rows, draw)
            for name, count in template.counts.items():
                bases[name] += count
        told: dict[str, Any] = {"rows": {name: len(found) for name, found in rows.items() if found}}
        return told | {
            name: found if self.dialect == "sqlite" else _block(found) for name, found in rows.items() if found
        }

    def _copy(self, at: int, bases: dict[str, int], move: timedelta, rows: Rows, draw: Random) -> None:
        template = self.templates[at]
        number, village = draw.randint(1, county.DEPARTMENTS), draw.choice(self.ground.villages)
        copy = Copy(bases, self.ground.standing_for(number, village), move, county.department(number))
        template.begin(copy)
        made = {name: [one.fill(copy) for one in found] for name, found in template.rows.items()}
        title, body = said_of(number, draw)
        places, ticket = self._at["ticket"], made["ticket"][0]
        ticket[places["reference"]], ticket[places["place"]] = (
            new_reference(),
            f"{village} 门牌{draw.randint(1, 9999)}号",
        )
        places = self._at["message"]
        for row in made["message"]:
            if row[places["version"]] == 1:
                row[places["title"]], row[places["body"]] = title, body
        account, key = self._submitter(draw.choice(county.writers(village)))
        places, made["identity"] = self._at["seat"], []
        for row in made["seat"]:
            row[places["alias"]], row[places["submitter_key"]] = new_alias(), key
            sealed = {"seat_id": row[places["id"]], "sealed": sealed_identity(row[places["id"]], account)}
            made["identity"].append([sealed[name] for name in self.columns["identity"]])
        made["audit_entry"] = self._chain(template, copy, bases["ticket"], body)
        made[WORDS] = [self._words(at, ticket, title, body)]
        for name, found in made.items():
            rows[name].extend(found)

    def _submitter(self, login: str) -> tuple[int, str]:
        if login not in self._keys:
            account = self.ground.accounts[login]
            self._keys[login] = (account, submitter_key(account))
        return self._keys[login]

    def _chain(self, template: Template, copy: Copy, ticket: int, body: str) -> list[list[Any]]:
        places, prev, stream, made = self._at["audit_entry"], "", f"ticket:{ticket}", []
        for entry in template.entries:
            row, actor = entry.row.fill(copy), text_of(entry.actor, copy)
            facts, sealed = text_of(entry.facts, copy), text_of(entry.sealed, copy)
            if entry.names_text:
                told = audit.digest(body)
                facts, sealed = facts.replace("\\u0002", told), sealed.replace("\\u0002", told)
            mac = audit.seal_of(stream, entry.seq, entry.at(copy), actor, entry.action, sealed, prev)
            for name, value in (
                ("stream", stream),
                ("actor", actor),
                ("facts", facts),
                ("prev_mac", prev),
                ("mac", mac),
            ):
                row[places[name]] = value
            prev = mac
            made.append(row)
        return made

    def _words(self, at: int, ticket: list[Any], title: str, body: str) -> list[Any]:
        places = self._at["ticket"]
        first = Said(1, title, body, "submit", is_public=True, seat_id=None)
        said = [first if each.version == 1 else each for each in self._said[at]]
        row = words_row(self.dialect, ticket[places["id"]], ticket[places["reference"]], ticket[places["place"]], said)
        return [row[name] for name in self.columns[WORDS]]


def shift(pattern: Pattern, now: datetime, draw: Random, *, is_quiet: bool) -> timedelta:
    """Whole weeks into the past for what is over; up to three quarters of an hour for what still has times before it."""
    if is_quiet:
        weeks = max(0, (DAYS - (now - pattern.begins).days) // 7)
        return -timedelta(weeks=draw.randint(0, weeks), seconds=draw.randint(0, 3000))
    back = timedelta(seconds=draw.randint(0, 2700))
    return -back if pattern.may_go_back(now, back) else timedelta()


def _said(pattern: Pattern) -> list[Said]:
    acts = {row["version"]: row for row in pattern.rows["timeline"]}
    texts = sorted((row for row in pattern.rows["message"] if row["is_current"]), key=lambda row: int(row["version"]))
    return [
        Said(
            row["version"],
            row["title"],
            row["body"],
            acts[row["version"]]["action"],
            is_public=acts[row["version"]]["is_public"],
            seat_id=acts[row["version"]]["seat_id"],
        )
        for row in texts
        if row["version"] in acts
    ]


def _block(rows: list[list[Any]]) -> bytes:
    """Rows as COPY reads them."""
    return "".join(["\t".join([_cell(value) for value in row]) + "\n" for row in rows]).encode()


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value)


_maker: list[Maker] = []


def _made(batch: Batch) -> dict[str, Any]:
    return _maker[0].make(batch)


def made_beside(maker: Maker, batches: Iterator[Batch]) -> Iterator[dict[str, Any]]:
    """The batches' rows in their order, made by a process for each processor; only a few batches are in memory."""
    _maker[:] = [maker]
    count = os.cpu_count() or 1
    with multiprocessing.get_context("fork").Pool(count) as pool:
        waiting: deque[Any] = deque()
        for batch in batches:
            waiting.append(pool.apply_async(_made, (batch,)))
            if len(waiting) > 2 * count:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()


class Writer(Protocol):
    """Writes rows to one database; `close` puts everything back in order."""

    def write(self, columns: dict[str, list[str]], made: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class SqliteWriter:
    """Without journal, indexes and triggers until it is closed: a database that was left halfway is worth nothing."""

    def __init__(self, path: str, *, is_large: bool) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
            self._connection.execute(f"PRAGMA {pragma}")
        tables = (*Ground.ORDER, WORDS)
        marks = ", ".join("?" for _ in tables)
        query = f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({marks}) AND type "  # noqa: S608
        kinds = "IN ('index', 'trigger')" if is_large else "= 'none'"
        self._later = self._connection.execute(query + kinds, tables).fetchall()
        for kind, name, _sql in self._later:
            self._connection.execute(f'DROP {kind} "{name}"')

    def write(self, columns: dict[str, list[str]], made: dict[str, Any]) -> None:
        """One transaction."""
        self._connection.execute("BEGIN")
        for name in (*Ground.ORDER, WORDS):
            if name in made:
                marks = ", ".join("?" for _ in columns[name])
                names = ", ".join(columns[name])
                self._connection.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", made[name])  # noqa: S608
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Indexes, triggers and the search's index as they were; the journal as the site wants it."""
        for _kind, _name, sql in self._later:
            self._connection.execute(sql)
        if self._later:
            self._connection.execute("INSERT INTO ticket_search(ticket_search) VALUES('rebuild')")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.close()


class PostgresWriter:
    """By COPY; a superuser's session needs no checks of references, and indexes are made anew."""

    def __init__(self, url: URL, *, is_large: bool) -> None:
        told = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(told, autocommit=True)
        for setting in ("session_replication_role = replica", "synchronous_commit = off"):
            self._connection.execute(f"SET {setting}")
        self._connection.execute("SET maintenance_work_mem = '512MB'")
        found = self._connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY(%s) "
            "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexname::regclass)",
            ([*Ground.ORDER, WORDS],),
        ).fetchall()
        self._later = found if is_large else []
        for name, _sql in self._later:
            self._connection.execute(f'DROP INDEX "{name}"')

    def write(self, columns: dict[str, list[str]], made: dict[str, Any]) -> None:
        """One transaction."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for name in (*Ground.ORDER, WORDS):
                if name in made:
                    with cursor.copy(f"COPY {name} ({', '.join(columns[name])}) FROM STDIN") as copy:
                        copy.write(made[name])

    def close(self) -> None:
        """The indexes as they were."""
        for _name, sql in self._later:
            self._connection.execute(sql)
        self._connection.close()
