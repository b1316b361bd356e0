"""What somebody was told: their notices, the unread ones marked; opening one or a press marks them read."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.notifications.queries import NoticeView, list_notices, unread_count
from feedback.notifications.usecases import read_all_notices, read_notice
from feedback.web.filters import left_out_words
from feedback.web.hints import hint_pages
from feedback.web.present.cells import ticket_url, when_due, when_past
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

notice_pages = Blueprint("notices", __name__)
notice_pages.register_blueprint(hint_pages)

LARGEST_ID = 2**63 - 1


@notice_pages.get("/notices")
@require("signed_in")
def index() -> str:
    """The notices, the newest first."""
    actor = signed_in_actor()
    left_out = []
    try:
        page = list_notices(session(), actor, cursor=request.args.get("cursor"))
    except Invalid as refused:
        left_out = [left_out_words("cursor", refused)]
        page = list_notices(session(), actor)
    unread = unread_count(session(), actor)
    return render_template(
        "notices/notices.html",
        notices=[_notice(view) for view in page.items],
        left_out=left_out,
        unread_notices=unread,
        pager={
            "words": ngettext("%(num)d unread", "%(num)d unread", unread),
            "first": url_for("notices.index") if request.args.get("cursor") else None,
            "next": url_for("notices.index", cursor=page.next) if page.next else None,
        },
    )


def _notice(view: NoticeView) -> dict[str, Any]:
    now = request_now()
    parts = [view.title, view.reference]
    if view.due_at:
        parts.append(_("due %(at)s", at=when_due(view.due_at, now)["words"]))
    return {
        "title": view.text.render(_),
        "text": " · ".join(part for part in parts if part),
        "at": when_past(view.created_at, now),
        "url": ticket_url(view.reference),
        "unread": view.read_at is None,
        "post": url_for("notices.open_notice", notice_id=view.id) if view.read_at is None else None,
    }


@notice_pages.get("/notices/unread")
@require("signed_in")
def unread() -> Response:
    """How many are unread, for the mark in the head of an open page."""
    return jsonify({"unread": unread_count(session(), signed_in_actor())})


@notice_pages.post("/notices/read")
@require("signed_in")
def read_all() -> AnyResponse:
    """Mark all as read."""
    read_all_notices(actor=signed_in_actor(), now=request_now())
    flash(_("All notices are marked as read."), "success")
    return redirect(url_for("notices.index"), 303)


@notice_pages.post("/notices/<int:notice_id>/open")
@require("signed_in")
def open_notice(notice_id: int) -> AnyResponse:
    """Mark one as read and go to its ticket."""
    reference = read_notice(min(notice_id, LARGEST_ID), actor=signed_in_actor(), now=request_now())
    return redirect(ticket_url(reference), 303)
