"""Keeps the words by which tickets are found: written with the text itself, anew from it at any time, asked by search.py.

It reads titles, texts, places and messages, and never who raised a ticket.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from feedback.kernel.transaction import transaction
from feedback.tickets.bigrams import Phrase, words_of
from feedback.tickets.models import Message, Ticket, TimelineEntry
from feedback.tickets.search_tables import FULL_TEXT, TicketWords

EVERYONE, SEATS, STAFF = "everyone", "seats", "staff"
ALL = (EVERYONE, SEATS, STAFF)
MOST_WORDS, MOST_CHARACTERS = 16_000, 120_000
"""Of one column of one ticket; what comes after them is not found. PostgreSQL counts places up to 16,383, in 1 MB."""
MOST_PLACES = 255
BATCH = 500
_GAP = "\ue000"
"""Stands between two texts, so that no phrase begins in one and ends in the next; no text's word holds it."""


@dataclass(frozen=True)
class Said:
    """A text of a ticket, and whose it is: `version` 1 is what was submitted."""

    version: int
    title: str | None
    body: str
    action: str
    is_public: bool
    seat_id: int | None

    def column(self) -> str | None:
        """Which column its words belong to; None for words that came with a verdict, which not all staff may read."""
        if self.version == 1:
            return EVERYONE
        if self.action == "confirm":
            return None
        if self.seat_id is not None:
            return SEATS
        return EVERYONE if self.is_public else STAFF


def words_row(dialect: str, ticket_id: int, reference: str, place: str | None, said: Iterable[Said]) -> dict[str, Any]:
    """The values of a ticket's row in `ticket_words`, for a database of this dialect."""
    texts: dict[str, list[str]] = {EVERYONE: [reference, reference.replace("-", ""), place or ""], SEATS: [], STAFF: []}
    for each in said:
        name = each.column()
        if name is not None:
            texts[name] += [each.title or "", each.body]
    made = _vector if dialect == "postgresql" else " ".join
    return {"ticket_id": ticket_id, **{name: made(list(_words_of_all(texts[name]))) for name in ALL}}


def index_tickets(session: Session, ids: Sequence[int]) -> None:
    """Write the words of these tickets anew from their texts, in the open transaction; three statements for all."""
    _index(session, session.execute(_HEADS, {"ids": ids}).all())


def index_again(session: Session, ticket: Ticket) -> None:
    """`index_tickets` for one that is at hand, to which something was said just now."""
    _index(session, [ticket])


def _index(session: Session, heads: Sequence[Any]) -> None:
    dialect = session.get_bind().dialect.name
    said: dict[int, list[Said]] = {head.id: [] for head in heads}
    for row in session.execute(_SAID, {"ids": list(said)}):
        said[row.ticket_id].append(
            Said(row.version, row.title, row.body, row.action, is_public=row.is_public, seat_id=row.seat_id)
        )
    rows = [words_row(dialect, head.id, head.reference, head.place, said[head.id]) for head in heads]
    if rows:
        session.execute(_WRITTEN[dialect], rows)


def _written(insert: Any) -> Any:
    """SQL: the words of tickets are these now, whatever they were."""
    return insert.on_conflict_do_update(
        index_elements=["ticket_id"], set_={name: insert.excluded[name] for name in ALL}
    )


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_SAID = (
    select(Message.ticket_id, Message.version, Message.title, Message.body)
    .add_columns(TimelineEntry.action, TimelineEntry.is_public, TimelineEntry.seat_id)
    .join(TimelineEntry, (TimelineEntry.ticket_id == Message.ticket_id) & (TimelineEntry.version == Message.version))
    .where(Message.ticket_id.in_(_IDS), Message.is_current)
    .order_by(Message.ticket_id, Message.version)
)
_HEADS = select(Ticket.id, Ticket.reference, Ticket.place).where(Ticket.id.in_(_IDS))
_TABLE: Any = TicketWords.__table__
_WRITTEN = {"postgresql": _written(postgresql.insert(_TABLE)), "sqlite": _written(sqlite.insert(_TABLE))}
_NEW_WORDS = _TABLE.insert()


