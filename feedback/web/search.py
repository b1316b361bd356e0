"""The search: a box for everybody, and what it found among the tickets they may see: few hits the best first, many the newest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.kernel.paging import Page
from feedback.reading.queries import BEST, count_up_to, list_tickets, most_counted
from feedback.reading.views import TicketRow
from feedback.tickets.bigrams import phrases_of
from feedback.web.filters import Asked, address, asked_filters, category_options, left_out_words, region_options
from feedback.web.forms.search import SearchForm
from feedback.web.present.search import found_row, number_words
from feedback.web.session import request_now, require, signed_in_actor

search_pages = Blueprint("search", __name__)

FILTERS = ("q", "status", "area", "category")
ROWS = 25
EMPTY: Page[TicketRow] = Page((), None)


@search_pages.get("/search")
@require("signed_in")
def results() -> str:
    """What was found; the box alone where nothing was asked."""
    actor, now = signed_in_actor(), request_now()
    asked = asked_filters(session(), actor, request.args, FILTERS, now=now)
    page = _page(actor, asked, now) if asked.filters.q else EMPTY
    phrases = phrases_of(asked.filters.q or "")
    return render_template(
        "search/results.html",
        form=_form(asked, now),
        asked=asked,
        has_words=bool(phrases),
        clear_url=address("search.results", {"q": asked.kept.get("q", "")}),
        rows=[found_row(row, phrases, now) for row in page.items],
        pager=_pager(actor, page, asked, now) if page.items else {},
    )


def _page(actor: Actor, asked: Asked, now: datetime) -> Page[TicketRow]:
    cursor = request.args.get("cursor")
    try:
        return list_tickets(session(), actor, asked.filters, now=now, sort=BEST, limit=ROWS, cursor=cursor)
    except Invalid as refused:
        asked.left_out.append(left_out_words("cursor", refused))
        return list_tickets(session(), actor, asked.filters, now=now, sort=BEST, limit=ROWS)


def _form(asked: Asked, now: datetime) -> SearchForm:
    form = SearchForm(data=asked.kept)
    form.offer_statuses()
    form.area.choices = region_options(session(), now, asked.kept.get("area"))
    form.category.choices = category_options(session())
    return form


def _pager(actor: Actor, page: Page[TicketRow], asked: Asked, now: datetime) -> dict[str, Any]:
    cursor = request.args.get("cursor")
    number = len(page.items)
    most = most_counted(session(), actor, asked.filters, now=now)
    if cursor or page.next:
        number = count_up_to(session(), actor, asked.filters, now=now, most=most)
    return {
        "words": number_words(number, most),
        "first": address("search.results", asked.kept) if cursor else None,
        "next": address("search.results", asked.kept, cursor=page.next) if page.next else None,
    }
