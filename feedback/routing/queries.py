"""Reads of the duty catalogue for doors and other rooms: categories, what a typed text proposes, how low work may go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.clock import local_day
from feedback.kernel.errors import NotFound
from feedback.kernel.reference import kept
from feedback.people.models import LEVELS, Unit
from feedback.people.queries import units_by_id
from feedback.routing.catalogue import load_catalogue
from feedback.routing.decision import Proposal, decide_route
from feedback.routing.models import Category


def normal_path(path: str) -> str:
    """A category's path as it is kept: parts without outer spaces, one `/` between; the full-width slash is taken too."""
    return "/".join(part.strip() for part in path.replace("／", "/").strip("/ ").split("/"))


def find_category(session: Session, path: str) -> Category | None:
    """The category of that path, or what it was renamed or merged into, to be read only; None without one."""
    all_of_them = _all_categories(session)
    wanted = normal_path(path)
    found = next((each for each in all_of_them.values() if each.path == wanted), None)
    seen: set[int] = set()
    while found is not None and found.succeeded_by_id is not None and found.id not in seen:
        seen.add(found.id)
        found = all_of_them.get(found.succeeded_by_id)
    return found


def get_category(session: Session, path: str) -> Category:
    """As `find_category`. Raises NotFound."""
    found = find_category(session, path)
    if found is None:
        raise NotFound
    return found


def list_categories(session: Session) -> list[Category]:
    """Every category that may be chosen now, by path; to be read only."""
    return [found for found in _all_categories(session).values() if found.succeeded_by_id is None]


def categories_by_id(session: Session, ids: set[int]) -> dict[int, Category]:
    """The categories of these ids; to be read only."""
    found = _all_categories(session) if ids else {}
    return {i: found[i] for i in ids if i in found}


def _all_categories(session: Session) -> dict[int, Category]:
    return kept(
        session,
        "categories",
        lambda reading: {c.id: c for c in reading.scalars(select(Category).order_by(Category.path))},
    )


LEAST_TYPED_SHARE = 0.2
"""Whoever types is shown what is likely; a dispatcher sees the less likely too."""


@dataclass(frozen=True)
class ProposedRoute:
    """A category that a text speaks for, who would lead (None: nobody answers for it here), and the words that spoke.

    `share` is the trained model's, where it was asked.
    """

    category: Category
    lead: Unit | None
    words: tuple[str, ...]
    share: float | None = None


def propose_routes(session: Session, *, text: str, area: Unit, now: datetime) -> list[ProposedRoute]:
    """What catalogue and trained model propose for a text as it is being typed, at most three, the likeliest first."""
    decision = decide_route(
        session,
        text=text,
        category=None,
        area=area,
        kind=None,
        is_about=False,
        about_unit_ids=frozenset(),
        now=now,
    )
    proposals = decision.proposals
    if not decision.words:
        proposals = tuple(p for p in proposals if p.share is None or p.share >= LEAST_TYPED_SHARE)
    if decision.lead_id is not None and decision.category_id is not None:
        said = decision.learned.guesses[0] if decision.learned else None
        words, share = (said.words, said.share) if said and not decision.words else (decision.words, None)
        proposals = (Proposal(decision.category_id, decision.lead_id, words, decision.row_id, share),)
    categories = categories_by_id(session, {p.category_id for p in proposals})
    units = units_by_id(session, {p.lead_id for p in proposals})
    return [
        ProposedRoute(categories[p.category_id], units.get(p.lead_id) if p.lead_id else None, p.words, p.share)
        for p in proposals
        if p.category_id in categories
    ]


def lowest_level(session: Session, *, category_id: int | None, area: Unit, now: datetime) -> str | None:
    """The lowest level that may be given this work (county or town), from the rows that answer for it here; None: any.

    Where several rows answer, the strictest counts. Source: matters of departments are not pushed down to the grassroots.
    """
    if category_id is None:
        return None
    catalogue = load_catalogue(session)
    duties = catalogue.nearest(catalogue.present_id(category_id), area.ancestor_ids(), local_day(now))
    levels = {duty.not_below for duty in duties if duty.not_below}
    return min(levels, key=LEVELS.index) if levels else None
