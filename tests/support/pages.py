"""Every page that people look at, as a table: a name, an address, who looks. A new page is one line here.

Screenshots (tests.support.shots) and the test of every page (tests/web/test_every_page.py) both read it. `{state}` in an
address stands for the reference of the newest ticket of tests.support.small_site in that state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask

from feedback.kernel.clock import local_day, utc_now
from feedback.kernel.db import db
from feedback.tickets.models import Ticket


@dataclass(frozen=True)
class Look:
    """A page or one of its states. `login` is of tests.support.county, "" for nobody; `press` is sent before looking."""

    name: str
    address: str
    login: str = ""
    press: str = ""
    status: int = 200


SEND = "main form button:not([name])"
LOOKS = (
    Look("sign-in", "/sign-in"),
    Look("sign-in-refused", "/sign-in", press=SEND),
    Look("not-found", "/tickets/nothing", "s", status=404),
    Look("not-allowed", "/desk", "s", status=403),
    Look("account", "/account", "hw"),
    Look("mails", "/account/mails", "hw"),
    Look("notices", "/notices", "hw"),
    Look("notices-empty", "/notices", "x"),
    Look("help-cadre", "/help", "s"),
    *(
        Look(f"help-{topic}", f"/help/{topic}", "x")
        for topic in ("handler", "dispatcher", "leader", "adjudicator", "admin", "auditor")
    ),
    Look("search", "/search", "hw"),
    Look("search-found", "/search?q=%E6%BC%8F%E6%B0%B4", "hw"),
    Look("search-nothing", "/search?q=zzzz", "hw"),
    Look("cadre-home", "/mine", "s"),
    Look("cadre-first", "/mine", "v0"),
    Look("cadre-submit", "/submit", "s"),
    Look("cadre-submit-refused", "/submit", "s", press=SEND),
    Look("cadre-receipt", "/submit/done/{in_progress}", "s"),
    Look("cadre-ticket", "/tickets/{in_progress}", "s"),
    Look("cadre-ticket-asked", "/tickets/{waiting_for_submitter}", "s"),
    Look("cadre-ticket-claimed", "/tickets/{resolved}", "s"),
    Look("cadre-ticket-confirmed", "/tickets/{confirmed}", "s"),
    Look("cadre-ticket-declined", "/tickets/{declined}", "s"),
    Look("cadre-ticket-withdrawn", "/tickets/{withdrawn}", "s"),
    Look("ticket-why", "/tickets/{in_progress}/why", "s"),
    Look("no-page", "/", "x"),
    Look("desk", "/desk", "hw"),
    Look("desk-unit", "/desk?tab=all", "hw"),
    Look("desk-empty", "/desk", "ha"),
    Look("desk-replies", "/desk/replies", "hw"),
    Look("handler-ticket-new", "/tickets/{dispatched}", "hr"),
    Look("handler-ticket", "/tickets/{in_progress}", "hw"),
    Look("handler-ticket-disputed", "/tickets/{resolved}", "hw"),
    Look("head-ticket", "/tickets/{in_progress}", "lw"),
    Look("dispatch", "/dispatch", "dp1"),
    Look("dispatch-root", "/dispatch", "d"),
    Look("dispatcher-ticket", "/tickets/{submitted}", "dp1"),
    Look("review", "/review", "lr"),
    Look("review-list", "/review/list?from={first_day}&to={today}&by=unit&measure=confirmed&part=denominator", "lr"),
    *(
        Look(f"review-{which}", f"/review/now/{which}", "lr")
        for which in ("waiting", "late", "disputed", "silent", "oldest")
    ),
    Look("admin", "/admin", "adm"),
    Look("admin-accounts", "/admin/accounts", "adm"),
    Look("admin-account", "/admin/accounts/hw", "adm"),
    Look("admin-account-new", "/admin/add-account", "adm"),
    Look("admin-units", "/admin/units", "adm"),
    Look("admin-unit", "/admin/units/water", "adm"),
    Look("admin-unit-new", "/admin/add-unit", "adm"),
    Look("admin-catalogue", "/admin/catalogue", "adm"),
    Look("admin-policies", "/admin/policies", "adm"),
    Look("admin-calendars", "/admin/calendars", "adm"),
    Look("admin-official-days", "/admin/official-days", "adm"),
    Look("admin-settings", "/admin/settings", "adm"),
    *(
        Look(f"admin-import-{kind}", f"/admin/imports/{kind}", "adm")
        for kind in ("units", "accounts", "catalogue", "policies", "calendars")
    ),
    Look("admin-jobs", "/admin/jobs", "adm"),
    Look("api-docs", "/api/docs"),
)


def references(app: Flask) -> dict[str, str]:
    """What fills the addresses: the newest ticket of each state or closing reason, one with a name where there is one.

    `first_day` and `today` are a period in which all of them were submitted.
    """
    with app.app_context():
        rows = db.session.query(Ticket).order_by(Ticket.id.desc()).all()
        rows.sort(key=lambda ticket: ticket.privacy != "confidential")
        found = {ticket.closure_reason or ticket.status: ticket.reference for ticket in rows}
        db.session.remove()
        today = local_day(utc_now())
    return {**found, "first_day": (today - timedelta(days=89)).isoformat(), "today": today.isoformat()}
