"""Whether each file of each ticket is there once and whole: rows and bytes beside what was sent and told. Removes orphans."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.files.store import Store
from feedback.files.uploads import CLEAN, PENDING
from feedback.intake.file_care import YOUNG, remove_orphans
from feedback.kernel.clock import utc_now
from feedback.tickets.models import Attachment
from tests.faults.ledger import Ledger
from tests.faults.verdict import Verdict, keys_of_tickets


def is_clean(session: Session) -> bool:
    """Whether no file waits to be cleaned any more."""
    waiting = session.scalar(select(func.count()).where(Attachment.state == PENDING))
    session.rollback()
    return not waiting


def judge_files(session: Session, store: Store, ledger: Ledger, verdict: Verdict) -> None:
    """A file that is not on its ticket is lost, one that is there twice double, a row without its bytes (or the other

    way round, once orphans were removed) half.
    """
    keys = keys_of_tickets(session)
    rows = list(session.scalars(select(Attachment).order_by(Attachment.id)))
    there: dict[str, list[Attachment]] = defaultdict(list)
    for row in rows:
        there[keys.get(row.ticket_id, "")].append(row)
    sent: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in ledger.lines("file"):
        sent[line["key"]].append(line)
    for key in {*there, *sent}:
        _compare(key, sent[key], there[key], verdict)
    _compare_told(ledger, {row.id: row for row in rows}, keys, verdict)
    verdict.note("half", [f"{row.name}: {fault}" for row in rows if (fault := _fault_of(row, store))])
    before = sum(1 for _ in store.stored())
    named, count = {row.storage_key for row in rows}, len(rows)
    removed = remove_orphans(session, store, now=utc_now() + 2 * YOUNG)
    verdict.note("half", [f"{each.key} is no file's" for each in store.stored() if each.key not in named])
    verdict.figures |= {"files": count, "stored_before_tidying": before, "orphans_removed": removed}


def _compare(key: str, sent: list[dict[str, Any]], there: list[Attachment], verdict: Verdict) -> None:
    """One ticket: as many files as were sent, and each text as it was sent (a picture is made anew)."""
    missing = len(sent) - len(there)
    if missing:
        said = f"{key or 'a ticket of nobody'}: {len(sent)} files were sent, {len(there)} are there"
        verdict.note("lost" if missing > 0 else "double", [said])
    shas = Counter(row.sha256 for row in there)
    texts = [line for line in sent if not line["is_picture"]]
    verdict.note(
        "lost", [f"{key}: {line['name']} is not there as it was sent" for line in texts if not shas[line["sha256"]]]
    )
    verdict.note("double", [f"{key}: {sha256} is there {count} times" for sha256, count in shas.items() if count > 1])


def _compare_told(ledger: Ledger, rows: dict[int, Attachment], keys: dict[int, str], verdict: Verdict) -> None:
    ids: dict[tuple[str, str], set[int]] = defaultdict(set)
    for told in ledger.lines("file told"):
        ids[told["key"], told["name"]].add(told["id"])
        row = rows.get(told["id"])
        if row is None or keys.get(row.ticket_id) != told["key"]:
            verdict.note("lost", [f"{told['key']}: file {told['id']} was told and is not on its ticket"])
        elif told["state"] == CLEAN and row.sha256 != told["sha256"]:
            verdict.note("lost", [f"{told['key']}: file {told['id']} has become another"])
    verdict.note("double", [f"{each} was told to be {sorted(found)}" for each, found in ids.items() if len(found) > 1])


def _fault_of(row: Attachment, store: Store) -> str:
    if row.state == PENDING:
        return "was never cleaned"
    if row.state != CLEAN:
        return f"was refused ({row.problem})"
    data = store.get(row.storage_key)
    if data is None:
        return "has no bytes"
    return "" if (hashlib.sha256(data).hexdigest(), len(data)) == (row.sha256, row.size) else "has other bytes"
