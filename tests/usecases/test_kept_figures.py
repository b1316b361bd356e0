"""What a ticket keeps for the figures is what a full count finds, whatever happens to it and to others on the same matter."""

from __future__ import annotations

import importlib.util
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import select, update

from feedback.intake.submission import submit_ticket
from feedback.kernel.actor import SYSTEM, Actor
from feedback.kernel.db import db
from feedback.kernel.errors import Refused
from feedback.kernel.transaction import transaction
from feedback.reports.period import ReportQuery
from feedback.reports.queries import closure_report
from feedback.reports.recount import find_differences
from feedback.supervision.escalation import run_sweep
from feedback.tickets.actions import run_action
from feedback.tickets.figures import BITS, KEPT, find_wrongly_marked, keep_figures
from feedback.tickets.models import Ticket, TicketRequest
from tests.support.county import START, County, build_county
from tests.support.histories import Histories
from tests.support.journey import Journey
from tests.support.statements import counted_statements
from tests.usecases.test_reports import lay_histories

MIGRATION = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "0023_kept_figures.py"
PLACE = "Square, lamp 4"
ONWARD = ("dispatch", "acknowledge", "resolve", "confirm")
"""Steps tried more often than others, else hardly a ticket would come to its end."""
WHO = {
    "own": ("s", "s2", "s3"),
    "office": ("dp1", "d"),
    "hand": ("hw", "hr"),
    "decider": ("d", "lr", "su", "dp1", "lp"),
}


def differences(county: County) -> list[str]:
    county.session.rollback()
    return [str(one) for one in find_differences(county.session) if one.column in KEPT]


def marks(county: County, reference: str) -> set[str]:
    county.session.rollback()
    figures = county.session.scalars(select(Ticket.figures).where(Ticket.reference == reference)).one()
    return {name for name, bit in BITS.items() if figures & bit}


@dataclass
class Course:
    """Some tickets on a few matters, driven by chance; what is refused is let be."""

    county: County
    chance: random.Random
    now: datetime = START
    references: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def play(self, steps: int) -> None:
        """So many steps, and after each one that was taken the count."""
        for number in range(steps):
            self.now += timedelta(minutes=self.chance.choice((1, 60, 60 * 24, 60 * 24 * 4)))
            if number % 9 == 0 or not self.references:
                self._submit()
            elif self.chance.random() < 0.07:
                assert run_sweep(self.now, by="test").failures == 0
            elif not self._act():
                continue
            assert differences(self.county) == [], self.said[-30:]

    def _submit(self) -> None:
        fields = {
            "text": "The lamp on the square is dark",
            "area": "village",
            "category": self.chance.choice(("water", "works/b", None)),
            "place": self.chance.choice((PLACE, PLACE, None)),
            "privacy": self.chance.choice(("named", "confidential")),
        }
        by = self.chance.choice(WHO["own"])
        given = {name: value for name, value in fields.items() if value}
        self.references.append(submit_ticket(given, actor=self.county.actor(by, self.now), now=self.now).reference)
        self.said.append(f"{self.references[-1]} submit {given}")

    def _act(self) -> bool:
        reference = self.chance.choice(self.references[-4:])
        who, action, fields = self.chance.choice(self._offers(reference))
        login = "system" if who == "system" else self.chance.choice(WHO[who])
        actor = SYSTEM if who == "system" else self.county.actor(login, self.now)
        try:
            run_action(action, reference, fields, actor=actor, now=self.now)
        except Refused:
            return False
        self.said.append(f"{reference} {action} {login}")
        return True

    def _offers(self, reference: str) -> list[tuple[str, str, dict[str, Any]]]:
        unit = self.chance.choice(("water", "roads"))
        due = (self.now + timedelta(days=3)).isoformat()
        verdict, outcome = self.chance.choice(
            (("solved", "solved"), ("partly", "solved"), ("accepted", "not_possible"))
        )
        offers: list[tuple[str, str, dict[str, Any]]] = [
            ("office", "dispatch", {"lead": unit, "category": self.chance.choice(("water", None))}),
            ("hand", "acknowledge", {}),
            ("hand", "resolve", {"outcome": outcome, "text": "A new lamp was put in."}),
            ("own", "confirm", {"verdict": verdict, "rating": self.chance.choice((None, 1, 3, 5))}),
            ("own", "dispute", {"reason": "It is dark still."}),
            ("own", "reopen", {"reason": "It went out again."}),
            ("system", "lapse", {}),
            ("hand", "reply", {"text": "We come today."}),
            ("office", "transfer", {"unit": unit, "reason": "It is theirs."}),
            (
                "office",
                "reclassify",
                {"category": self.chance.choice(("water", "works/b")), "reason": "It is another."},
            ),
            ("office", "reclassify", {"area": self.chance.choice(("village", "town")), "reason": "It lies there."}),
            ("hand", "request_return", {"reason_code": "not_our_duty", "basis": "The list", "proposed_unit": "roads"}),
            ("hand", "request_extension", {"reason": "Parts", "due_at": due, "interim": "A lantern"}),
            ("own", "withdraw", {"reason": "It burns again.", "asked_to": False}),
            ("own", "appeal", {"text": "It was not heard."}),
            ("own", "unjoin", {"reason": "It is another lamp."}),
            ("office", "set_urgency", {"urgency": "urgent", "reason": "Children pass."}),
        ]
        elder = self.chance.choice(self.references)
        offers.append(("office", "join", {"into": elder}))
        offers += [offer for offer in offers if offer[1] in ONWARD] * 3
        pending = self.county.session.scalars(
            select(TicketRequest.id)
            .join(Ticket, Ticket.id == TicketRequest.ticket_id)
            .where(Ticket.reference == reference, TicketRequest.state == "pending")
        ).all()
        for request in pending:
            said = self.chance.choice(("granted", "refused"))
            offers += [("decider", "decide", {"request": request, "decision": said, "text": "So it is."})] * 8
        return offers


