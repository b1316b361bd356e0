"""What needs whoever raised it, as the home page shows it: the question or claim, and the answer right there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for

from feedback.reading.needs import Need
from feedback.web.forms.actions import AnswerForm, DisputeForm
from feedback.web.present.labels import name_of
from feedback.web.present.status import status_of
from feedback.web.present.ticket import ticket_url
from feedback.web.present.words_actions import YES_NAMES
from feedback.web.translate import gettext as _

FROM_HOME = "home"
LONGEST_QUOTE = 600


def needs_of(needs: Sequence[Need], now: datetime) -> list[dict[str, Any]]:
    """For each ticket that waits for its submitter: {ask (for the macro), no, and the form to answer or dispute with}."""
    return [_need(need, now) for need in needs]


def _need(need: Need, now: datetime) -> dict[str, Any]:
    row = need.row
    status = status_of(row, now, until=need.until)
    is_question = row.status == "waiting_for_submitter"
    name = "answer" if is_question else "dispute"
    form_class = AnswerForm if is_question else DisputeForm
    ask: dict[str, Any] = {
        "sentence": status["sentence"],
        "title": row.title,
        "url": ticket_url(row.reference),
        "quote": _shortened(need.text),
        "next": status["next"],
    }
    if not is_question:
        ask["buttons"] = [_yes_button(need)]
    return {
        "ask": ask,
        "no": _("I don't accept that") if _accepts(need) else _("No, it is not solved"),
        "is_question": is_question,
        "form": form_class(slug=f"{name}-{row.reference}"),
        "name": f"{name}-{row.reference}",
        "url": _act_url(row.reference, name),
        "version": row.version,
        "draft": f"{row.reference}.{name}",
    }


def _accepts(need: Need) -> bool:
    """Whether it is a claim that can only be accepted, because nothing was solved."""
    return need.row.outcome in ("not_possible", "planned")


def _yes_button(need: Need) -> dict[str, Any]:
    row = need.row
    verdict = "accepted" if _accepts(need) else "partly" if row.outcome == "partly" else "solved"
    return {
        "label": name_of(YES_NAMES, verdict),
        "kind": "primary",
        "post": _act_url(row.reference, "confirm"),
        "fields": {"verdict": verdict, "back": FROM_HOME},
        "version": row.version,
    }


def _act_url(reference: str, action: str) -> str:
    return url_for("ticket.act", reference=reference, action=action)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1].rstrip() + "…"
