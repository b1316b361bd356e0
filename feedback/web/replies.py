"""The page on which handlers and heads keep their unit's common replies, and what a ticket's page offers of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from feedback.handling.common_replies import KEEPERS, drop_reply, keep_reply, list_replies
from feedback.handling.models import CommonReply
from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.memo import remembered
from feedback.people.queries import units_by_id
from feedback.reading.queries import TicketView
from feedback.reading.views import unit_label
from feedback.web.errors import code_of
from feedback.web.forms.base import option
from feedback.web.forms.replies import ReplyTextForm
from feedback.web.present.labels import unit_name
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

reply_pages = Blueprint("replies", __name__, url_prefix="/desk/replies")

FOR_ACTIONS = ("reply", "resolve", "ask_submitter")
"""Actions whose words may begin with a common reply."""


@reply_pages.get("")
@require(*KEEPERS)
def index() -> str:
    """The replies of the units at which this person works."""
    return _page(None, "")


@reply_pages.post("")
@require(*KEEPERS)
def keep() -> str | tuple[str, int] | Response:
    """Add one, or change one."""
    sent = request.form.get("id", "")
    form = ReplyTextForm(request.form, slug=f"reply-{sent}" if sent.isdecimal() else "reply")
    try:
        keep_reply(form.fields(), actor=signed_in_actor(), now=request_now())
    except Invalid as invalid:
        form.show_errors(invalid.errors)
        return _page(form, ""), 422
    except Conflict as conflict:
        return _page(form, conflict.text.render(_)), code_of(conflict)
    flash(_("Kept: your colleagues have it, too."), "success")
    return redirect(url_for("desk.replies.index"), 303)


@reply_pages.post("/<int:reply_id>/delete")
@require(*KEEPERS)
def drop(reply_id: int) -> Response:
    """Delete one."""
    drop_reply(reply_id, actor=signed_in_actor(), now=request_now())
    flash(_("Deleted. Answers that were sent with it stay as they are."), "success")
    return redirect(url_for("desk.replies.index"), 303)


def _page(sent: ReplyTextForm | None, problem: str) -> str:
    actor = signed_in_actor()
    unit_ids = list(dict.fromkeys(grant.unit_id for grant in actor.grants_for(*KEEPERS)))
    units = units_by_id(session(), unit_ids)
    choices = [option(units[i].code, unit_name(unit_label(units[i]))) for i in unit_ids if i in units]
    names = {i: unit_name(unit_label(unit)) for i, unit in units.items()}
    is_new = sent is not None and not sent["id"].data
    rows = [_row(reply, units[reply.unit_id].code, sent) for reply in list_replies(session(), unit_ids)]
    form = sent if sent is not None and is_new else ReplyTextForm()
    for each in (form, *(row["form"] for row in rows)):
        each["unit"].choices = choices
    return render_template(
        "desk/replies.html",
        rows=[{**row, "unit": names[row["unit_id"]] if len(names) > 1 else ""} for row in rows],
        form=form,
        sent=sent,
        problem=problem,
        is_new=is_new,
        several=len(choices) > 1,
        only=choices[0].value if choices else "",
    )


def _row(reply: CommonReply, code: str, sent: ReplyTextForm | None) -> dict[str, Any]:
    is_back = sent is not None and sent["id"].data == str(reply.id)
    data = {"id": reply.id, "unit": code, "title": reply.title, "body": reply.body}
    form = sent if sent is not None and is_back else ReplyTextForm(slug=f"reply-{reply.id}", data=data)
    return {
        "id": reply.id,
        "unit_id": reply.unit_id,
        "code": code,
        "title": reply.title,
        "body": reply.body,
        "form": form,
        "open": is_back,
    }


def offered_replies(session: Session, view: TicketView, actor: Actor, action: str) -> list[dict[str, Any]]:
    """What may begin this action's words: {id, title, body, url}; the address fills them in without JavaScript."""
    if action not in FOR_ACTIONS or view.lead is None or view.lead.unit is None:
        return []
    code = view.lead.unit.code
    unit_ids = frozenset(grant.unit_id for grant in actor.grants_for(*KEEPERS) if grant.unit_code == code)
    replies = remembered(session, ("replies", unit_ids), lambda: list_replies(session, unit_ids))  # for each form
    return [
        {
            "title": reply.title,
            "body": reply.body,
            "url": url_for("ticket.show", reference=view.reference, use=f"{action}.{reply.id}", _anchor=f"do-{action}"),
        }
        for reply in replies
    ]


def asked_reply(session: Session, actor: Actor, asked: str) -> tuple[str, str] | None:
    """(action, words) of an address's `use=reply.12`; None where it names none of the actor's units' replies."""
    action, _dot, number = asked.partition(".")
    if action not in FOR_ACTIONS or not number.isdecimal():
        return None
    replies = list_replies(session, [grant.unit_id for grant in actor.grants_for(*KEEPERS)])
    return next(((action, reply.body) for reply in replies if str(reply.id) == number), None)
