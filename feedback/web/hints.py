"""The first words of each role's first page: one line that says where to start, until its reader puts it away."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from feedback.kernel.actor import Actor
from feedback.kernel.errors import NotFound
from feedback.kernel.text import N_
from feedback.notifications.hints import put_away
from feedback.web.addresses import fixed_address
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

hint_pages = Blueprint("hints", __name__)

FIRST_WORDS = {
    "submitter.home": N_(
        "Start with the large button: a sentence is enough. What needs your answer stands at the top."
    ),
    "desk.desk": N_("Start with “To sign for”: open a ticket, sign for it, and say to its submitter what comes next."),
    "dispatcher.dispatch": N_("Start at the top: it is due first. One tap on a proposal sends it to that unit."),
    "leader.review": N_("Start with the five numbers: each opens the list that it counts."),
    "admin.index": N_("Start with the units and the people; each step says what will happen before it happens."),
}
"""By the endpoint of the page on which somebody of a role begins."""
SAME_PAGE = {"submitter.front": "submitter.home"}


def page_of_first_words(actor: Actor) -> str | None:
    """The page that is being shown, where it has first words. The front door has none for whoever submits nothing."""
    page = SAME_PAGE.get(request.endpoint or "", request.endpoint or "")
    if page == "submitter.home" and not actor.has_role("submitter"):
        return None
    return page if request.method == "GET" and page in FIRST_WORDS else None


def first_words(page: str | None) -> dict[str, Any] | None:
    """{text, url} for such a page."""
    return {"text": _(FIRST_WORDS[page]), "url": fixed_address("notices.hints.seen", page=page)} if page else None


@hint_pages.post("/hints/<page>/seen")
@require("signed_in")
def seen(page: str) -> Response:
    """Put the first words of a page away, and show the page."""
    if page not in FIRST_WORDS:
        raise NotFound
    put_away(page, actor=signed_in_actor(), now=request_now())
    return redirect(url_for(page), 303)
