"""The action box of a ticket: which of the allowed actions are offered, in which order, with which words and form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from feedback.reading.queries import TicketView
from feedback.web.forms.actions import FORMS, UNIT_FIELDS
from feedback.web.forms.base import PageForm, option
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.words import BUTTON_NAMES, VERDICT_NAMES
from feedback.web.present.words_actions import ACTION_HINTS, SUBMIT_NAMES

_USUAL = (
    "answer",
    "confirm",
    "dispute",
    "acknowledge",
    "dispatch",
    "reply",
    "resolve",
    "answer_leg",
    "ask_submitter",
    "comment",
    "urge",
    "note",
)
RARE = (
    "assign",
    "transfer",
    "add_leg",
    "drop_leg",
    "request_extension",
    "set_urgency",
    "reclassify",
    "reopen",
    "decline",
    "join",
    "unjoin",
    "publish_summary",
    "withdraw_summary",
    "withdraw_request",
    "withdraw",
)
"""Actions that stand folded together below the others."""
ORDER = (*_USUAL, *RARE)
"""From what is wanted now to what is rare. `decide` has its place beside the request."""
FIRST = frozenset({"answer", "acknowledge", "dispatch", "reply", "resolve", "answer_leg"})
"""Actions that carry the work on: the first offered one of these is marked and open at the desk."""
GRAVE = frozenset({"withdraw", "decline", "join"})
WITHOUT_WORDS = frozenset({"acknowledge", "urge", "withdraw_summary"})
OF_OFFICE = "set_urgency"
"""What only the dispatcher's office may do in every open state."""
ACCEPTED = ("not_possible", "planned")
"""Outcomes that nobody can confirm as solved by the unit's word: they are accepted or not."""


@dataclass(frozen=True)
class Sent:
    """A form that came back refused: for which action, with what was typed, and why."""

    action: str
    form: PageForm
    problem: str = ""


def actions_of(
    view: TicketView, sent: Sent | None, choices: dict[str, list[Any]], *, may_override: bool = False
) -> list[dict[str, Any]]:
    """What this reader may do now, for the templates: {name, label, url, submit, version, hint, kind, open, draft, form}.

    `choices` holds the options for units, categories, areas, people and own requests; `may_override`: the reader may
    resolve without an assisting unit's answer, if there is one to wait for.
    """
    offered = [name for name in ORDER if name in view.allowed_actions and name in FORMS]
    if "join" in offered and OF_OFFICE not in view.allowed_actions:
        offered.remove("join")  # a submitter joins what they are shown, and types no numbers
    if "answer" in offered and "comment" in offered:
        offered.remove("comment")
    first = next((name for name in offered if name in FIRST), None)
    found = [_action(name, view, sent, choices, is_first=name == first) for name in offered]
    waits = any(leg.answered_at is None for leg in view.assists)
    for action in found:
        if action["name"] == "resolve" and not (may_override and waits):
            del action["form"].override_reason
    return found


def _action(
    name: str, view: TicketView, sent: Sent | None, choices: dict[str, list[Any]], *, is_first: bool
) -> dict[str, Any]:
    is_back = sent is not None and sent.action == name
    form = sent.form if sent and is_back else FORMS[name](slug=name)
    fill_choices(form, name, view, choices)
    return {
        "name": name,
        "label": name_of(BUTTON_NAMES, name),
        "url": act_url(view.reference, name),
        "submit": name_of(SUBMIT_NAMES, name) if name in SUBMIT_NAMES else name_of(BUTTON_NAMES, name),
        "version": view.version,
        "hint": name_of(ACTION_HINTS, name) if name in ACTION_HINTS else "",
        "kind": "danger" if name in GRAVE else "primary" if is_first else "plain",
        "open": is_back or (is_first and name not in WITHOUT_WORDS),
        "draft": f"{view.reference}.{name}",
        "without_words": name in WITHOUT_WORDS,
        "rare": name in RARE,
        "multipart": "file" in form,
        "form": form,
    }


def act_url(reference: str, action: str) -> str:
    """Where an action on a ticket is sent."""
    return url_for("ticket.act", reference=reference, action=action)


def needed_choices(names: Sequence[str]) -> set[str]:
    """Which options these actions need: units, categories, areas, people."""
    wanted = {"units"} if set(names) & set(UNIT_FIELDS) else set()
    if "reclassify" in names:
        wanted |= {"categories", "areas"}
    if "publish_summary" in names:
        wanted.add("summary_areas")
    return wanted | ({"people"} if "assign" in names else set())


def verdicts_for(view: TicketView) -> tuple[str, ...]:
    """What whoever raised it may say of the claim, what answers it most plainly first."""
    if view.outcome in ACCEPTED:
        return ("accepted", "solved", "partly")
    return ("partly", "solved") if view.outcome == "partly" else ("solved", "partly")


def fill_choices(form: Any, name: str, view: TicketView, choices: dict[str, list[Any]]) -> None:
    """Fill the selects of an action's form."""
    for field in UNIT_FIELDS.get(name, ()):
        none = [] if field == "assists" else [option("", "–")]
        form[field].choices = [*none, *choices.get("units", [])]
    if name == "assign":
        form.assignee.choices = [option("", "–"), *choices.get("people", [])]
    elif name == "drop_leg":
        form.unit.choices = [option(leg.unit.code, unit_name(leg.unit)) for leg in view.assists if leg.unit]
    elif name == "reclassify":
        as_it_is = form.kind.choices[0].label
        form.category.choices = [option("", as_it_is), *choices.get("categories", [])]
        form.area.choices = [option("", as_it_is), *choices.get("areas", [])]
    elif name == "confirm":
        form.verdict.choices = [option(code, name_of(VERDICT_NAMES, code)) for code in verdicts_for(view)]
        form.verdict.data = form.verdict.data or verdicts_for(view)[0]
    elif name == "publish_summary":
        form.area.choices = choices.get("summary_areas", [])
    elif name == "withdraw_request":
        form.request.choices = choices.get("requests", [])
    elif name == "set_urgency":
        form.urgency.choices = [choice for choice in form.urgency.choices if choice.value != view.urgency]
