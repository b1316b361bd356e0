"""One action on several tickets of a list: each on its own, each with what came of it; nothing fails in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, Refused
from feedback.people.queries import colleagues
from feedback.tickets.actions import run_action
from feedback.web.forms.base import option
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

ACTIONS = ("acknowledge", "assign")
"""What may be done to several tickets at once: nothing that needs words of its own."""
MOST = 100
WORKING = ("handler", "unit_head")


@dataclass(frozen=True)
class Outcome:
    """What came of one ticket; `why_not` is empty where it is done."""

    reference: str
    why_not: str = ""


def act_on_each(
    references: Sequence[str], action: str, fields: Mapping[str, Any], *, actor: Actor, now: datetime
) -> list[Outcome]:
    """Carry out the action on each ticket by itself, in the order given; one that is refused stops no other."""
    return [Outcome(r, _why_not(r, action, fields, actor, now)) for r in dict.fromkeys(references)]


def _why_not(reference: str, action: str, fields: Mapping[str, Any], actor: Actor, now: datetime) -> str:
    try:
        run_action(action, reference, fields, actor=actor, now=now)
    except Invalid as refused:
        return " ".join(text.render(_) for text in refused.errors.values())
    except Refused as refused:
        return refused.text.render(_)
    except OperationalError:
        session().rollback()
        return _("The system was busy just then. Please try this one again.")
    return ""


def report_of(action: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """{title, rows: [{reference, url, words}], tone}: how many are done, and each that is not, with the reason."""
    done = [outcome for outcome in outcomes if not outcome.why_not]
    failed = [outcome for outcome in outcomes if outcome.why_not]
    sentences = []
    if done:
        sentences.append(_done_words(action, len(done)))
    if failed:
        sentences.append(ngettext("%(num)d is not:", "%(num)d are not:", len(failed)))
    return {
        "title": " ".join(sentences) or _("Choose at least one ticket first."),
        "tone": "soon" if failed or not done else "done",
        "rows": [
            {
                "reference": one.reference,
                "url": url_for("ticket.show", reference=one.reference),
                "words": one.why_not,
            }
            for one in failed
        ],
    }


def _done_words(action: str, number: int) -> str:
    if action == "acknowledge":
        return ngettext("%(num)d ticket is signed for.", "%(num)d tickets are signed for.", number)
    if action == "join":
        return ngettext("%(num)d ticket is joined.", "%(num)d tickets are joined.", number)
    return ngettext("%(num)d ticket is assigned.", "%(num)d tickets are assigned.", number)


def colleague_options(session: Session, actor: Actor, now: datetime) -> list[Any]:
    """Who of the actor's own units may be given tickets, the actor first."""
    unit_ids = {grant.unit_id for grant in actor.grants_for(*WORKING)}
    people = colleagues(session, unit_ids, WORKING, now)
    ranked = sorted(people, key=lambda one: one.account_id != actor.account_id)
    return [option(person.login, person.name) for person in ranked]
