"""The admin's index, and background jobs and health. Every other page of the admin's has a module of its own beside it.

No ticket and no identity is shown on any of them.
"""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from werkzeug.wrappers import Response

from feedback.kernel.db import session
from feedback.kernel.site import get_setting
from feedback.notifications.password_mail import mail_link
from feedback.notifications.queries import list_dead
from feedback.people.directory import count_accounts, unit_tree
from feedback.people.password_links import IssuedLink
from feedback.routing.usecases import SELF_DISPATCH
from feedback.settings import Settings
from feedback.web.present.admin import dead_row, health_facts, problems, queue_rows
from feedback.web.session import request_now, require, signed_in_actor

admin_pages = Blueprint("admin", __name__, url_prefix="/admin")

Page = str | tuple[str, int] | Response
LONGEST_SEARCH = 200


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def site_address(path: str) -> str:
    """A path of this site as a whole address: by BASE_URL, never by what a request calls this host."""
    return f"{_settings().base_url.rstrip('/')}{path}"


def mail_to_person(link: IssuedLink, url: str) -> bool:
    """Mail a one-time link where a mail server and an address are known; whether it went out."""
    return mail_link(link, url, settings=_settings(), now=request_now())


@admin_pages.get("")
@require("admin")
def index() -> str:
    """What needs attention, and the way to everything else."""
    actor, now = signed_in_actor(), request_now()
    return render_template(
        "admin/index.html",
        problems=problems(session(), current_app.extensions["queues"], _settings(), now),
        self_dispatch=bool(get_setting(session(), SELF_DISPATCH)),
        accounts=count_accounts(session(), actor),
        units=len(unit_tree(session(), actor, now)),
    )


@admin_pages.get("/jobs")
@require("admin")
def jobs() -> str:
    """How the background parts are, and what was given up."""
    now, queues = request_now(), current_app.extensions["queues"]
    return render_template(
        "admin/jobs.html",
        facts=health_facts(session(), queues, _settings(), now),
        queues=queue_rows(queues),
        dead=[dead_row(each) for each in list_dead(session())],
    )