def index_new(session: Session, ticket: Ticket, title: str, body: str) -> None:
    """Write the words of a ticket that is just being made: nothing else was said in it yet."""
    said = Said(1, title, body, "submit", is_public=True, seat_id=None)
    row = words_row(session.get_bind().dialect.name, ticket.id, ticket.reference, ticket.place, [said])
    session.execute(_NEW_WORDS, row)


def hits(dialect: str, phrases: Sequence[Phrase], columns: Sequence[str]) -> Select[int]:
    """The ids of the tickets in whose columns every phrase stands, each of them whole in one column."""
    if dialect == "postgresql":
        return select(TicketWords.ticket_id).where(*(_stands(phrase, columns) for phrase in phrases))
    found = table(FULL_TEXT, column("rowid"), column(FULL_TEXT))
    return select(found.c.rowid).where(found.c[FULL_TEXT].op("MATCH")(_match(phrases, columns)))


def is_one_of(dialect: str, ids: Callable[[], Sequence[int]], *, of: Any = Ticket.id) -> ColumnElement[bool]:
    """SQL: the ticket `of` is one of these, which may be many: they go over as one value, asked for when it is needed."""

    def read() -> list[int] | str:
        return as_value(dialect, ids())

    return _is_in(of, bindparam("ids", callable_=read, type_=_list_type(dialect), unique=True))


def is_found(dialect: str) -> ColumnElement[bool]:
    """SQL: the ticket at hand is one of those that are given with the statement as `found` (`as_value`)."""
    return _is_in(Ticket.id, bindparam("found", type_=_list_type(dialect)))


def as_value(dialect: str, ids: Sequence[int]) -> list[int] | str:
    """Many ids as one value."""
    return list(ids) if dialect == "postgresql" else json.dumps(list(ids))


def _list_type(dialect: str) -> Any:
    return ARRAY(BigInteger) if dialect == "postgresql" else String()


def _is_in(of: Any, listed: BindParameter[Any]) -> ColumnElement[bool]:
    """Rows of their own: `= ANY` would have PostgreSQL read all of a unit's index beside them, to compare the two."""
    if isinstance(listed.type, ARRAY):
        return of.in_(select(func.unnest(listed).column_valued()))  # type: ignore[no-any-return]
    return of.in_(select(func.json_each(listed).table_valued("value").c.value))  # type: ignore[no-any-return]


def holds(
    dialect: str, phrases: Sequence[Phrase], columns: Sequence[str], *, of: Any = Ticket.id
) -> ColumnElement[bool]:
    """SQL: the ticket `of` is among `hits`, told from its own words without the index: some microseconds for each ticket

    that is asked about, however many there are. On SQLite a probe of the index would cost thirty times as much.
    """
    is_there = _stands if dialect == "postgresql" else _is_written
    words = select(TicketWords.ticket_id).where(
        TicketWords.ticket_id == of, *(is_there(phrase, columns) for phrase in phrases)
    )
    return words.offset(0).exists() if dialect == "postgresql" else words.exists()


def newest_with(session: Session, words: Sequence[str], most: int) -> list[list[int]]:
    """For each word the newest tickets, `most` at most, in whose public words it stands; one statement for all.

    It is for words that few tickets have: PostgreSQL reads all of a word's tickets before it gives the newest.
    """
    if not words:
        return []
    if session.get_bind().dialect.name == "postgresql":
        rows = session.execute(text(_NEWEST_ON_POSTGRESQL.format(most=int(most))), {"words": list(words)})
    else:
        asked = {f"w{at}": f'{EVERYONE} : "{word}"' for at, word in enumerate(words)}
        parts = " UNION ALL ".join(_NEWEST_ON_SQLITE.format(at=at) for at in range(len(words)))
        rows = session.execute(text(parts), {**asked, "most": most})
    found: list[list[int]] = [[] for _ in words]
    for at, ticket_id in rows:
        found[at].append(ticket_id)
    return found


