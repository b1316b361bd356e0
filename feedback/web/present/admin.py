"""What an admin reads: problems in words that say what to do, people, units, and the state of the background parts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from flask import url_for
from sqlalchemy.orm import Session

from feedback.calendars.queries import missing_official_years
from feedback.kernel.clock import local_day
from feedback.kernel.site import get_setting
from feedback.notifications.queries import DeadLetter, count_undelivered, oldest_waiting_at
from feedback.people.directory import AccountView, UnitView
from feedback.routing.served_model import model_state
from feedback.settings import Settings
from feedback.supervision.heartbeat import alarm_lag, is_alive, last_sweep, read_heartbeat
from feedback.web.filters import either_name
from feedback.web.present.cells import name_of, when_past
from feedback.web.present.time import span
from feedback.web.present.words import LEVEL_NAMES, ROLE_NAMES, UNIT_KIND_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import listed, ngettext

Part = dict[str, Any]


class Queues(Protocol):
    """What is asked of the job queues (the door of jobs owns them)."""

    def is_up(self) -> bool: ...
    def waiting(self) -> dict[str, int] | None: ...
    def failed(self) -> dict[str, int] | None: ...


def problems(session: Session, queues: Queues, settings: Settings, now: datetime) -> list[Part]:
    """What needs attention, the gravest first: {tone, title, text}; empty where all is well."""
    found = []
    if settings.is_production and not settings.is_https:
        found.append(
            _problem(
                "late",
                _("This site is served over plain http"),
                _("Passwords and tickets can be read on the way. Put https in front and set BASE_URL to it."),
            )
        )
    if not is_alive(session, now, settings.sweep_seconds):
        found.append(
            _problem(
                "late",
                _("Nobody looks at the clocks"),
                _("No sweep has finished lately, so nothing is escalated. Is the scheduler process running?"),
            )
        )
    if not queues.is_up():
        found.append(
            _problem(
                "late",
                _("Redis does not answer"),
                _(
                    "Tickets are still taken in; notices and mails wait until it is back. Look at REDIS_URL and its server."
                ),
            )
        )
    _waiting, dead = count_undelivered(session)
    if dead:
        text = ngettext("%(num)d message was given up.", "%(num)d messages were given up.", dead)
        where = _("See “Jobs and failures”.")
        found.append(_problem("soon", _("Not everything could be delivered"), f"{text} {where}"))
    found += [_missing_year(year) for year in missing_official_years(session, local_day(now))]
    found += _refused_models(session)
    if not get_setting(session, "self_dispatch"):
        found.append(_problem("info", _("Self-dispatch is off"), _("A dispatcher sends every ticket by hand.")))
    return found


def _refused_models(session: Session) -> list[Part]:
    state = model_state(session)
    if not state.refused:
        return []
    version = state.refused[0][0]
    serves = (
        _("Version %(version)s serves instead.", version=state.served.version)
        if state.served
        else _("Until another is trained the keywords of the catalogue propose alone.")
    )
    title = _("Version %(version)s of the category model can't be used", version=version)
    reason = _("It was cut, replaced or made by another version of Zhida.")
    return [_problem("soon", title, f"{reason} {serves}")]


def _missing_year(year: int) -> Part:
    return _problem(
        "soon",
        _("The official days of %(year)s are missing", year=str(year)),
        _(
            "Due times in that year are provisional: plain weekdays, no holidays, no make-up workdays. "
            "Bring in the notice: “Bring in a year's official days” below."
        ),
    )


def _problem(tone: str, title: str, text: str) -> Part:
    return {"tone": tone, "title": title, "text": text}


def health_facts(session: Session, queues: Queues, settings: Settings, now: datetime) -> list[Part]:
    """Facts of the background parts, for the facts macro."""
    beat, seen = last_sweep(session, now), read_heartbeat(settings.instance_dir)
    oldest = oldest_waiting_at(session, now)
    waiting, dead = count_undelivered(session)
    never = _("never")
    return [
        {"label": _("Redis"), "text": _("answers") if queues.is_up() else _("does not answer")},
        {"label": _("Scheduler last seen"), **({"when": when_past(seen, now)} if seen else {"text": never})},
        {"label": _("Last sweep of the clocks"), **({"when": when_past(beat.at, now)} if beat else {"text": never})},
        {"label": _("Alarms come late by, at most"), "text": span(alarm_lag(session, now).largest)},
        {"label": _("Waiting to be delivered"), "text": str(waiting)},
        {
            "label": _("Eldest waiting since"),
            **({"when": when_past(oldest, now)} if oldest else {"text": _("nothing waits")}),
        },
        {"label": _("Given up"), "text": str(dead)},
        {"label": _("Mail"), "text": _("sent") if settings.smtp_url else _("off: SMTP_URL is not set")},
        {"label": _("Address of the site"), "text": settings.base_url},
    ]


def queue_rows(queues: Queues) -> list[Part]:
    """Jobs by queue; empty where Redis is away."""
    waiting, failed = queues.waiting() or {}, queues.failed() or {}
    return [
        {"id": name, "name": name, "waiting": str(number), "failed": str(failed.get(name, 0))}
        for name, number in waiting.items()
    ]


def dead_row(letter: DeadLetter) -> Part:
    """Something that was given up: what it was, not to whom nor what it said."""
    return {
        "id": f"{letter.kind}-{letter.id}",
        "what": letter.event,
        "reference": letter.reference,
        "channel": _("mail") if letter.channel == "mail" else letter.channel,
        "attempts": str(letter.attempts),
        "error": letter.error,
    }


def account_row(account: AccountView, now: datetime) -> Part:
    """An account with its roles in words."""
    roles = [
        _("%(name)s (%(unit)s)", name=name_of(ROLE_NAMES, g.role), unit=either_name(g.unit_name, g.unit_name_en))
        for g in account.grants
    ]
    if not account.is_active:
        state = {"tone": "wait", "words": _("shut")}
    elif not account.has_password:
        state = {"tone": "soon", "words": _("no password yet")}
    else:
        state = {"tone": "ok", "words": _("in use")}
    return {
        "id": account.login,
        "login": {"text": account.login, "url": url_for("admin_accounts.show", login=account.login)},
        "name": account.name,
        "roles": listed(roles) or None,
        "state": state,
        "created": when_past(account.created_at, now),
    }


def unit_row(unit: UnitView) -> Part:
    """A unit, set in by its depth."""
    return {
        "id": unit.code,
        "name": {
            "text": "\u2003" * unit.depth + either_name(unit.name, unit.name_en),
            "url": url_for("admin_units.show", code=unit.code),
        },
        "code": unit.code,
        "kind": name_of(UNIT_KIND_NAMES, unit.kind),
        "level": name_of(LEVEL_NAMES, unit.level),
        "calendar": unit.calendar_code,
        "people": str(unit.people),
    }
