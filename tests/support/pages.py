"""Every page that people look at, as a table: a name, an address, who looks. A new page is one line here.

Screenshots (tests.support.shots), the check of each in a browser (tests.support.axe_table) and the test of every page
(tests/web/test_every_page.py) read it. `{state}` in an address stands for the reference of the newest ticket of
tests.support.small_site in that state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask

from feedback.kernel.clock import local_day, utc_now
from feedback.kernel.db import db
from feedback.supervision.models import HotTopicTicket
from feedback.tickets.models import Ticket, TicketRequest
from feedback.tickets.summaries import PublishedSummary


@dataclass(frozen=True)
class Look:
    """A page or one of its states. `login` is of tests.support.county, "" for nobody.

    `fill` are (selector, value) to type, choose or hand over as a file before `press` is pressed, `times` in a row;
    `paper` looks at what a printer gets.
    """

    name: str
    address: str
    login: str = ""
    press: str = ""
    status: int = 200
    fill: tuple[tuple[str, str], ...] = ()
    times: int = 1
    paper: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether opening the address shows it."""
        return not (self.press or self.fill or self.paper)


SEND = "main form button:not([name])"
LEAK = "村口主水管漏水三天了，路面塌了一小块，晚上骑车的人看不见。"
FIRST = ("sign-in", "cadre-")
"""How the names of the pages begin that a phone opens first: no more than 60 KB over the wire."""
UNITS_FILE = (
    "code,name,kind,level,parent\nwater,水务与排水局,department,county,root\nnowhere,某站,department,town,none\n"
)
HANDLER_WORK = "/desk?tab=work"

