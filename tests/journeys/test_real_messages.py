"""Real messages, imported by the command and driven round the loop to their end: a thousand in the full dose."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel import audit
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.reports.invariants import find_faults
from feedback.supervision.escalation import run_sweep
from feedback.tickets.actions import run_action
from feedback.tickets.lifecycle import state_of
from feedback.tickets.models import Ticket
from tests.support.county import County

DATA = os.environ.get("FEEDBACK_DATA_DIR", "")
MESSAGES = Path(DATA) / "messages" / "labelled_raw.csv.gz"
ENDS = ("confirmed", "disputed_then_confirmed", "unanswered", "withdrawn", "asked_first")

pytestmark = pytest.mark.skipif(not DATA, reason="FEEDBACK_DATA_DIR is not set: there are no real messages to import")


def test_imported_messages_are_driven_to_their_end(app: Flask, county: County, tmp_path: Path) -> None:
    drive(app, county, tmp_path, 50)


@pytest.mark.slow
def test_a_thousand_imported_messages_are_driven_to_their_end(app: Flask, county: County, tmp_path: Path) -> None:
    drive(app, county, tmp_path, 1000)


def drive(app: Flask, county: County, folder: Path, count: int) -> None:
    """Import `count` messages by the command, twice; drive each to one of ENDS; look at every invariant."""
    path = first_messages(folder, count)
    command = ["tickets", "import", str(path), "--source", "letters", "--submitter", "s", "--json"]
    command += ["--map", "source_id=id"]
    runner = app.test_cli_runner()
    first = json.loads(runner.invoke(args=command).stdout)
    again = json.loads(runner.invoke(args=command).stdout)
    assert (first["added"], again["added"], again["already"]) == (count, 0, count)

    now = utc_now()
    references = current_session().scalars(select(Ticket.reference).order_by(Ticket.id)).all()
    for reference, end in zip(references, itertools.cycle(ENDS), strict=False):
        now += timedelta(seconds=20)
        Journey(county, reference, now).to(end)
    for later in sweeps(now + timedelta(days=20)):
        run_sweep(later, by="test")

    session = current_session()
    session.expire_all()
    states = Counter(state_of(t.status, t.closure_reason) for t in session.scalars(select(Ticket)))
    expected = Counter(
        {"confirmed": "closed.confirmed", "unanswered": "closed.unanswered", "withdrawn": "closed.withdrawn"}.get(
            end, "closed.confirmed"
        )
        for end, _ in zip(itertools.cycle(ENDS), references, strict=False)
    )
    assert states == expected
    assert list(find_faults(session)) == []
    assert list(audit.verify(session)) == []


def first_messages(folder: Path, count: int) -> Path:
    """The first messages as a file with just the columns an import needs."""
    path = folder / "messages.csv"
    with gzip.open(MESSAGES, "rt", encoding="utf-8", newline="") as source, path.open("w", newline="") as target:
        writer = csv.DictWriter(target, ["id", "title", "text"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(itertools.islice(csv.DictReader(source), count))
    return path


def sweeps(until: datetime) -> Iterator[datetime]:
    """An instant every six hours for the twenty days before `until`, so that no reminder is lost."""
    return (until - timedelta(hours=6 * step) for step in range(80, -1, -1))


class Journey:
    """One ticket on its way, a minute a step."""

    def __init__(self, county: County, reference: str, now: datetime) -> None:
        self.county, self.reference, self.now = county, reference, now

    def act(self, login: str, name: str, **fields: object) -> None:
        self.now += timedelta(minutes=1)
        actor = self.county.actor(login, self.now)
        run_action(name, self.reference, fields, actor=actor, now=self.now)

    def to(self, end: str) -> None:
        """Take it all the way; a dispatcher chooses where the catalogue was not sure."""
        lead = self.dispatched_to()
        if end == "withdrawn":
            self.act("s", "withdraw", reason="已经协商解决", asked_to=False)
            return
        worker = {"water": "hw", "roads": "hr", "a": "ha"}[lead]
        self.act(worker, "acknowledge")
        if end == "asked_first":
            self.act(worker, "ask_submitter", text="请补充具体地点和时间。")
            self.act("s", "answer", text="地点和时间以来信为准。")
        self.act(worker, "reply", text="来信已阅，今天安排现场核实。")
        self.act(worker, "resolve", outcome="solved", text="经现场核实，已处理完毕。")
        if end == "disputed_then_confirmed":
            self.act("s", "dispute", reason="现场仍未处理")
            self.act(worker, "resolve", outcome="partly", text="已再次处理，余下部分排入计划。")
        if end != "unanswered":
            self.act("s", "confirm", verdict="solved", rating=4)

    def dispatched_to(self) -> str:
        session = current_session()
        session.expire_all()
        ticket = session.scalars(select(Ticket).where(Ticket.reference == self.reference)).one()
        if ticket.status == "submitted":
            self.act("dp1", "dispatch", lead="a")
            return "a"
        codes = {unit.id: code for code, unit in self.county.units.items()}
        return codes[ticket.lead_unit_id or 0]
