"""The handler's desk: what lies with their units, by what is due, in tabs whose counts are those of the lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.paging import Page
from feedback.reading.clocks import open_spans
from feedback.reading.queries import MOST_COUNTED, count_each_up_to, list_tickets, most_counted
from feedback.reading.search import TicketFilters
from feedback.reading.views import TicketRow
from feedback.web.bulk import ACTIONS, MOST, act_on_each, colleague_options, report_of
from feedback.web.filters import Asked, address, asked_filters, category_options, left_out_words, region_options
from feedback.web.forms.desk import DeskFilterForm
from feedback.web.present.desk import desk_row
from feedback.web.present.search import number_words
from feedback.web.replies import reply_pages
from feedback.web.saved import query_of, view_pages, views_of
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

desk_pages = Blueprint("desk", __name__)
desk_pages.register_blueprint(reply_pages)
desk_pages.register_blueprint(view_pages)

FILTERS = ("q", "area", "category", "urgency", "overdue")
ROWS = 25
REFERENCE = re.compile(r"[0-9A-Za-z-]{1,20}")


@dataclass(frozen=True)
class Tab:
    """A part of the desk: its name in the address, and what its list is narrowed by."""

    name: str
    filters: TicketFilters


TABS = (
    Tab("sign", TicketFilters(desk=True, status=("dispatched",))),
    Tab("back", TicketFilters(desk=True, status=("in_progress",), disputed=True)),
    Tab("work", TicketFilters(desk=True, status=("in_progress",), disputed=False)),
    Tab("wait", TicketFilters(desk=True, status=("waiting_for_submitter", "resolved"))),
    Tab("mine", TicketFilters(desk=True, status=("open",), assigned=True)),
    Tab("all", TicketFilters(desk=True)),
)
"""In the order in which they need somebody; the first that holds anything is shown where none was asked for."""


def _labels() -> dict[str, str]:
    return {
        "sign": _("To sign for"),
        "back": _("Came back"),
        "work": _("Being worked on"),
        "wait": _("With the submitter"),
        "mine": _("Mine"),
        "all": _("All of my units"),
    }


@desk_pages.get("/desk")
@require("handler", "unit_head")
def desk() -> str:
    """The desk, narrowed by what the address says."""
    return _desk_page(None)


@desk_pages.post("/desk")
@require("handler", "unit_head")
def act_on_chosen() -> str | tuple[str, int]:
    """Sign for or assign the chosen tickets, and show the same list with what came of each."""
    action = request.form.get("do", "")
    chosen = [reference for reference in request.form.getlist("ticket") if REFERENCE.fullmatch(reference)][:MOST]
    if action not in ACTIONS:
        raise NotFound
    fields = {"assignee": request.form.get("assignee", "")} if action == "assign" else {}
    report = report_of(action, act_on_each(chosen, action, fields, actor=signed_in_actor(), now=request_now()))
    page = _desk_page(report)
    return page if chosen else (page, 422)


def _desk_page(report: dict[str, Any] | None) -> str:
    actor, now = signed_in_actor(), request_now()
    asked = asked_filters(session(), actor, request.args, FILTERS, now=now)
    most = most_counted(session(), actor, narrowed(TABS[-1], asked), now=now)
    counts = count_each_up_to(session(), actor, {t.name: narrowed(t, asked) for t in TABS}, now=now, most=most)
    tab = _tab_asked(asked, counts)
    page = _page(actor, tab, asked, now)
    signing = open_spans(session(), [row.reference for row in page.items if row.status == "dispatched"], "signing")
    labels = _labels()
    tabs = [
        {
            "url": address("desk.desk", asked.kept, tab=each.name),
            "label": labels[each.name],
            "count": count_words(counts[each.name], most),
            "active": each is tab,
        }
        for each in TABS
    ]
    return render_template(
        "desk/desk.html",
        tabs=tabs,
        tab=tab.name,
        tab_label=labels[tab.name],
        form=_filter_form(asked, now),
        asked=asked,
        clear_url=address("desk.desk", {}, tab=tab.name),
        rows=[desk_row(row, now, signing) for row in page.items],
        report=report,
        views=views_of(actor, query_of({**asked.kept, "tab": tab.name})),
        bulk_url=address("desk.desk", asked.kept, tab=tab.name, cursor=request.args.get("cursor")),
        colleagues=colleague_options(session(), actor, now) if page.items else [],
        pager=_pager(page, number_words(counts[tab.name], most), tab, asked),
    )


def narrowed(tab: Tab, asked: Asked) -> TicketFilters:
    """A tab's list with the reader's own filters."""
    own = {name: getattr(asked.filters, name) for name in FILTERS}
    return tab.filters.model_copy(update=own)


def _tab_asked(asked: Asked, counts: dict[str, int]) -> Tab:
    name = request.args.get("tab", "")
    chosen = next((tab for tab in TABS if tab.name == name), None)
    if name and chosen is None:
        asked.left_out.append(_("There is no such tab; this is the first that needs you."))
    return chosen or next((tab for tab in TABS if counts[tab.name]), TABS[0])


def _page(actor: Actor, tab: Tab, asked: Asked, now: datetime) -> Page[TicketRow]:
    filters, cursor = narrowed(tab, asked), request.args.get("cursor")
    try:
        return list_tickets(session(), actor, filters, now=now, limit=ROWS, cursor=cursor, is_brief=True)
    except Invalid as refused:
        asked.left_out.append(left_out_words("cursor", refused))
        return list_tickets(session(), actor, filters, now=now, limit=ROWS, is_brief=True)


def _filter_form(asked: Asked, now: datetime) -> DeskFilterForm:
    form = DeskFilterForm(data={**asked.kept, "overdue": asked.filters.overdue})
    form.area.choices = region_options(session(), now, asked.kept.get("area"))
    form.category.choices = category_options(session())
    form.offer_urgencies()
    return form


def count_words(count: int, most: int = MOST_COUNTED) -> str:
    """A number at a tab; above `most` that there are more."""
    return f"{most}+" if count > most else str(count)


def _pager(page: Page[TicketRow], words: str, tab: Tab, asked: Asked) -> dict[str, Any]:
    kept = {**asked.kept, "tab": tab.name}
    return {
        "words": words,
        "first": address("desk.desk", kept) if request.args.get("cursor") else None,
        "next": address("desk.desk", kept, cursor=page.next) if page.next else None,
    }
