"""Tickets from a file: each row once by (source, source_id), through the same use-case as page and API, a row at a time.

A row that can't be taken is reported with its field and loses no good one. A run that was killed is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from feedback.intake.legacy import Archive, History, write_history
from feedback.intake.particulars import SubmitTicket, read_particulars
from feedback.intake.submission import submit_ticket
from feedback.intake.ticket_rows import ImportOptions, Key, TicketRow, key_of, read_row, read_table
from feedback.kernel.actor import Actor
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid, Refused
from feedback.kernel.tabular import Row
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from feedback.people.queries import find_account, load_actor
from feedback.tickets.models import Ticket
from feedback.tickets.word_weights import renew_weights

BATCH = 100
"""Rows of history in one transaction, and keys looked up in one query."""

Track = Callable[[Sequence[Row]], Iterable[Row]]


@dataclass(frozen=True)
class RefusedRow:
    """A row not taken: `row` as a spreadsheet shows it (the header is 1), the column to blame if there is one, and why."""

    row: int
    column: str | None
    problem: Text


@dataclass
class TicketImport:
    """What became of the rows. `already` were there before, or stood in the file before."""

    added: int = 0
    already: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    is_dry_run: bool = False

    def refuse(self, row: int, why: Refused) -> None:
        """Note a row that is not taken, a line for each field."""
        found: dict[str, Text] = why.errors if isinstance(why, Invalid) else {"": why.text}
        self.refused += [RefusedRow(row, column or None, text) for column, text in found.items()]

    def as_json(self, translate: Callable[[str], str] = str) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "added": self.added,
            "already": self.already,
            "refused": [
                {"row": r.row, "field": r.column, "problem": r.problem.render(translate)}
                for r in sorted(self.refused, key=lambda r: r.row)
            ],
            "ignored_columns": list(self.ignored),
            "dry_run": self.is_dry_run,
        }


def import_tickets(path: Path, options: ImportOptions, *, now: datetime, track: Track | None = None) -> TicketImport:
    """Take the tickets of a file, received at `now`; `track` shows the progress. What `options` says is written there.

    Raises Invalid for a file that can't be read, a column that is missing, or a `submitter` who can't submit.
    """
    table = read_table(path, options)
    result = TicketImport(ignored=table.ignored, is_dry_run=options.is_dry_run)
    result.refused += [RefusedRow(error.number, error.column, error.text) for error in table.errors]
    run = _Run(options, now, result)
    if options.submitter:
        run.actor(options.submitter)
    run.seen = _known([key_of(row, options) for row in table.rows])
    for row in (track or iter)(table.rows):
        try:
            run.take(read_row(row, options))
        except Refused as why:
            result.refuse(row.number, why)
    run.write_history()
    if result.added and not options.is_dry_run:
        renew_weights(now)
    return result


@dataclass
class _Run:
    """One run over a file: who was looked up, which rows were seen, and rows of history that wait to be written."""

    options: ImportOptions
    now: datetime
    result: TicketImport
    seen: set[Key] = field(default_factory=set)
    actors: dict[str, Actor] = field(default_factory=dict)
    archive: Archive | None = None
    history: list[History] = field(default_factory=list)

    def take(self, row: TicketRow) -> None:
        """Take one row, or count it as there already. Raises Refused."""
        if row.key in self.seen:
            self.result.already += 1
            return
        if row.is_legacy:
            self.history.append(self.look_up(row))
        elif self.submit(row):
            self.result.added += 1
        else:
            self.result.already += 1
        self.seen.add(row.key)
        if len(self.history) >= BATCH:
            self.write_history()

    def submit(self, row: TicketRow) -> bool:
        """Submit a row of the loop, or only look whether it could be. False where another run was quicker."""
        login = row.submitter or self.options.submitter
        if login is None:
            raise Invalid({"submitter": Text(N_("Name who raised it, here or for all rows with --submitter."))})
        actor = self.actor(login)
        if self.options.is_dry_run:
            grant = actor.grants_for("submitter")[0]
            read_particulars(current_session(), SubmitTicket.parse(row.fields), grant, actor, self.now)
            return True
        try:
            submit_ticket(row.fields, actor=actor, now=self.now, source=row.key)
        except IntegrityError:
            if not _known([row.key]):
                raise
            return False
        return True

    def account(self, login: str) -> Account:
        """The account of a login that is active. Raises Invalid."""
        account = find_account(current_session(), login.lower())
        if account is None or not account.is_active:
            raise Invalid({"submitter": Text(N_("Nobody has the login %(login)s."), login=login)})
        return account

    def actor(self, login: str) -> Actor:
        """Whoever submits under that login. Raises Invalid for an account that is no submitter."""
        if login not in self.actors:
            actor = load_actor(current_session(), self.account(login), now=self.now, channel="import")
            if not actor.has_role("submitter"):
                text = Text(N_("%(login)s is no submitter, so nothing can be submitted in that name."), login=login)
                raise Invalid({"submitter": text})
            self.actors[login] = actor
        return self.actors[login]

    def look_up(self, row: TicketRow) -> History:
        """A row of history with what it names. Raises Invalid."""
        if self.archive is None:
            self.archive = Archive(current_session(), self.now)
        account_id = self.account(row.submitter).id if row.submitter else None
        return self.archive.look_up(row.key, row.fields, account_id)

    def write_history(self) -> None:
        """Write the rows that wait in one transaction; those that another run wrote meanwhile are counted as there."""
        rows, self.history = self.history, []
        if not rows or self.options.is_dry_run:
            self.result.added += len(rows)
            return
        try:
            with transaction() as session:
                write_history(session, rows, self.now)
        except IntegrityError:
            there = _known([row.key for row in rows])
            if not there:
                raise
            self.result.already += len(there)
            self.history = [row for row in rows if row.key not in there]
            self.write_history()
        else:
            self.result.added += len(rows)


def _known(keys: Sequence[Key]) -> set[Key]:
    """Which of these rows are tickets already."""
    by_source: dict[str, list[str]] = {}
    for source, source_id in keys:
        by_source.setdefault(source, []).append(source_id)
    found: set[Key] = set()
    for source, ids in by_source.items():
        for begin in range(0, len(ids), BATCH):
            part = ids[begin : begin + BATCH]
            query = select(Ticket.source_id).where(Ticket.source == source, Ticket.source_id.in_(part))
            found |= {(source, there) for there in current_session().scalars(query) if there is not None}
    return found