ENTRANCE = (
    Look("sign-in", "/sign-in"),
    Look("sign-in-refused", "/sign-in", press=SEND),
    Look(
        "sign-in-throttled",
        "/sign-in",
        fill=(("[name=login]", "nobody"), ("[name=password]", "guessed at last")),
        press=SEND,
        times=6,
    ),
    Look("link-over", "/choose-password/used-long-ago", status=404),
    Look("link-choose", "/choose-password/{link}"),
    Look("link-choose-refused", "/choose-password/{link}", press=SEND),
    Look("not-found", "/tickets/nothing", "s", status=404),
    Look("not-allowed", "/desk", "s", status=403),
    *(Look(f"refused-{code}", f"/refused/{code}", "s", status=code) for code in (400, 409, 413, 422, 429, 500, 503)),
    Look("fault-signed-out", "/refused/500", status=500),
    Look("api-docs", "/api/docs"),
)
EVERYBODY = (
    Look("account", "/account", "hw"),
    Look("account-cadre", "/account", "s"),
    Look("account-refused", "/account", "s", press="form[action$='/account/password'] button"),
    Look("mails", "/account/mails", "hw"),
    Look("mails-kept", "/account/mails", "hw", press=SEND),
    Look("notices", "/notices", "hw"),
    Look("notices-cadre", "/notices", "s"),
    Look("notices-empty", "/notices", "x"),
    Look("menu-open", "/mine", "s", press=".menu > summary"),
    Look("help-cadre", "/help", "s"),
    *(
        Look(f"help-{topic}", f"/help/{topic}", "x")
        for topic in ("submitter", "handler", "dispatcher", "leader", "adjudicator", "admin", "auditor")
    ),
    Look("search", "/search", "hw"),
    Look("search-found", "/search?q=%E6%BC%8F%E6%B0%B4", "hw"),
    Look("search-found-cadre", "/search?q=%E6%BC%8F%E6%B0%B4", "s"),
    Look("search-nothing", "/search?q=zzzz", "hw"),
    Look("no-page", "/", "x"),
)
CADRE = (
    Look("cadre-home", "/mine", "s"),
    Look("cadre-first", "/mine", "v0"),
    Look("cadre-submit", "/submit", "s"),
    Look("cadre-submit-refused", "/submit", "s", press=SEND),
    Look("cadre-submit-proposed", "/submit", "s", fill=(("#submit-text", LEAK),)),
    Look("cadre-receipt", "/submit/done/{in_progress}", "s"),
    Look("cadre-ticket", "/tickets/{in_progress}", "s"),
    Look("cadre-ticket-submitted", "/tickets/{submitted}", "s"),
    Look("cadre-ticket-asked", "/tickets/{waiting_for_submitter}", "s"),
    Look("cadre-ticket-claimed", "/tickets/{resolved}", "s"),
    Look("cadre-ticket-confirmed", "/tickets/{confirmed}", "s"),
    Look("cadre-ticket-unanswered", "/tickets/{unanswered}", "s"),
    Look("cadre-ticket-declined", "/tickets/{declined}", "s"),
    Look("cadre-ticket-withdrawn", "/tickets/{withdrawn}", "s"),
    Look("cadre-ticket-joined", "/tickets/{joined}", "s2"),
    Look("cadre-ticket-voted", "/tickets/{elder}", "s"),
    Look("cadre-ticket-to-vote", "/tickets/{elder}", "s2"),
    Look(
        "cadre-ticket-refused",
        "/tickets/{waiting_for_submitter}",
        "s",
        press="form[action$='/answer'] button:not([name])",
    ),
    Look(
        "cadre-doubt",
        "/tickets/{resolved}",
        "s",
        fill=(
            ("#do-confirm [name=comment]", "没有解决，昨天又满了。"),
            ("#do-confirm .say-more [value=solved]", "yes"),
        ),
        press="#do-confirm .say-more button:not([name])",
    ),
    Look("ticket-why", "/tickets/{in_progress}/why", "s"),
    Look("ticket-sheet", "/tickets/{in_progress}", "s", paper=True),
    Look("ticket-sheet-closed", "/tickets/{confirmed}", "hw", paper=True),
)
STAFF = (
    Look("desk", "/desk", "hw"),
    Look("desk-unit", "/desk?tab=all", "hw"),
    Look("desk-filtered", "/desk?tab=all&q=%E6%B0%B4&urgency=urgent", "hw"),
    Look("desk-nothing-fits", "/desk?tab=all&q=zzzz", "hw"),
    Look("desk-empty", "/desk", "ha"),
    Look("desk-head", "/desk", "lw"),
    Look("desk-bulk-none", HANDLER_WORK, "hw", press="[data-bulk] button[value=acknowledge]"),
    Look(
        "desk-bulk-refused",
        HANDLER_WORK,
        "hw",
        fill=(("tbody input[name=ticket]", "yes"),),
        press="[data-bulk] button[value=acknowledge]",
    ),
    Look(
        "desk-bulk-done",
        HANDLER_WORK,
        "hw",
        fill=(("tbody input[name=ticket]", "yes"),),
        press="[data-bulk] button[value=assign]",
    ),
    Look("desk-sheet", "/desk?tab=all", "hw", paper=True),
    Look("desk-replies", "/desk/replies", "hw"),
    Look("desk-replies-refused", "/desk/replies", "hw", press="main .panel form button"),
    Look("handler-ticket-new", "/tickets/{dispatched}", "hr"),
    Look("handler-ticket", "/tickets/{in_progress}", "hw"),
    Look("handler-ticket-together", "/tickets/{elder}", "hw"),
    Look("handler-ticket-rare", "/tickets/{in_progress}", "hw", press="details.rare > summary"),
    Look("dispatcher-ticket-rare", "/tickets/{submitted}", "dp1", press="details.rare > summary"),
    Look("handler-ticket-refused", "/tickets/{in_progress}", "hw", press="form[action$='/resolve'] button:not([name])"),
    Look("handler-ticket-waiting", "/tickets/{waiting_for_submitter}", "hw"),
    Look("handler-ticket-disputed", "/tickets/{resolved}", "hw"),
    Look("handler-ticket-closed", "/tickets/{confirmed}", "hw"),
    Look("handler-ticket-assist", "/tickets/{in_progress}", "hr"),
    Look("handler-ticket-later", "/tickets/{extension_asked}", "hw"),
    Look("head-ticket", "/tickets/{in_progress}", "lw"),
    Look("submit-for-others", "/submit", "hw"),
    Look("dispatch", "/dispatch", "dp1"),
    Look("dispatch-root", "/dispatch", "d"),
    Look("dispatch-refused", "/dispatch", "dp1", press="main article .pick button"),
    Look("dispatcher-ticket", "/tickets/{submitted}", "dp1"),
    Look("dispatcher-decides", "/tickets/{decline_asked}", "d"),
    Look("dispatcher-decides-later", "/tickets/{extension_asked}", "d"),
    Look("adjudicator", "/", "ad"),
    Look("adjudicator-ticket", "/tickets/{submitted}", "ad"),
    Look("auditor", "/", "au"),
)
LEADER = (
    Look("review", "/review", "lr"),
    Look("review-supervisor", "/review", "su"),
    Look("review-own-period", "/review?period=own&from={first_day}&to={today}", "lr"),
    Look("review-sheet", "/review", "lr", paper=True),
    Look("topics", "/topics", "lr"),
    Look("topic", "/topics/{topic}", "lr"),
    Look("topic-to-join", "/topics/{topic}", "dp1"),
    Look("dispatcher-ticket-summed-up", "/tickets/{summed_up}", "dp1"),
    Look("cadre-receipt-alike", "/submit/done/{summed_up_next}", "v1"),
    Look("review-list", "/review/list?from={first_day}&to={today}&by=unit&measure=confirmed&part=denominator", "lr"),
    *(
        Look(f"review-{which}", f"/review/now/{which}", "lr")
        for which in ("waiting", "late", "disputed", "silent", "oldest")
    ),
    Look("supervisor-ticket", "/tickets/{in_progress}", "su"),
    Look("leader-ticket", "/tickets/{resolved}", "lr"),
)
ADMIN = (
    Look("admin", "/admin", "adm"),
    Look("admin-accounts", "/admin/accounts", "adm"),
    Look("admin-accounts-nobody", "/admin/accounts?q=zzzz", "adm"),
    Look("admin-account", "/admin/accounts/hw", "adm"),
    Look("admin-account-link", "/admin/accounts/v4", "adm", press="form[action$='/link'] button"),
    Look("admin-account-new", "/admin/add-account", "adm"),
    Look("admin-account-new-refused", "/admin/add-account", "adm", press=SEND),
    Look("admin-units", "/admin/units", "adm"),
    Look("admin-unit", "/admin/units/water", "adm"),
    Look("admin-unit-new", "/admin/add-unit", "adm"),
    Look("admin-unit-new-refused", "/admin/add-unit", "adm", press=SEND),
    Look("admin-catalogue", "/admin/catalogue", "adm"),
    Look("admin-policies", "/admin/policies", "adm"),
    Look("admin-calendars", "/admin/calendars", "adm"),
    Look("admin-official-days", "/admin/official-days", "adm"),
    Look(
        "admin-official-days-tried",
        "/admin/official-days?year=2040",
        "adm",
        fill=(("[name=holidays]", "10-01/10-07 国庆节"),),
        press=SEND,
    ),
    Look("admin-settings", "/admin/settings", "adm"),
    Look("admin-category-model", "/admin/category-model", "adm"),
    *(
        Look(f"admin-import-{kind}", f"/admin/imports/{kind}", "adm")
        for kind in ("units", "accounts", "catalogue", "policies", "calendars")
    ),
    Look("admin-import-tried", "/admin/imports/units", "adm", fill=(("[name=file]", UNITS_FILE),), press=SEND),
    Look("admin-import-refused", "/admin/imports/units", "adm", press=SEND),
    Look("admin-jobs", "/admin/jobs", "adm"),
)
LOOKS = (*ENTRANCE, *EVERYBODY, *CADRE, *STAFF, *LEADER, *ADMIN)


