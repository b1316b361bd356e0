"""What needs whoever raised it, as the home page shows it: the question or claim, and the answer right there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for

from feedback.tickets.needs import Need
from feedback.web.forms.actions import AnswerForm, DisputeForm
from feedback.web.present_status import status_of
from feedback.web.present_ticket import ticket_url
from feedback.web.translate import gettext as _

FROM_HOME = "home"
LONGEST_QUOTE = 600


def needs_of(needs: Sequence[Need], now: datetime) -> list[dict[str, Any]]:
    """For each ticket that waits for its submitter: {ask (for the macro), next, and the form to answer or dispute with}."""
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
    }
    if not is_question:
        ask["buttons"] = _verdict_buttons(need)
    return {
        "ask": ask,
        "next": status["next"],
        "is_question": is_question,
        "form": form_class(slug=f"{name}-{row.reference}"),
        "name": f"{name}-{row.reference}",
        "url": _act_url(row.reference, name),
        "version": row.version,
        "draft": f"{row.reference}.{name}",
    }


def _verdict_buttons(need: Need) -> list[dict[str, Any]]:
    row = need.row
    accepts = row.outcome in ("not_possible", "planned")
    verdict = {"partly": "partly"}.get(row.outcome or "", "accepted" if accepts else "solved")
    yes = {"accepted": _("I accept that"), "partly": _("Yes, partly solved")}.get(verdict, _("Yes, it is solved"))
    no = _("I don't accept that") if accepts else _("No, it is not solved")
    return [
        {
            "label": yes,
            "kind": "primary",
            "post": _act_url(row.reference, "confirm"),
            "fields": {"verdict": verdict, "back": FROM_HOME},
            "version": row.version,
        },
        {"label": no, "url": f"#do-dispute-{row.reference}"},
    ]


def _act_url(reference: str, action: str) -> str:
    return url_for("ticket.act", reference=reference, action=action)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1].rstrip() + "…"
