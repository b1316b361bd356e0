"""What says the same as a ticket, over HTTP. What counts as the same, and who sees it, is reading/look_alikes.py's."""

from __future__ import annotations

from flask import Response
from pydantic import AwareDatetime, Field

from feedback.api import render
from feedback.api.access import VISIBLE, endpoint
from feedback.api.auth import caller
from feedback.api.schemas import Answer, Status
from feedback.api.tickets import seen
from feedback.kernel.clock import site_zone
from feedback.kernel.db import session
from feedback.kernel.text import N_
from feedback.reading.look_alikes import LookAlike, say_the_same
from feedback.reading.views import UnitLabel


class SimilarTicket(Answer):
    """A ticket that says the same. Of one that the caller may not see only a published summary and a token to join by."""

    reference: str | None
    token: str | None = Field(
        description=N_("Joins by the published summary where the ticket itself is not to be seen.")
    )
    title: str
    status: Status | None
    unit: str | None
    area: str | None
    submitted_at: AwareDatetime | None
    near: bool
    score: float | None = Field(description=N_("From 0 to 1; null for a summary."))


class SimilarTickets(Answer):
    """What says the same, near first, then the most alike; `next` is always null."""

    items: list[SimilarTicket]
    next: str | None


@endpoint(
    "GET",
    "/v1/tickets/<reference>/similar",
    answer=SimilarTickets,
    summary=N_("Open tickets that say the same as a ticket, near first."),
    rule=VISIBLE,
)
def similar(reference: str) -> Response:
    """The look-alikes that the caller may see or join."""
    who = caller()
    found = say_the_same(session(), who.actor, seen(reference), now=who.now)
    return render.answer(render.whole_list(_look_alike(one) for one in found))


def _look_alike(one: LookAlike) -> render.Json:
    """Members of SimilarTicket."""
    return {
        "reference": one.reference,
        "token": one.token,
        "title": one.title,
        "status": one.status,
        "unit": _code(one.unit),
        "area": _code(one.area),
        "submitted_at": one.submitted_at.astimezone(site_zone()).isoformat() if one.submitted_at else None,
        "near": one.is_near,
        "score": None if one.token else round(one.score, 3),
    }


def _code(unit: UnitLabel | None) -> str | None:
    return unit.code if unit else None
