"""Who gets a ticket: the decision by the duty catalogue, with its reason. It writes nothing and knows no ticket.

Sure is only: one category (given, or named by the text's keywords alone), one row that answers for it, one lead in
force. Everything else goes to the dispatcher, with what speaks for whom.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.kernel.clock import local_day
from feedback.kernel.site import get_setting
from feedback.people.models import LEVELS, Unit
from feedback.people.queries import all_units, in_force_now
from feedback.routing.catalogue import Duty, load_catalogue
from feedback.routing.keywords import hear
from feedback.routing.models import Category

REASONS = (
    "sure",
    "no_category",
    "several_categories",
    "no_row",
    "tie",
    "burden_lead",
    "about_someone",
    "self_dispatch_off",
    "lead_unavailable",
    "not_below",
)
MOST_PROPOSALS = 3


@dataclass(frozen=True)
class Proposal:
    """What a dispatcher may take with one tap. `lead_id` None: the category speaks, but nobody answers for it here."""

    category_id: int
    lead_id: int | None
    words: tuple[str, ...]
    row_id: int | None


@dataclass(frozen=True)
class RoutingDecision:
    """Who gets it and why. `lead_id` None: the dispatcher decides. `words` are the catalogue's keywords that spoke."""

    category_id: int | None
    lead_id: int | None
    assist_ids: tuple[int, ...]
    row_id: int | None
    row_version: int | None
    reason: str
    words: tuple[str, ...]
    proposals: tuple[Proposal, ...]

    def facts(self) -> dict[str, Any]:
        """The decision as codes and ids, for ticket.routing and the timeline (JSON)."""
        return {
            "reason": self.reason,
            "category_id": self.category_id,
            "lead_id": self.lead_id,
            "assist_ids": list(self.assist_ids),
            "row_id": self.row_id,
            "row_version": self.row_version,
            "words": list(self.words),
            "proposals": [
                {"category_id": p.category_id, "lead_id": p.lead_id, "words": list(p.words), "row_id": p.row_id}
                for p in self.proposals
            ],
        }


def is_below(unit: Unit, not_below: str | None) -> bool:
    """Whether a unit lies lower than the lowest level that may be given the work (county, town; None: any)."""
    return not_below is not None and LEVELS.index(unit.level) > LEVELS.index(not_below)


@dataclass(frozen=True)
class _Answer:
    """What the catalogue says of one category here: why it is not sure (None: it is), and who could have it."""

    category_id: int
    problem: str | None
    duty: Duty | None = None
    lead_id: int | None = None
    assist_ids: tuple[int, ...] = ()
    fitting: tuple[tuple[Duty, int], ...] = ()


@dataclass
class _Judge:
    """What one decision looks at: the rows that answer for each category, and whom the ticket may not go to."""

    session: Session
    now: datetime
    shut_out: frozenset[int]
    rows: dict[int, tuple[Duty, ...]]

    def present(self, unit_id: int) -> Unit | None:
        """The unit, or what it was merged into; None where nothing is in force or the ticket is about it."""
        unit = in_force_now(all_units(self.session), unit_id, self.now)
        return None if unit is None or unit.id in self.shut_out else unit

    def answer(self, category_id: int) -> _Answer:
        duties = self.rows[category_id]
        if not duties:
            return _Answer(category_id, "no_row")
        found = [(duty, self.present(duty.lead_id)) for duty in duties]
        fitting: dict[int, Duty] = {}
        for duty, unit in found:
            if unit is not None and not is_below(unit, duty.not_below):
                fitting.setdefault(unit.id, duty)
        could = tuple((duty, lead_id) for lead_id, duty in fitting.items())
        problem = _problem([unit for _, unit in found], len(fitting))
        if problem:
            return _Answer(category_id, problem, fitting=could)
        duty, lead_id = could[0]
        assists = [self.present(i) for i in duty.assist_ids]
        if any(unit is not None and is_below(unit, duty.not_below) for unit in assists):
            return _Answer(category_id, "not_below", fitting=could)
        ids = dict.fromkeys(unit.id for unit in assists if unit is not None and unit.id != lead_id)
        return _Answer(category_id, None, duty, lead_id, tuple(ids), could)


def _problem(leads: list[Unit | None], fitting: int) -> str | None:
    if len({unit.id for unit in leads if unit is not None}) > 1:
        return "tie"
    if None in leads:
        return "lead_unavailable"
    return None if fitting else "not_below"


def decide_route(
    session: Session,
    *,
    text: str,
    category: Category | None,
    area: Unit,
    kind: str | None,
    is_about: bool,
    about_unit_ids: frozenset[int],
    now: datetime,
) -> RoutingDecision:
    """Who gets a ticket of this text (title and all), category and area, received at `now`.

    A given category's most exact row counts, of those the nearest area's upwards; without one the keywords of exactly
    one category. Burden leads and tickets about someone always go to the dispatcher. Source: the domain description.
    """
    catalogue = load_catalogue(session)
    day = local_day(now)
    heard = hear(text, catalogue.keywords_on(day))
    given = catalogue.present_id(category.id) if category else None
    asked = list(dict.fromkeys([given, *heard] if given is not None else heard))
    areas = area.ancestor_ids()
    judge = _Judge(session, now, about_unit_ids, {i: catalogue.nearest(i, areas, day) for i in asked})
    answers = [judge.answer(i) for i in asked]
    proposals = _proposals(answers, heard)
    chosen = answers[0] if given is not None or len(answers) == 1 else None
    unsure = "no_category" if not answers else "several_categories"
    problem = chosen.problem if chosen else unsure
    if is_about:
        reason = "about_someone"
    elif kind == "burden_lead":
        reason = "burden_lead"
    elif problem:
        reason = problem
    else:
        reason = "sure" if get_setting(session, "self_dispatch") else "self_dispatch_off"
    is_sure = reason == "sure" and chosen is not None
    words = tuple(word for owner in heard for word in heard[owner] if chosen is None or owner == chosen.category_id)
    return RoutingDecision(
        category_id=chosen.category_id if chosen else None,
        lead_id=chosen.lead_id if chosen and is_sure else None,
        assist_ids=chosen.assist_ids if chosen and is_sure else (),
        row_id=chosen.duty.row_id if chosen and chosen.duty else None,
        row_version=chosen.duty.version if chosen and chosen.duty else None,
        reason=reason,
        words=words,
        proposals=() if is_sure else proposals,
    )


def _proposals(answers: Iterable[_Answer], heard: dict[int, tuple[str, ...]]) -> tuple[Proposal, ...]:
    """At most three: those who could have it come before categories that nobody answers for here."""
    led, bare = [], []
    for answer in answers:
        words = heard.get(answer.category_id, ())
        led += [Proposal(answer.category_id, lead_id, words, duty.row_id) for duty, lead_id in answer.fitting]
        if not answer.fitting:
            bare.append(Proposal(answer.category_id, None, words, None))
    return tuple((led + bare)[:MOST_PROPOSALS])
