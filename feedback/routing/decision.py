"""Who gets a ticket: the decision by the duty catalogue, with its reason. It writes nothing and knows no ticket.

Sure is only: one category, one row that answers for it, one lead in force. The category is the one given, else the one
that keywords alone name. Where they name none or several, the trained model proposes: above the site's threshold its
category counts, unless keywords name others only. Everything else goes to the dispatcher, with what speaks for whom.
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
from feedback.routing.opinion import Opinion, ask_model

REASONS = (
    "sure",
    "no_category",
    "model_unsure",
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
    """What a dispatcher may take with one tap. `lead_id` None: the category speaks, but nobody answers for it here.

    `words` are keywords that spoke for it, else the words that spoke for it to the model; `share` is the model's (0 to 1).
    """

    category_id: int
    lead_id: int | None
    words: tuple[str, ...]
    row_id: int | None
    share: float | None = None


@dataclass(frozen=True)
class RoutingDecision:
    """Who gets it and why. `lead_id` None: the dispatcher decides. `words` are the catalogue's keywords that spoke.

    `learned` is what the trained model said, where it was asked: its category counts where `is_sure`.
    """

    category_id: int | None
    lead_id: int | None
    assist_ids: tuple[int, ...]
    row_id: int | None
    row_version: int | None
    reason: str
    words: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    learned: Opinion | None = None

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
                {
                    "category_id": p.category_id,
                    "lead_id": p.lead_id,
                    "words": list(p.words),
                    "row_id": p.row_id,
                    **({} if p.share is None else {"share": round(p.share, 3)}),
                }
                for p in self.proposals
            ],
            **({} if self.learned is None else {"model": self.learned.facts()}),
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
    title: str = "",
    category: Category | None,
    area: Unit,
    kind: str | None,
    is_about: bool,
    about_unit_ids: frozenset[int],
    now: datetime,
) -> RoutingDecision:
    """Who gets a ticket of this text, title, category and area, received at `now`.

    A given category's most exact row counts, of those the nearest area's upwards; without one the keywords of exactly
    one category, else the model's where it is sure. Burden leads and tickets about someone always go to the dispatcher.
    Source: the domain description.
    """
    catalogue = load_catalogue(session)
    day = local_day(now)
    heard = hear(f"{title}\n{text}", catalogue.keywords_on(day))
    given = catalogue.present_id(category.id) if category else None
    opinion = ask_model(session, catalogue, text, title, heard) if given is None and len(heard) != 1 else None
    guessed = [guess.category_id for guess in opinion.guesses] if opinion else []
    asked = list(dict.fromkeys([given, *heard] if given is not None else [*heard, *guessed]))
    areas = area.ancestor_ids()
    judge = _Judge(session, now, about_unit_ids, {i: catalogue.nearest(i, areas, day) for i in asked})
    answers = [judge.answer(i) for i in asked]
    proposals = _proposals(answers, heard, opinion)
    chosen = _chosen(answers, given, heard, opinion)
    unsure = "several_categories" if heard else "model_unsure" if opinion and opinion.guesses else "no_category"
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
        learned=opinion,
    )


def _chosen(
    answers: list[_Answer], given: int | None, heard: dict[int, tuple[str, ...]], opinion: Opinion | None
) -> _Answer | None:
    """The answer for the one category that counts; None: a person chooses."""
    if given is not None or len(heard) == 1:
        return answers[0]
    if opinion is None or not opinion.is_sure:
        return None
    return next(answer for answer in answers if answer.category_id == opinion.guesses[0].category_id)


def _proposals(
    answers: Iterable[_Answer], heard: dict[int, tuple[str, ...]], opinion: Opinion | None
) -> tuple[Proposal, ...]:
    """At most three: those who could have it come before categories that nobody answers for here."""
    guesses = {guess.category_id: guess for guess in opinion.guesses} if opinion else {}
    led, bare = [], []
    for answer in answers:
        guess = guesses.get(answer.category_id)
        words, share = heard.get(answer.category_id) or (guess.words if guess else ()), guess.share if guess else None
        led += [Proposal(answer.category_id, lead_id, words, duty.row_id, share) for duty, lead_id in answer.fitting]
        if not answer.fitting:
            bare.append(Proposal(answer.category_id, None, words, None, share))
    return tuple((led + bare)[:MOST_PROPOSALS])
