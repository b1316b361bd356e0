"""The judge of files sees one that is gone, one that is there twice, a row without its bytes, and bytes that changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from feedback.files.store import new_key
from feedback.intake.submission import submit_ticket
from feedback.kernel.transaction import transaction
from feedback.tickets.models import Attachment
from tests.faults.clients import words_of
from tests.faults.files import Sent
from tests.faults.kept import judge_files
from tests.faults.ledger import Ledger
from tests.faults.twin import plant_twin
from tests.faults.verdict import Verdict
from tests.support.county import START, County
from tests.support.files import kept, on_disk, store

TEXTS = (Sent("0.csv", b"a,1\n", is_picture=False), Sent("1.csv", b"b,2\n", is_picture=False))


@pytest.fixture
def ledger(session: Session, county: County, tmp_path: Path) -> Iterator[Ledger]:
    """Of a ticket that came with two texts, of one of which its sender was told by itself."""
    made = Ledger(tmp_path / "ledger")
    files = tuple(found for text in TEXTS for found in kept(text.data, name=text.name))
    submit_ticket({"text": words_of("k1")}, actor=county.actor("s"), now=START, files=files)
    for text in TEXTS:
        made.write("file", **text.as_line("k1"))
    row = session.scalars(select(Attachment).order_by(Attachment.id)).first()
    assert row is not None
    made.write("file told", key="k1", name=TEXTS[0].name, id=row.id, sha256=row.sha256, state=row.state)
    session.rollback()
    yield made
    made.close()


def judge(session: Session, ledger: Ledger) -> tuple[int, int, int]:
    """How many are lost, double, half; whatever was planted and not committed is gone afterwards."""
    verdict = Verdict("F1", "sqlite", 1)
    session.expire_all()
    judge_files(session, store(), ledger, verdict)
    session.rollback()
    return verdict.lost, verdict.double, verdict.half


def test_judge_finds_files_that_are_not_there_or_there_twice(session: Session, ledger: Ledger) -> None:
    assert judge(session, ledger) == (0, 0, 0)
    first, second = session.scalars(select(Attachment.id).order_by(Attachment.id)).all()
    ledger.write("file told", key="k1", name=TEXTS[1].name, id=99, sha256="", state="clean")
    assert judge(session, ledger) == (1, 0, 0), "told and not there"
    ledger.write("file told", key="k1", name=TEXTS[1].name, id=second, sha256="", state="pending")
    assert judge(session, ledger) == (1, 1, 0), "and told under two ids"
    session.execute(update(Attachment).where(Attachment.id == second).values(sha256="0" * 64))
    assert judge(session, ledger) == (2, 1, 1), "and not as it was sent"
    plant_twin(Attachment, first)
    assert judge(session, ledger) == (1, 3, 0), "there twice"


def test_judge_finds_rows_and_bytes_that_do_not_belong_together(session: Session, ledger: Ledger) -> None:
    store().put(new_key(), b"of nobody")
    assert judge(session, ledger) == (0, 0, 0)
    assert len(on_disk()) == 2, "an orphan is removed and no fault"
    whole = on_disk()[0].read_bytes()
    on_disk()[0].write_bytes(whole[:-1])
    assert judge(session, ledger) == (0, 0, 1), "half its bytes"
    on_disk()[0].unlink()
    assert judge(session, ledger) == (0, 0, 1), "no bytes"


def test_judge_counts_a_file_whose_row_is_gone_as_lost(session: Session, ledger: Ledger) -> None:
    with transaction() as writing:
        writing.execute(delete(Attachment))
    assert judge(session, ledger) == (4, 0, 0), "two too few, one told, and each not as it was sent"