_NEWEST_ON_SQLITE = (
    "SELECT {at}, rowid FROM (SELECT rowid FROM ticket_search WHERE ticket_search MATCH :w{at} "
    "ORDER BY rowid DESC LIMIT :most)"
)
_NEWEST_ON_POSTGRESQL = (
    "SELECT (asked.at - 1)::int, found.ticket_id FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS asked(word, at), "
    "LATERAL (SELECT ticket_id FROM (SELECT ticket_id FROM ticket_words WHERE everyone @@ CAST(asked.word AS tsquery) "
    "OFFSET 0) AS those ORDER BY ticket_id DESC LIMIT {most}) AS found"
)
"""OFFSET 0 keeps it from walking all tickets from the newest back until enough have the word; a number that is not bound, from
guessing that a tenth of them will do."""


def reindex(*, everything: bool = False) -> Iterator[int]:
    """Write the words of the tickets that have none (or of all), a batch in a transaction; gives each batch's size.

    May be stopped and run again. With `everything`, SQLite's index is built anew too.
    """
    last = 0
    while True:
        with transaction() as session:
            query = select(Ticket.id).where(Ticket.id > last).order_by(Ticket.id).limit(BATCH)
            if not everything:
                query = query.where(_HAS_NO_WORDS)
            ids = session.scalars(query.with_for_update(of=Ticket)).all()
            index_tickets(session, ids)
        if not ids:
            break
        last = ids[-1]
        yield len(ids)
    if everything:
        with transaction() as session:
            if session.get_bind().dialect.name == "sqlite":
                session.execute(text("INSERT INTO ticket_search(ticket_search) VALUES('rebuild')"))


def count_missing(session: Session) -> int:
    """How many tickets no search can find, because their words were never written."""
    return session.scalar(select(func.count()).select_from(Ticket).where(_HAS_NO_WORDS)) or 0


_HAS_NO_WORDS = ~select(TicketWords.ticket_id).where(TicketWords.ticket_id == Ticket.id).exists()


def _words_of_all(texts: Iterable[str]) -> Iterator[str]:
    words, characters = 0, 0
    for each in filter(None, texts):
        if words:
            yield _GAP
        for word in words_of(each):
            words, characters = words + 1, characters + len(word)
            if words > MOST_WORDS or characters > MOST_CHARACTERS:
                return
            yield word


def _vector(words: Sequence[str]) -> str:
    """The words as PostgreSQL writes a tsvector: each with its places. They are letters and numbers, nothing to quote."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(words, start=1):
        found = places.setdefault(word, [])
        if word != _GAP and len(found) < MOST_PLACES:
            found.append(str(place))
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items() if at)


def _match(phrases: Sequence[Phrase], columns: Sequence[str]) -> str:
    """The phrases in FTS5's language."""
    asked = " AND ".join(f'"{" ".join(phrase.words)}"{" *" if phrase.is_begun else ""}' for phrase in phrases)
    return asked if tuple(columns) == ALL else f"{{{' '.join(columns)}}} : ({asked})"


def _is_written(phrase: Phrase, columns: Sequence[str]) -> ColumnElement[bool]:
    """SQL: one of the columns holds the phrase, on SQLite: the words stand there parted by spaces."""
    asked = f" {' '.join(phrase.words)}{'' if phrase.is_begun else ' '}"
    return or_(*(func.instr(literal(" ") + getattr(TicketWords, name) + " ", asked) > 0 for name in columns))


def _stands(phrase: Phrase, columns: Sequence[str]) -> ColumnElement[bool]:
    """SQL: one of the columns holds the phrase, on PostgreSQL."""
    asked = " <-> ".join(f"'{word}'" for word in phrase.words) + (":*" if phrase.is_begun else "")
    return or_(*(getattr(TicketWords, name).op("@@")(cast(asked, TSQUERY)) for name in columns))
