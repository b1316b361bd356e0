"""A pattern compiled into rows of the driver's own values, with slots for what each copy has otherwise. No writing.

A slot is a piece of text or value that is worked out from the copy at hand: a new id, a moved instant, another department.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bench import county
from bench.copies import COLUMNS, OTHER_KEYS, UNIT_KEYS, Pattern, Row, key_of

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ACTOR = re.compile(r"((?:account|seat):\d+|" + re.escape(county.PATTERN_DEPARTMENT) + ")")
_MARK = re.compile(r'"?\\u0001(\d+)([qn])\\u0001"?')


@dataclass
class Copy:
    """What one copy has otherwise than its pattern."""

    bases: dict[str, int]
    standing: dict[str, dict[int, int]]
    move: timedelta
    department: str
    moved: list[Any] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


Slot = Callable[[Copy], Any]


@dataclass
class RowTemplate:
    """A row: its values, and which of them are slots."""

    values: list[Any]
    slots: list[tuple[int, Slot]]

    def fill(self, copy: Copy) -> list[Any]:
        row = self.values.copy()
        for place, slot in self.slots:
            row[place] = slot(copy)
        return row


@dataclass
class Entry:
    """An entry of the audit chain; the facts as the chain seals them and as the database keeps them."""

    row: RowTemplate
    seq: int
    action: str
    actor: Any
    at: Slot
    facts: Any
    sealed: Any
    names_text: bool


class Template:
    """All rows of a pattern, compiled for the columns of the tables and the database's dialect."""

    def __init__(self, pattern: Pattern, columns: Mapping[str, Sequence[str]], dialect: str) -> None:
        self.pattern, self.dialect = pattern, dialect
        self.is_quiet = pattern.is_quiet
        self.instants: list[datetime] = []
        self._places: dict[datetime, int] = {}
        self._offsets = {
            name: {row["id"]: place for place, row in enumerate(rows)} for name, rows in pattern.rows.items()
        }
        self._offsets["ticket"] = {pattern.ticket["id"]: 0}
        self.counts = {name: len(found) for name, found in self._offsets.items()}
        self.rows = {
            name: [self._row(name, row, columns[name]) for row in rows]
            for name, rows in {**pattern.rows, "ticket": [pattern.ticket]}.items()
            if name != "audit_entry"
        }
        self.entries = [self._entry(row, columns["audit_entry"]) for row in pattern.rows["audit_entry"]]

    def begin(self, copy: Copy) -> None:
        """Work out the copy's instants, each once."""
        moved = [at + copy.move for at in self.instants]
        copy.told = [at.isoformat() for at in moved]
        if self.dialect == "sqlite":
            copy.moved = [at.replace(tzinfo=None).isoformat(" ", "microseconds") for at in moved]
        else:
            copy.moved = list(copy.told)

    def _row(self, name: str, row: Row, columns: Sequence[str]) -> RowTemplate:
        made = RowTemplate([], [])
        for column in columns:
            value = row[column]
            if column == "id":
                value = self._own(name, value)
            elif name == "outbox" and column == "unique_key":
                value = self._key(row)
            else:
                value = self._value(column, value)
            if callable(value):
                made.slots.append((len(made.values), value))
                value = None
            made.values.append(value)
        return made

    def _entry(self, row: Row, columns: Sequence[str]) -> Entry:
        plain = {**row, "facts": {}, "mac": None, "prev_mac": None, "stream": None, "actor": None}
        facts = row["facts"]
        names_text = facts.get("version") == 1 and "text" in facts
        if names_text:
            facts = {**facts, "text": "\x02"}
        return Entry(
            self._row("audit_entry", plain, columns),
            row["seq"],
            row["action"],
            self._actor(row["actor"]),
            self._instant(row["at"], told=True),
            self._json("facts", facts),
            self._json("facts", facts, sort_keys=True, separators=(",", ":")),
            names_text,
        )

    def _own(self, table: str, value: int) -> Slot:
        offset = self._offsets[table][value]
        return lambda copy: copy.bases[table] + offset

    def _id(self, table: str, value: int) -> Any:
        if table in self._offsets:
            return self._own(table, value) if value in self._offsets[table] else value
        return lambda copy: copy.standing[table].get(value, value)

    def _instant(self, value: datetime, *, told: bool = False) -> Slot:
        value = value.astimezone(UTC)
        if value not in self._places:
            self._places[value] = len(self.instants)
            self.instants.append(value)
        place = self._places[value]
        return (lambda copy: copy.told[place]) if told else (lambda copy: copy.moved[place])

    def _value(self, column: str, value: Any) -> Any:
        if value is None:
            return None
        if column in COLUMNS:
            return self._id(COLUMNS[column], value)
        if column == "opened_by":
            return self._actor(value)
        if isinstance(value, datetime):
            return self._instant(value)
        if isinstance(value, date):
            return lambda copy: (value + copy.move).isoformat()
        return self._json(column, value) if isinstance(value, dict | list) else value

    def _actor(self, told: str) -> Any:
        pieces: list[Any] = []
        for piece in _ACTOR.split(told):
            if piece == county.PATTERN_DEPARTMENT:
                pieces.append(lambda copy: copy.department)
            elif _ACTOR.fullmatch(piece):
                table, number = piece.split(":")
                pieces += [f"{table}:", self._id(table, int(number))]
            else:
                pieces.append(piece)
        return _joined(pieces)

    def _key(self, row: Row) -> Any:
        ticket = self._own("ticket", row["ticket_id"]) if row["ticket_id"] is not None else ""
        return _joined(
            key_of(
                row,
                ticket=ticket,
                clock=lambda number: self._id("sla_clock", number),
                own=self._own("outbox", row["id"]),
            )
        )

    def _json(self, name: str, value: Any, **how: Any) -> Any:
        slots: list[Slot] = []
        dumped = json.dumps(self._marked(name, value, slots), **how)
        pieces: list[Any] = []
        done = 0
        for found in _MARK.finditer(dumped):
            quote = '"' if found[2] == "q" else ""
            pieces += [dumped[done : found.start()] + quote, slots[int(found[1])], quote]
            done = found.end()
        return _joined([*pieces, dumped[done:]])

    def _marked(self, name: str, value: Any, slots: list[Slot]) -> Any:
        """The value with marks where the dumped text has slots: "q" stands in quotes, "n" is a number."""
        if isinstance(value, dict):
            return {key: self._marked(key, each, slots) for key, each in value.items()}
        if isinstance(value, list):
            return [self._marked(name, each, slots) for each in value]
        slot, kind = value, "n"
        if type(value) is int:
            table = "unit" if name in UNIT_KEYS else OTHER_KEYS.get(name)
            slot = self._id(table, value) if table else value
        elif isinstance(value, str) and _INSTANT.match(value):
            slot, kind = self._instant(datetime.fromisoformat(value), told=True), "q"
        if not callable(slot):
            return slot
        slots.append(slot)
        return f"\x01{len(slots) - 1}{kind}\x01"


def text_of(piece: Any, copy: Copy) -> str:
    """A text that may be a slot."""
    return str(piece(copy) if callable(piece) else piece)


def _joined(pieces: Iterable[Any] | None) -> Any:
    if pieces is None:
        return None
    parts: list[Any] = []
    for piece in pieces:
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += piece
        elif piece != "":
            parts.append(piece)
    if not any(callable(part) for part in parts):
        return "".join(parts)
    if len(parts) == 1:
        return lambda copy: str(parts[0](copy))
    return lambda copy: "".join([part if isinstance(part, str) else str(part(copy)) for part in parts])
