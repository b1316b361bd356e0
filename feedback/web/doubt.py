"""The page that asks once more where somebody's words say the opposite of the button they pressed. It decides nothing."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from feedback.confirmation.contradiction import Saying, contradicts
from feedback.kernel.command import SHORT
from feedback.tickets.models import Ticket
from feedback.web.forms.actions import DisputeForm
from feedback.web.forms.base import PageForm
from feedback.web.translate import gettext as _

NOT_KEPT = frozenset({"csrf_token", "version"})


def is_in_doubt(action: str, form: PageForm) -> bool:
    """Whether this form must be asked about: its words contradict its button, and it was not asked about before."""
    pressed, text = _pressed(action, form)
    return pressed is not None and "sure" not in request.form and contradicts(pressed, text)


def _pressed(action: str, form: PageForm) -> tuple[Saying | None, str]:
    if action == "dispute":
        return "not_solved", form["reason"].data or ""
    if action == "confirm" and form["verdict"].data == "solved":
        return "solved", form["comment"].data or ""
    return None, ""


def doubt_page(ticket: Ticket, action: str, form: PageForm) -> tuple[str, int]:
    """Both ways on, with everything that was sent; the one that was pressed counts when it is pressed again."""
    pressed, text = _pressed(action, form)
    same = {name: value for name, value in request.form.items() if name not in NOT_KEPT}
    back = {"back": request.form["back"]} if "back" in request.form else {}
    is_solved = pressed == "solved"
    solved = same if is_solved else {**back, "verdict": "solved", "comment": text[:SHORT]}
    page = render_template(
        "ticket/doubt.html",
        reference=ticket.reference,
        title=_("You pressed “solved”, but wrote:") if is_solved else _("You pressed “not solved”, but wrote:"),
        text=text,
        version=request.form.get("version", type=int),
        solved={"url": _act_url(ticket, "confirm"), "fields": solved | {"sure": "1"}},
        unsolved={
            "url": _act_url(ticket, "dispute"),
            "fields": (back if is_solved else {k: v for k, v in same.items() if k != "reason"}) | {"sure": "1"},
            "form": DisputeForm(slug="doubt", data={"reason": text}),
        },
    )
    return page, 422


def _act_url(ticket: Ticket, action: str) -> Any:
    return url_for("ticket.act", reference=ticket.reference, action=action)