def play(county: County, seed: int, steps: int) -> Course:
    county.add_person("s3", "submitter@village")
    course = Course(county, random.Random(seed))
    course.play(steps)
    return course


@pytest.mark.parametrize("seed", [3, 11])
def test_kept_figures_of_a_random_course_are_the_full_count(county: County, seed: int) -> None:
    play(county, seed, 160)


@pytest.mark.postgres
def test_kept_figures_of_a_random_course_are_the_full_count_on_the_other_database(postgres_app: Flask) -> None:
    play(build_county(db.session()), 5, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_kept_figures_of_many_random_courses_are_the_full_count(county: County, seed: int) -> None:
    play(county, seed, 300)


def _confirmed(journey: Journey, **fields: Any) -> str:
    """A ticket that the catalogue sends to water, done and confirmed."""
    reference = journey.submit(**{"category": "water", "place": PLACE, **fields})
    journey.act(reference, "acknowledge", "hw")
    journey.act(reference, "resolve", "hw", outcome="solved", text="It was mended.")
    journey.act(reference, "confirm", "s", verdict="solved")
    return reference


def test_elder_is_told_when_its_matter_is_raised_again(any_county: County) -> None:
    journey = Journey(any_county, now=START)
    elder, elsewhere = _confirmed(journey), _confirmed(journey, place="Square, lamp 5")
    assert "raised_again" not in marks(any_county, elder)
    journey.now += timedelta(days=20)
    journey.submit(category="water", place=PLACE)
    assert "raised_again" in marks(any_county, elder)
    assert "raised_again" not in marks(any_county, elsewhere)
    assert differences(any_county) == []


def test_elder_is_told_when_a_younger_one_turns_out_to_be_of_its_matter_or_of_another(any_county: County) -> None:
    journey = Journey(any_county, now=START)
    elder = _confirmed(journey)
    younger, other = journey.submit(place=PLACE, category="works/b"), journey.submit(place=PLACE, category="works/b")
    assert "raised_again" not in marks(any_county, elder)
    journey.act(younger, "reclassify", "dp1", category="water", reason="A pipe")
    journey.act(other, "reclassify", "dp1", category="water", reason="A pipe")
    assert "raised_again" in marks(any_county, elder)
    journey.act(younger, "reclassify", "dp1", category="works/b", reason="A lamp")
    assert "raised_again" in marks(any_county, elder)
    journey.act(other, "reclassify", "dp1", category="works/b", reason="A lamp")
    assert "raised_again" not in marks(any_county, elder)
    assert differences(any_county) == []


def test_marks_of_rows_written_in_bulk_are_found_and_set_right(any_county: County) -> None:
    journey = Journey(any_county, now=START)
    elder = _confirmed(journey)
    _confirmed(journey, place="Square, lamp 5")
    journey.submit(category="water", place=PLACE)
    told = journey.ticket(elder)
    with transaction() as session:
        session.execute(update(Ticket).values(figures=0))
        assert find_wrongly_marked(session) == [told.id]
        keep_figures(session, [told.id])
        assert find_wrongly_marked(session) == []
    assert "raised_again" in marks(any_county, elder)


def test_closing_is_not_raised_again_after_thirty_days(any_county: County) -> None:
    journey = Journey(any_county, now=START)
    elder = _confirmed(journey)
    journey.now += timedelta(days=31)
    journey.submit(category="water", place=PLACE)
    assert "raised_again" not in marks(any_county, elder)
    assert differences(any_county) == []


def test_a_step_costs_one_statement_for_the_figures_and_a_submission_without_a_place_none(county: County) -> None:
    journey = Journey(county, now=START)
    reference = journey.to("in_progress")
    with counted_statements() as sent:
        journey.act(reference, "reply", "hw", text="We come today.")
    assert len([one for one in sent if "good_ratings=" in one]) == 1
    with counted_statements() as sent:
        journey.submit()
    assert [one for one in sent if "good_ratings=" in one] == []
    with counted_statements() as sent:
        journey.submit(place=PLACE, category="water")
    assert len([one for one in sent if "good_ratings=" in one]) == 1


def test_report_reads_no_table_of_events(county: County) -> None:
    lay_histories(county)
    actor, now = county.actor("lr"), START + timedelta(days=70)
    query = ReportQuery.parse({"from": "2026-03-01", "to": "2026-03-31", "by": "unit"})
    with counted_statements() as sent:
        closure_report(county.session, actor, query, now=now)
    told = " ".join(sent)
    for table in ("timeline", "verdict", "ticket_request", "sla_clock", "ticket_link"):
        assert f" {table} " not in told


def test_migration_fills_what_the_steps_keep(any_county: County) -> None:
    lay_histories(any_county)
    histories = Histories(any_county)
    histories.count = 50
    for place in (PLACE, None):
        histories.add(
            "water", ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "partly", 2), place=place
        )
        histories.add("water", submitted="2026-03-20 09:00", place=place, privacy="confidential")
    play(any_county, 7, 60)
    kept = _all_kept(any_county)
    assert any(any(row[1:]) for row in kept)
    with transaction() as session:
        session.execute(update(Ticket).values(dict.fromkeys(KEPT, 0) | {"first_office_id": None}))
    assert _all_kept(any_county) != kept
    spec = importlib.util.spec_from_file_location("kept_figures", MIGRATION)
    assert spec is not None
    assert spec.loader is not None
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    with transaction() as session, Operations.context(MigrationContext.configure(session.connection())):
        migration.fill()
    assert _all_kept(any_county) == kept


