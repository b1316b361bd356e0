"""The judge sees what it is there to see: a ticket that was told and is gone, one made twice, one that is half there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from feedback.intake.submission import submit_ticket
from feedback.kernel.idempotency import Once
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.sla.models import SlaClock
from feedback.tickets.models import TimelineEntry
from tests.faults.ledger import ANSWERED, Call, Ledger
from tests.faults.verdict import Verdict, judge_intake
from tests.support.county import START, County


def submit(county: County, ledger: Ledger, key: str, as_key: str = "") -> str:
    """A submission as a client would make it and write it down; its reference."""
    once = Once("caller", "POST /tickets", as_key or key, "body")
    done = submit_ticket({"text": f"Dark. key={key}."}, actor=county.actor("s"), now=START, once=once)
    if not as_key:
        ledger.write("asked", key=key)
    ledger.write("call", **vars(Call(key, ANSWERED, 0.0, 1.0, 201, done.reference)))
    return done.reference


def judge(session: Session, ledger: Ledger) -> Verdict:
    verdict = Verdict("F1", "sqlite", 1)
    judge_intake(session, ledger, verdict)
    return verdict


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger")
    yield made
    made.close()


def test_judge_finds_nothing_where_all_is_whole(session: Session, county: County, ledger: Ledger) -> None:
    submit(county, ledger, "k1")
    submit(county, ledger, "k2")
    verdict = judge(session, ledger)
    assert verdict.holds, verdict.remarks


def test_judge_counts_a_told_ticket_that_is_not_there_as_lost(session: Session, county: County, ledger: Ledger) -> None:
    submit(county, ledger, "k1")
    ledger.write("asked", key="k2")
    ledger.write("call", **vars(Call("k2", ANSWERED, 0.0, 1.0, 201, "ZD-GONE1-GONE2")))
    assert judge(session, ledger).lost == 1


def test_judge_counts_a_submission_that_is_no_ticket_as_lost(session: Session, county: County, ledger: Ledger) -> None:
    submit(county, ledger, "k1")
    ledger.write("asked", key="k2")
    assert judge(session, ledger).lost == 1


def test_judge_counts_a_key_with_two_tickets_as_double(session: Session, county: County, ledger: Ledger) -> None:
    submit(county, ledger, "k1")
    submit(county, ledger, "k1", as_key="another")
    assert judge(session, ledger).double >= 1


@pytest.mark.parametrize("table", [SlaClock, Outbox, TimelineEntry])
def test_judge_counts_a_ticket_without_all_its_rows_as_half(
    session: Session, county: County, ledger: Ledger, table: type[SlaClock | Outbox | TimelineEntry]
) -> None:
    submit(county, ledger, "k1")
    with transaction() as writing:
        writing.execute(delete(table))
    assert judge(session, ledger).half >= 1


def test_judge_counts_rows_of_no_ticket_as_half(session: Session, county: County, ledger: Ledger) -> None:
    submit(county, ledger, "k1")
    with transaction() as writing:
        writing.add(Outbox(event="ticket.submitted", ticket_id=99, version=1, created_at=START, available_at=START))
    assert judge(session, ledger).half == 1


def test_run_counts_only_where_nine_in_ten_kills_landed() -> None:
    assert Verdict("F1", "sqlite", 1, kills=20, landed=18).is_counted
    assert not Verdict("F1", "sqlite", 1, kills=20, landed=17).is_counted
