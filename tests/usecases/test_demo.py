"""The demo obeys the rules it is there to show: every role and state, legal histories, whole trails, equal counters."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.demo.county import PASSWORD, demo_accounts
from feedback.demo.load import Loaded, load_demo
from feedback.demo.programme import PROGRAMME, choose_acts
from feedback.demo.texts import stories
from feedback.factory import create_app
from feedback.kernel import audit
from feedback.kernel.actor import ROLES
from feedback.kernel.db import db
from feedback.kernel.errors import Conflict
from feedback.people.models import Account, Unit
from feedback.people.passwords import check_password, verify_password
from feedback.reports.invariants import find_faults
from feedback.reports.recount import find_differences
from feedback.routing.models import CatalogueRow, Category
from feedback.supervision.escalation import run_sweep
from feedback.tickets.models import Message, Ticket, TimelineEntry
from tests.conftest import make_settings
from tests.support.calendars import at

NOW = at("2026-05-20 15:00").astimezone(UTC)
"""A Wednesday; the story begins in March."""


def load(tickets: int = 0) -> Loaded:
    return load_demo(tickets=tickets, seed=1, now=NOW)


@pytest.fixture(scope="module")
def told_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a demo of eighty tickets; tests that only read share it."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(sqlite_template, folder / "zhida.db")
    with create_app(make_settings(folder, f"sqlite:///{folder / 'zhida.db'}")).app_context():
        load(80)
        db.session.remove()
        db.engine.dispose()
    return folder / "zhida.db"


@pytest.fixture
def told(told_file: Path, tmp_path: Path) -> Iterator[Session]:
    """A copy of that file, open."""
    shutil.copy(told_file, tmp_path / "zhida.db")
    with create_app(make_settings(tmp_path, f"sqlite:///{tmp_path / 'zhida.db'}")).app_context():
        yield db.session()
        db.session.remove()
        db.engine.dispose()


def check_whole(session: Session) -> None:
    """Every state that the built actions reach, and nothing that must not be."""
    states = {tuple(row) for row in session.execute(select(Ticket.status, Ticket.closure_reason))}
    assert states >= {
        ("submitted", None),
        ("dispatched", None),
        ("in_progress", None),
        ("waiting_for_submitter", None),
        ("resolved", None),
        ("closed", "confirmed"),
        ("closed", "unanswered"),
        ("closed", "declined"),
        ("closed", "withdrawn"),
        ("closed", "joined"),
    }
    assert [str(fault) for fault in find_faults(session)] == []
    assert [str(difference) for difference in find_differences(session)] == []
    assert list(audit.verify(session)) == []


def test_demo_reaches_every_state_with_legal_histories(told: Session) -> None:
    check_whole(told)


def test_demo_is_the_same_on_the_other_database(postgres_app: Flask) -> None:
    loaded = load(len(PROGRAMME) + 4)
    session = db.session()
    assert loaded.tickets == session.scalar(select(func.count()).select_from(Ticket)) == len(PROGRAMME) + 4
    assert loaded.left_out.total() < loaded.steps.total() / 20
    check_whole(session)


def test_demo_tells_of_everything_that_people_do(told: Session) -> None:
    session = told
    done = set(session.scalars(select(TimelineEntry.action).distinct()))
    assert done >= {
        "submit", "dispatch", "acknowledge", "reply", "note", "ask_submitter", "answer", "wake", "assign", "transfer",
        "resolve", "confirm", "dispute", "reopen", "lapse", "withdraw", "urge", "decline", "decide", "reclassify",
        "set_urgency", "comment", "add_leg", "answer_leg", "request_extension", "join", "add_seat",
    }  # fmt: skip
    for condition in (
        Ticket.is_about,
        Ticket.privacy == "confidential",
        Ticket.channel == "on_behalf",
        Ticket.kind == "burden_lead",
        Ticket.kind == "question",
        Ticket.due_at < NOW,
        Ticket.reopen_count > 0,
    ):
        assert session.scalar(select(func.count()).select_from(Ticket).where(condition)), str(condition)
    assert session.scalar(select(func.count()).where(TimelineEntry.at > NOW)) == 0
    assert "{" not in "".join(session.scalars(select(Message.body)))


def test_demo_is_as_the_sweeps_would_have_left_it(told: Session) -> None:
    outcome = run_sweep(NOW, by="test")
    assert (outcome.actions, outcome.failures) == (0, 0)


def test_visitor_finds_a_sign_in_of_every_role(app: Flask) -> None:
    load(0)
    session = db.session()
    accounts = demo_accounts(session)
    held = {account.role for account in accounts} | {
        grant.partition("@")[0] for account in accounts for grant in account.more
    }
    assert held == set(ROLES)
    check_password(PASSWORD, "cun01")
    stored = session.scalars(select(Account).where(Account.login == "shuiwu-li")).one()
    assert stored.is_demo
    assert verify_password(stored.password_hash, PASSWORD)
    printed = app.test_cli_runner().invoke(args=["demo", "accounts", "--json"])
    first = json.loads(printed.output)[0]
    assert first == {"login": "cun01", "password": PASSWORD, "role": "submitter", "unit": "hh-sdc"}


def test_demo_has_a_county_of_three_levels(app: Flask) -> None:
    load(0)
    session = db.session()
    rows = session.execute(select(Unit.level, func.count()).where(Unit.kind == "region").group_by(Unit.level))
    levels = {row[0]: row[1] for row in rows}
    assert levels == {"county": 1, "town": 8, "village": 24}
    departments = session.scalar(select(func.count()).where(Unit.kind == "department", Unit.level == "county"))
    assert departments == 22
    assert len(session.scalars(select(CatalogueRow.id)).all()) >= 60
    assert session.scalar(select(func.count()).where(Category.name_en.is_(None))) == 0
    assert session.scalar(select(func.count()).where(Unit.name_en.is_(None))) == 0


def test_demo_is_for_an_empty_site_only(app: Flask) -> None:
    load(0)
    with pytest.raises(Conflict):
        load(0)


def test_production_refuses_the_demo(app: Flask) -> None:
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], env="production")
    answer = app.test_cli_runner().invoke(args=["demo", "load"])
    assert answer.exit_code == 1
    assert "FEEDBACK_ENV" in answer.output
    assert db.session().scalar(select(func.count()).select_from(Unit)) == 0


@pytest.mark.slow
def test_equal_seeds_tell_equal_stories(sqlite_template: Path, tmp_path: Path) -> None:
    def tale(name: str, seed: int) -> list[str]:
        path = tmp_path / name
        shutil.copy(sqlite_template, path)
        with create_app(make_settings(tmp_path, f"sqlite:///{path}")).app_context():
            load_demo(tickets=12, seed=seed, now=NOW)
            found = db.session().scalars(select(Message.body).order_by(Message.ticket_id, Message.version)).all()
            db.session.remove()
            db.engine.dispose()
        return list(found)

    first = tale("a.db", 5)
    assert first == tale("b.db", 5)
    assert first != tale("c.db", 6)


@pytest.mark.parametrize("tickets", [0, 1, 7, 35, 36, 60, 120, 1000])
def test_programme_has_as_many_acts_as_tickets(tickets: int) -> None:
    acts = choose_acts(tickets)
    assert len(acts) == tickets
    if tickets >= len(PROGRAMME):
        assert set(map(id, acts)) == set(map(id, PROGRAMME))


def test_stories_are_short_and_whole() -> None:
    assert len(stories()) >= 60
    for story in stories():
        assert 10 <= len(story.text) <= 120
        assert story.reply
        assert story.done
        assert story.kind in ("demand", "suggestion", "question", "burden_lead")
