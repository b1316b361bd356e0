"""The pages of hot topics: what many raise at once, with its trend; each opens the tickets behind it.

A dispatcher makes a topic one matter there: those of its open tickets that are ticked are joined to the eldest, whose unit
answers for all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for

from feedback.kernel.db import session
from feedback.kernel.errors import NotFound
from feedback.reports.topics import TopicTicket, TopicView, list_topics
from feedback.tickets.lifecycle import OPEN
from feedback.tickets.summaries import JOINABLE
from feedback.web.bulk import act_on_each, report_of
from feedback.web.filters import either_name
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.ticket import ticket_url
from feedback.web.present.time import when_past
from feedback.web.present.words import SHORT_STATE_NAMES
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

topic_pages = Blueprint("topics", __name__)

MOST_SHOWN = 50
READERS = ("leader", "supervisor", "dispatcher")


@topic_pages.get("/topics")
@require(*READERS)
def topics() -> str:
    """What many raise, bursts first."""
    now = request_now()
    found = list_topics(session(), signed_in_actor(), now=now)
    return render_template(
        "leader/topics.html",
        topics=[_shown(view) for view in found[:MOST_SHOWN]],
        renewed=when_past(found[0].renewed_at, now) if found else None,
    )


@topic_pages.get("/topics/<int:topic_id>")
@require(*READERS)
def topic(topic_id: int) -> str:
    """One topic: how many came week by week, and its tickets."""
    return _topic_page(topic_id)


@topic_pages.post("/topics/<int:topic_id>/join")
@require("dispatcher")
def join_all(topic_id: int) -> str:
    """Join the ticked ones of its open tickets to the eldest, each by itself, and say what came of each."""
    elder, younger = _elder_and_younger(_view(topic_id))
    ticked = set(request.form.getlist("ticket"))
    chosen = [one.reference for one in younger if one.reference in ticked]
    fields = {"into": elder.reference if elder else None}
    outcomes = act_on_each(chosen, "join", fields, actor=signed_in_actor(), now=request_now())
    return _topic_page(topic_id, report_of("join", outcomes))


def _view(topic_id: int) -> TopicView:
    """The topic as the reader sees it. Raises NotFound."""
    found = list_topics(session(), signed_in_actor(), now=request_now())
    view = next((one for one in found if one.id == topic_id), None)
    if view is None:
        raise NotFound
    return view


def _elder_and_younger(view: TopicView) -> tuple[TopicTicket | None, list[TopicTicket]]:
    """The eldest ticket that others can still be joined to, and the open ones that came after it."""
    living = sorted((one for one in view.tickets if one.status in JOINABLE), key=lambda one: one.submitted_at)
    return (living[0] if living else None), [one for one in living[1:] if one.status in OPEN]


def _topic_page(topic_id: int, report: dict[str, Any] | None = None) -> str:
    view, now = _view(topic_id), request_now()
    elder, younger = _elder_and_younger(view)
    may_join = bool(younger) and signed_in_actor().has_role("dispatcher")
    rows = [_row(one, now) for one in view.tickets]
    return render_template(
        "leader/topic.html",
        topic=_shown(view),
        chart=_chart(view),
        rows=rows,
        report=report,
        join={
            "url": url_for("topics.join_all", topic_id=view.id),
            "elder": _row(elder, now),
            "younger": [_row(one, now) for one in younger],
        }
        if elder and may_join
        else None,
    )


def _row(one: TopicTicket, now: datetime) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "title": one.title,
        "url": ticket_url(one.reference),
        "status": name_of(SHORT_STATE_NAMES, one.state),
        "at": when_past(one.submitted_at, now),
    }


def _shown(view: TopicView) -> dict[str, Any]:
    category = either_name(view.category, view.category_en) if view.category else ""
    where = " · ".join(part for part in (unit_name(view.area) if view.area else "", category) if part)
    last_week = view.weeks[-1] if view.weeks else None
    return {
        "title": view.title,
        "url": url_for("topics.topic", topic_id=view.id),
        "where": where,
        "size": ngettext("%(num)s ticket", "%(num)s tickets", view.size),
        "recent": _("%(count)s in the last seven days", count=last_week) if last_week is not None else "",
        "usual": _("a usual week there brings %(count)s in all", count=round(view.usual))
        if round(view.usual)
        else _("a usual week there brings hardly any"),
        "is_burst": view.is_burst and last_week is not None,
    }


def _chart(view: TopicView) -> dict[str, Any] | None:
    """The weeks as bars; None where they would single somebody out."""
    if view.weeks is None:
        return None
    most = max(*view.weeks, 1)
    last = len(view.weeks) - 1
    return {
        "title": _("Week by week"),
        "bars": [
            {
                "label": _("last seven days") if at == last else _("%(count)s weeks before", count=last - at),
                "share": round(100 * count / most),
                "words": str(count),
                "tone": "late" if view.is_burst and at == last else "",
            }
            for at, count in enumerate(view.weeks)
        ],
    }
