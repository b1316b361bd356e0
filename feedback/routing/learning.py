"""A new category model: trained in a child process, judged on the site's own holdout, put in force, taken back.

What it learns from is given: routing knows no ticket.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.apart import ChildFailed, run_apart
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Conflict, Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.rights import check_site_admin
from feedback.routing.evaluation import evaluate
from feedback.routing.examples import Example, count_labels, read_lines, write_lines
from feedback.routing.learned import LearnedModel
from feedback.routing.model_file import UnfitModel, unpack
from feedback.routing.models import CategoryModel
from feedback.routing.served_model import current_model, read_model

KEPT_VERSIONS = 5
FEWEST_PER_LABEL = 3
FEWEST_EXAMPLES = 100
"""Labelled tickets from which a site's own training begins; a hundred give two right ones of three."""
FEWEST_IN_FILES = 10
FEWEST_HELD = 20
"""Held-back tickets of labels that the new model knows, from which two models are compared."""
TRAINING_SECONDS = 900.0
_OF_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Trained:
    """What became of a training. `held`: how many held-back tickets were compared; `before`, `after`: accuracy on them."""

    version: int
    is_in_force: bool
    figures: dict[str, Any]
    rare: dict[str, int]
    held: int
    before: float | None
    after: float | None


def train_model(
    examples: Sequence[Example],
    *,
    holdout: Sequence[Example],
    from_files: Sequence[Example] = (),
    tickets: int = 0,
    actor: Actor,
    now: datetime,
) -> Trained:
    """Train on these examples; put the model in force where it is no worse on `holdout` than the one before.

    `from_files` are those of the examples that came in files (kept for the next training), `tickets` says how many are
    tickets. Forbidden for who is no admin; Invalid where there is too little to learn from; Conflict where the training
    process failed: the model before stays.
    """
    check_site_admin(actor)
    counts = count_labels(examples)
    rare = {label: number for label, number in counts.items() if number < FEWEST_PER_LABEL}
    learned = [each for each in examples if each.label not in rare]
    if len(counts) - len(rare) < 2 or len(learned) < FEWEST_IN_FILES:
        raise Invalid(
            {
                "file": Text(
                    N_(
                        "Too little to learn from: it takes two labels with %(fewest)s texts each, %(all)s texts in all."
                    ),
                    fewest=FEWEST_PER_LABEL,
                    all=FEWEST_IN_FILES,
                )
            }
        )
    packed = _in_child(learned)
    model = LearnedModel(unpack(packed))
    # Judged before the transaction: nobody waits for their turn to write meanwhile.
    held, before, after = _compare(current_session(), model, holdout)
    with transaction() as session:
        takes_over = before is None or after is None or after >= before
        row = CategoryModel(
            trained_at=now,
            trained_by=actor.audit_name(),
            digest=hashlib.sha256(packed).hexdigest(),
            figures={**model.parts.figures, "tickets": tickets, "held": held, "before": before, "after": after},
            in_force_at=now if takes_over else None,
            packed=packed,
            learned_from=gzip.compress(write_lines(from_files), 6) if from_files else None,
        )
        session.add(row)
        session.flush()
        facts = {"version": row.version, "in_force": takes_over, "held": held, "before": before, "after": after}
        audit.record(
            session, "settings", actor=actor.audit_name(), action="category_model.trained", now=now, facts=facts
        )
        _forget_old(session)
        return Trained(row.version, takes_over, dict(row.figures), rare, held, before, after)


def ask_for_training(*, actor: Actor, now: datetime) -> None:
    """Note that somebody asked for a training now; a job does it. Forbidden for who is no admin."""
    check_site_admin(actor)
    with transaction() as session:
        audit.record(session, "settings", actor=actor.audit_name(), action="category_model.training_asked", now=now)


def roll_back(version: int | None, *, actor: Actor, now: datetime) -> int:
    """Put an earlier version in force again: the one named, else the one in force before. Gives its number.

    Forbidden for who is no admin; NotFound for an unknown version; Conflict where it can't be read or is in force.
    """
    check_site_admin(actor)
    with transaction() as session:
        rows = list_models(session)
        in_force = next((row for row in rows if row.in_force_at is not None), None)
        wanted = [row for row in rows if row is not in_force and row.in_force_at] if version is None else rows
        row = next((row for row in wanted if version in (None, row.version)), None)
        if row is None:
            raise NotFound(Text(N_("There is no such version of the category model.")))
        if row is in_force:
            raise Conflict(Text(N_("This version is in force already.")))
        try:
            read_model(session, row.version)
        except UnfitModel as unfit:
            raise Conflict(
                Text(N_("Version %(version)s can't be used: %(reason)s."), version=row.version, reason=str(unfit))
            ) from unfit
        row.in_force_at = now
        facts = {"version": row.version, "from": in_force.version if in_force else None}
        audit.record(
            session, "settings", actor=actor.audit_name(), action="category_model.rolled_back", now=now, facts=facts
        )
        return row.version


def list_models(session: Session) -> list[CategoryModel]:
    """The versions that are kept: those that were in force first, the latest of them at the top, then the others."""
    rows = list(session.scalars(select(CategoryModel)))
    return sorted(rows, key=lambda row: (row.in_force_at is None, -_seconds(row.in_force_at), -row.version))


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def examples_from_files(session: Session) -> list[Example]:
    """What the model in force learned from files."""
    served = current_model(session)
    query = select(CategoryModel.learned_from).where(CategoryModel.version == (served.version if served else 0))
    packed = session.scalar(query)
    return read_lines(gzip.decompress(packed)) if packed else []


def _compare(
    session: Session, model: LearnedModel, holdout: Sequence[Example]
) -> tuple[int, float | None, float | None]:
    """How many held-back tickets count, and the accuracy of the old and the new model on them (None: too few, or no old one)."""
    known = [each for each in holdout if each.label in model.parts.labels]
    if len(known) < FEWEST_HELD:
        return len(known), None, None
    served = current_model(session)
    after = evaluate(model, known, None).accuracy
    return len(known), evaluate(served.model, known, None).accuracy if served else None, after


def _forget_old(session: Session) -> None:
    """Keep the versions that were in force last, and the newest of the others."""
    rows = list_models(session)
    newest = max(row.version for row in rows)
    for row in [row for row in rows if row.version != newest][KEPT_VERSIONS - 1 :]:
        session.delete(row)


def _in_child(examples: Sequence[Example]) -> bytes:
    """The bytes of a model trained in a process of its own, with no key and no database in its environment."""
    said = [write_lines(examples)]
    try:
        return run_apart(
            "feedback.routing.training", said, seconds=TRAINING_SECONDS, keep=_OF_BLAS, environ=_ONE_THREAD
        )
    except ChildFailed as error:
        raise _failed(str(error)) from error


def _failed(reason: str) -> Conflict:
    return Conflict(Text(N_("The training did not end well (%(reason)s). The model before stays."), reason=reason))
