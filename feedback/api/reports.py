"""The figures over HTTP, and the tickets behind each of them as JSON or CSV. What is counted is reports/'s alone."""

from __future__ import annotations

from flask import Response, request
from flask_babel import force_locale, gettext

from feedback.api import render
from feedback.api.access import endpoint
from feedback.api.auth import caller
from feedback.api.locale import reader_locale
from feedback.api.report_schemas import ClosureReport, CountedTickets
from feedback.api.tickets import limit_asked
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.reports.cohort import READERS
from feedback.reports.documents import counted_document, counted_rows, report_document, report_rows, to_csv
from feedback.reports.listing import list_counted
from feedback.reports.period import ListQuery, ReportQuery
from feedback.reports.queries import closure_report

REPORTS = "reports"
PAGING = ("limit", "cursor", "format")
RULE = N_(
    "Dispatchers, supervisors, adjudicators and leaders for their subtree, heads and handlers for their own unit."
)


@endpoint(
    "GET",
    "/v1/reports/closure",
    answer=ClosureReport,
    scope=REPORTS,
    who=READERS,
    query=ReportQuery,
    summary=N_("The figures of closure for a period, by unit, area, category or month."),
    rule=RULE,
)
def closure() -> Response:
    """The same numbers as page, command line and export (`format=csv`)."""
    who = caller()
    query = ReportQuery.parse(_asked())
    report = closure_report(session(), who.actor, query, now=who.now)
    if _wants_csv():
        return _csv(to_csv(report_rows(report)), "closure")
    with force_locale(reader_locale()):
        return render.answer(report_document(report, gettext))


@endpoint(
    "GET",
    "/v1/reports/closure/tickets",
    answer=CountedTickets,
    scope=REPORTS,
    who=READERS,
    query=ListQuery,
    summary=N_("The tickets that one number of the report counts; `format=csv` exports them all."),
    rule=RULE,
)
def closure_tickets() -> Response:
    """What the number counts, and no other ticket."""
    who = caller()
    query = ListQuery.parse(_asked())
    limit = None if _wants_csv() else limit_asked()
    cursor = request.args.get("cursor") or None
    found = list_counted(session(), who.actor, query, now=who.now, limit=limit, cursor=cursor)
    if _wants_csv():
        return _csv(to_csv(counted_rows(found.page.items)), "tickets")
    items = [counted_document(ticket) for ticket in found.page.items]
    return render.answer({"items": items, "next": found.page.next, "suppressed": found.is_suppressed})


def _asked() -> dict[str, str]:
    return {name: value for name, value in request.args.items() if value and name not in PAGING}


def _wants_csv() -> bool:
    wanted = request.args.get("format") or "json"
    if wanted not in ("json", "csv"):
        raise Invalid({"format": Text(N_("Must be one of: %(names)s."), names="json, csv")})
    return wanted == "csv"


def _csv(text: str, name: str) -> Response:
    response = Response(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response
