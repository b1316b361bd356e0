"""Help for each role: what its page is for, the steps, what the buttons do. The words stand in templates/help."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, url_for

from feedback.kernel.actor import Actor
from feedback.kernel.text import N_
from feedback.web.language import chosen_locale
from feedback.web.present.labels import name_of
from feedback.web.present.words import BUTTON_NAMES
from feedback.web.present.words_actions import ACTION_HINTS
from feedback.web.session import require, signed_in_actor
from feedback.web.translate import gettext as _

guide_pages = Blueprint("guide", __name__)

TOPICS: dict[str, tuple[tuple[str, ...], str]] = {
    "submitter": (("submitter",), N_("For whoever raises something")),
    "handler": (("handler", "unit_head"), N_("For handlers and heads of units")),
    "dispatcher": (("dispatcher",), N_("For dispatchers")),
    "leader": (("leader", "supervisor"), N_("For leaders and supervisors")),
    "adjudicator": (("adjudicator",), N_("For adjudicators")),
    "admin": (("admin",), N_("For administrators")),
    "auditor": (("auditor",), N_("For auditors")),
}
"""A part of the help: the roles it is for, and its heading. Its words are in templates/help/NAME.html."""
PICTURES: dict[str, str] = {
    "submitter": N_("A ticket on a phone: what the unit says, and the two buttons for your answer."),
    "handler": N_("The desk: the tabs with their counts, and below them what is due first."),
    "dispatcher": N_("The dispatch page: each ticket with the reason why it waits, and the units proposed."),
    "leader": N_("The review: the period, and the five numbers with what they count."),
    "admin": N_("The accounts: found by name, each with its roles."),
}
"""What the picture of a part shows (static/help, made by tests.support.help_pictures)."""
BUTTONS: dict[str, tuple[str, ...]] = {
    "submitter": ("comment", "urge", "withdraw", "dispute", "reopen"),
    "handler": ("acknowledge", "reply", "ask_submitter", "resolve", "request_extension", "answer_leg", "note"),
    "dispatcher": ("transfer", "decline", "set_urgency", "ask_submitter", "note"),
}
"""Actions to explain, by the names and hints that stand on the ticket's page."""


@guide_pages.get("/help")
@require("signed_in")
def own() -> str:
    """The parts for one's own roles, or for whoever raises something where none has a page."""
    return _page(_topics_of(signed_in_actor()) or ["submitter"])


@guide_pages.get("/help/<any(submitter, handler, dispatcher, leader, adjudicator, admin, auditor):topic>")
@require("signed_in")
def one(topic: str) -> str:
    """One part, also of a role that one doesn't hold."""
    return _page([topic])


def _topics_of(actor: Actor) -> list[str]:
    return [topic for topic, (roles, _heading) in TOPICS.items() if any(grant.role in roles for grant in actor.grants)]


def _page(shown: list[str]) -> str:
    return render_template(
        "help/help.html",
        topics=[
            {
                "name": topic,
                "heading": _(TOPICS[topic][1]),
                "buttons": _buttons(topic),
                "picture": f"help/{topic}-{chosen_locale()[:2]}.webp" if topic in PICTURES else None,
                "shows": _(PICTURES[topic]) if topic in PICTURES else "",
            }
            for topic in shown
        ],
        others=[
            {"url": url_for("guide.one", topic=topic), "label": _(heading)}
            for topic, (_roles, heading) in TOPICS.items()
            if topic not in shown
        ],
    )


def _buttons(topic: str) -> list[dict[str, Any]]:
    return [
        {"label": name_of(BUTTON_NAMES, name), "text": name_of(ACTION_HINTS, name)} for name in BUTTONS.get(topic, ())
    ]
