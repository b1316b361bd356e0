"""The leader's page: five numbers of a period, what needs a look now, and closures by unit; each number opens its list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.kernel.paging import Page
from feedback.people.queries import list_units
from feedback.reading.queries import BY_DUE, MOST_DISPUTED, OLDEST, count_each, list_tickets
from feedback.reading.requests import list_decidable
from feedback.reading.search import TicketFilters
from feedback.reading.views import TicketRow
from feedback.reports.kept import recent_counts, recent_report
from feedback.reports.listing import list_counted
from feedback.reports.metrics import measure_of
from feedback.reports.period import ListQuery
from feedback.reports.queries import Report
from feedback.web.filters import address, either_name, left_out_words
from feedback.web.forms.review import PeriodForm
from feedback.web.periods import LAST_90, LAST_MONTH, THIS_MONTH, Period, asked_period
from feedback.web.present.cells import when_past
from feedback.web.present.dispatch import request_row
from feedback.web.present.lists import counted_row, exception_rows, lead_row
from feedback.web.present.review import (
    definitions,
    gap_chart,
    list_url,
    measure_words,
    month_chart,
    numbers_of,
    part_words,
    period_words,
    row_name,
    shown_rows,
    unit_row,
)
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

review_pages = Blueprint("leader", __name__)

MOST_EXCEPTIONS = 3
ROWS = 50
WITH_US = ("submitted", "dispatched", "in_progress")
LISTS: dict[str, tuple[TicketFilters, str]] = {
    "waiting": (TicketFilters(overseen=True, status=WITH_US), BY_DUE),
    "late": (TicketFilters(overseen=True, overdue=True), BY_DUE),
    "disputed": (TicketFilters(overseen=True, status=("open", "resolved"), disputed=True), MOST_DISPUTED),
    "silent": (TicketFilters(overseen=True, silent=True), OLDEST),
    "oldest": (TicketFilters(overseen=True, status=("open",)), OLDEST),
}
"""What is so now, whatever the period: by name, what the list is narrowed by, and its order."""
EXCEPTIONS = ("late", "disputed", "silent", "oldest")
LIST_FIELDS = ("from", "to", "by", "unit", "key", "measure", "part")


def _titles() -> dict[str, tuple[str, str]]:
    return {
        "waiting": (_("Waiting on us"), _("Open, and the next step is a unit's or the dispatcher's.")),
        "late": (_("Late now"), _("Past the time by which they had to be done.")),
        "disputed": (_("Came back"), _("Their submitters said that it wasn't solved; the most often first.")),
        "silent": (_("Silent"), _("Open, and nobody wrote a word for a week.")),
        "oldest": (_("Oldest open"), _("Open for the longest time.")),
    }


@review_pages.get("/review")
@require("leader", "supervisor")
def review() -> str:
    """The page for a period."""
    actor, now = signed_in_actor(), request_now()
    period, left_out = asked_period(request.args, now)
    report = recent_report(session(), actor, period.query(), now=now)
    counts, counted_at = recent_counts(session(), actor, {n: filters for n, (filters, _sort) in LISTS.items()}, now=now)
    titles = _titles()
    rows = [row for name in EXCEPTIONS for row in _exceptions(actor, name, now)]
    return render_template(
        "leader/review.html",
        period_form=PeriodForm(period.args()),
        periods=_periods(period),
        period=period_words(period),
        left_out=left_out,
        numbers=numbers_of(report, _earlier(actor, period, now), period, _waiting(counts)),
        lists=[{"label": titles[n][0], "count": counts[n], "url": url_for("leader.now", which=n)} for n in EXCEPTIONS],
        requests=[request_row(each, now) for each in list_decidable(session(), actor, now)],
        exceptions=rows,
        rows=[unit_row(row, period) for row in shown_rows(report)],
        closure_charts=[chart for chart in (gap_chart(report, period), _by_month(actor, period, now)) if chart],
        definitions=definitions(),
        as_of=when_past(min(report.now, counted_at), now),
    )


def _periods(period: Period) -> list[dict[str, Any]]:
    labels = {THIS_MONTH: _("This month"), LAST_MONTH: _("Last month"), LAST_90: _("The last 90 days")}
    return [
        {"url": url_for("leader.review", period=name), "label": label, "active": period.name == name}
        for name, label in labels.items()
    ]


def _earlier(actor: Actor, period: Period, now: datetime) -> Report | None:
    """The same figures of the period before; None where that lies before what a report may ask for."""
    try:
        return recent_report(session(), actor, period.before().query(), now=now)
    except Invalid:
        return None


def _by_month(actor: Actor, period: Period, now: datetime) -> dict[str, Any] | None:
    """The closures month by month; None where those months lie before what a report may ask for."""
    months = period.months()
    try:
        return month_chart(recent_report(session(), actor, months.query(by="month"), now=now), months)
    except Invalid:
        return None


def _waiting(counts: dict[str, int]) -> dict[str, Any]:
    return {
        "label": _titles()["waiting"][0],
        "value": str(counts["waiting"]),
        "of": ngettext("open now, %(num)d of them late", "open now, %(num)d of them late", counts["late"]),
        "url": url_for("leader.now", which="waiting"),
    }


def _exceptions(actor: Actor, name: str, now: datetime) -> list[dict[str, Any]]:
    filters, sort = LISTS[name]
    page = list_tickets(session(), actor, filters, now=now, sort=sort, limit=MOST_EXCEPTIONS, is_brief=True)
    return exception_rows(name, page.items, now)


@review_pages.get("/review/now/<any(waiting, late, disputed, silent, oldest):which>")
@require("leader", "supervisor")
def now(which: str) -> str:
    """The tickets behind a number of what is so now."""
    actor, at = signed_in_actor(), request_now()
    filters, sort = LISTS[which]
    left_out: list[str] = []
    page: Page[TicketRow]
    try:
        page = list_tickets(session(), actor, filters, now=at, sort=sort, cursor=request.args.get("cursor"))
    except Invalid as refused:
        left_out.append(left_out_words("cursor", refused))
        page = list_tickets(session(), actor, filters, now=at, sort=sort)
    count = count_each(session(), actor, {which: filters}, now=at)[which]
    title, sentence = _titles()[which]
    return render_template(
        "leader/now.html",
        title=title,
        sentence=sentence,
        left_out=left_out,
        rows=[lead_row(row, at) for row in page.items],
        pager=_pager(ngettext("%(num)d ticket", "%(num)d tickets", count), "leader.now", {"which": which}, page.next),
    )


@review_pages.get("/review/list")
@require("leader", "supervisor")
def counted() -> str:
    """The tickets that one number of the report counts."""
    actor, at = signed_in_actor(), request_now()
    asked = {name: request.args[name] for name in LIST_FIELDS if request.args.get(name)}
    query = ListQuery.parse(asked)
    found = list_counted(session(), actor, query, now=at, limit=ROWS, cursor=request.args.get("cursor") or None)
    row = found.row
    measure = measure_of(row, query.measure)
    name, sentence = measure_words(query.measure)
    names = {unit.code: either_name(unit.name, unit.name_en) for unit in list_units(session(), at)}
    number = {"numerator": measure.numerator, "denominator": measure.denominator}.get(
        query.part, sum((measure.left_out or {}).values())
    )
    period = Period("own", query.first, query.last)
    return render_template(
        "leader/counted.html",
        title=f"{name} · {row_name(row)}" if row.key else name,
        sentence=sentence,
        by_submission=query.measure == "declined",
        period=period_words(period),
        parts=[
            {
                "url": list_url(period, query.measure, part, by=query.by, key=query.key),
                "label": part_words(query.measure, part),
                "active": part == query.part,
            }
            for part in ("numerator", "denominator", "left_out")
        ],
        back=address("leader.review", period.args(), period="own"),
        is_suppressed=found.is_suppressed,
        has_hidden=found.has_hidden,
        rows=[counted_row(ticket, names, at) for ticket in found.page.items],
        pager=_pager(_("counted: %(number)s", number=f"{number or 0:g}"), "leader.counted", asked, found.page.next),
    )


def _pager(words: str, endpoint: str, kept: dict[str, str], following: str | None) -> dict[str, Any]:
    return {
        "words": words,
        "first": address(endpoint, kept) if request.args.get("cursor") else None,
        "next": address(endpoint, kept, cursor=following) if following else None,
    }
