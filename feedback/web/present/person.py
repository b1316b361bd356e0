"""One account as an admin reads it: who it is, the roles held, sessions, deputies, and what shutting it would do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedback.people.deputies import DeputyView
from feedback.people.directory import AccountView
from feedback.people.models import Account
from feedback.web.filters import either_name
from feedback.web.present.admin import account_row
from feedback.web.present.cells import exact, name_of, when_past
from feedback.web.present.words import ROLE_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

Part = dict[str, Any]


def person_facts(account: Account, view: AccountView, sessions: int, now: datetime) -> list[Part]:
    """Facts for the facts macro."""
    return [
        {"label": _("Sign-in name"), "text": account.login},
        {"label": _("Account"), "text": account_row(view, now)["state"]["words"]},
        {"label": _("Since"), "when": when_past(account.created_at, now)},
        {"label": _("Signed in"), "text": ngettext("%(num)d session", "%(num)d sessions", sessions)},
    ]


def role_rows(view: AccountView) -> list[Part]:
    """The roles held now, each with what takes it away."""
    return [
        {
            "code": f"{grant.role}@{grant.unit_code}",
            "role": name_of(ROLE_NAMES, grant.role),
            "unit": either_name(grant.unit_name, grant.unit_name_en),
            "unit_code": grant.unit_code,
        }
        for grant in view.grants
    ]


def units_held(view: AccountView) -> dict[str, str]:
    """The units where a role is held, by code."""
    return {grant.unit_code: either_name(grant.unit_name, grant.unit_name_en) for grant in view.grants}


def shut_effects(sessions: int, tokens: int, in_hand: int) -> list[str]:
    """What shutting the account does, in sentences."""
    return [
        _(
            "They are signed out at once: %(sessions)s, %(tokens)s.",
            sessions=_sessions(sessions),
            tokens=_tokens(tokens),
        ),
        *_falls_back(in_hand),
        _("What they raised themselves stays theirs and goes on."),
        _("You can open the account again at any time; it then has the roles and the password it had."),
    ]


def move_effects(in_hand: int) -> list[str]:
    """What a move does, in sentences."""
    effects = [
        _("From the next click on they see what belongs to the new unit, and no longer what belongs to the old one."),
    ]
    if in_hand:
        effects.append(
            ngettext(
                "Of the %(num)d ticket in their hands, what is the old unit's falls back to its list.",
                "Of the %(num)d tickets in their hands, what is the old unit's falls back to its list.",
                in_hand,
            )
        )
    return effects


def deputy_rows(deputies: Sequence[DeputyView], login: str) -> list[Part]:
    """Who stands in for whom; a line that is this account's own can be ended here."""
    return [
        {
            "id": each.deputy_id,
            "words": _("%(name)s (%(login)s) stands in", name=each.name, login=each.login)
            if each.absent_login == login
            else _("Stands in for %(name)s (%(login)s)", name=each.absent_name, login=each.absent_login),
            "span": _span(each),
            "is_own": each.absent_login == login,
        }
        for each in deputies
    ]


def _span(each: DeputyView) -> str:
    begins = exact(each.valid_from) if each.valid_from else ""
    if each.valid_to is None:
        return _("from %(begins)s, until it is ended", begins=begins)
    return _("from %(begins)s to %(ends)s", begins=begins, ends=exact(each.valid_to))


def _falls_back(in_hand: int) -> list[str]:
    if not in_hand:
        return []
    return [
        ngettext(
            "%(num)d ticket in their hands falls back to its unit's list.",
            "%(num)d tickets in their hands fall back to their units' lists.",
            in_hand,
        ),
    ]


def _sessions(number: int) -> str:
    return ngettext("%(num)d session", "%(num)d sessions", number)


def _tokens(number: int) -> str:
    return ngettext("%(num)d token of a program", "%(num)d tokens of programs", number)