def _all_kept(county: County) -> list[Any]:
    county.session.rollback()
    columns = (Ticket.id, *(Ticket.__table__.c[name] for name in KEPT))
    return [
        tuple(row)
        for row in county.session.execute(select(*columns).where(Ticket.origin == "loop").order_by(Ticket.id))
    ]


@pytest.mark.postgres
def test_elder_confirmed_while_its_matter_is_raised_again_is_told_on_postgres(postgres_app: Flask) -> None:
    """Either of the two commits first: the other waits for it, and sees it."""
    county = build_county(db.session())
    journey = Journey(county, now=START)
    for number in range(6):
        place = f"Square, lamp {number}"
        elder = journey.submit(category="water", place=place)
        journey.act(elder, "acknowledge", "hw")
        journey.act(elder, "resolve", "hw", outcome="solved", text="It was mended.")
        at = journey.now + timedelta(hours=1)
        confirming, raising = county.actor("s", at), county.actor("s2", at)
        together = Barrier(2)

        def confirm(reference: str = elder, actor: Actor = confirming, now: datetime = at) -> None:
            with postgres_app.app_context():
                together.wait()  # noqa: B023
                run_action("confirm", reference, {"verdict": "solved"}, actor=actor, now=now)
                db.session.remove()

        def raise_again(named: str = place, actor: Actor = raising, now: datetime = at) -> None:
            with postgres_app.app_context():
                together.wait()  # noqa: B023
                fields = {"text": "The lamp is dark", "area": "village", "category": "water", "place": named}
                submit_ticket(fields, actor=actor, now=now)
                db.session.remove()

        threads = [Thread(target=confirm), Thread(target=raise_again)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert "raised_again" in marks(county, elder)
        assert differences(county) == []
        journey.now = at