def references(app: Flask) -> dict[str, str]:
    """What fills the addresses: the newest ticket of each state or closing reason, one with a name where there is one.

    `elder` is one that others were joined to, `summed_up` one of which a summary is published and `summed_up_next` one that
    says the same, `topic` the number of their topic, KIND_asked one with such a request undecided, `link` a one-time link
    to choose a password, and `first_day` and `today` are a period in which all tickets were submitted.
    """
    with app.app_context():
        session = db.session()
        rows = session.query(Ticket).order_by(Ticket.id.desc()).all()
        rows.sort(key=lambda ticket: ticket.privacy != "confidential")
        found = {ticket.closure_reason or ticket.status: ticket.reference for ticket in rows}
        by_id = {ticket.id: ticket.reference for ticket in rows}
        asked = session.query(TicketRequest).filter_by(state="pending")
        summary = session.query(PublishedSummary).first()
        topic = session.query(HotTopicTicket).filter_by(ticket_id=summary.ticket_id).first() if summary else None
        elder = next((ticket.joined_into_id for ticket in rows if ticket.joined_into_id), None)
        summed_up = summary.ticket_id if summary else None
        some = {"elder": elder, "summed_up": summed_up, "summed_up_next": summed_up and summed_up + 1}
        found |= {name: by_id[ticket_id] for name, ticket_id in some.items() if ticket_id}
        found |= {"topic": str(topic.topic_id) if topic else ""}
        found |= {f"{request.kind}_asked": by_id[request.ticket_id] for request in asked}
        db.session.remove()
        today = local_day(utc_now())
    found |= {"link": app.config.get("LINK_TO_LOOK_AT", "")}
    return {**found, "first_day": (today - timedelta(days=89)).isoformat(), "today": today.isoformat()}
