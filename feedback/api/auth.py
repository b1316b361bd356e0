"""Who is calling: a bearer token in the Authorization header (no cookie, no query), in which role, with which scope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from flask import current_app, g, request

from feedback.api.access import ENDPOINTS, WRITE
from feedback.kernel.access import rule_of
from feedback.kernel.actor import Actor
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.kernel.errors import Forbidden, NotSignedIn
from feedback.kernel.text import N_, Text
from feedback.people.queries import load_actor
from feedback.people.tokens import find_token

SCHEME = "bearer "
ACTING_AS = "Acting-As"


@dataclass(frozen=True)
class Caller:
    """Whoever calls, at the instant that this request counts as its own."""

    actor: Actor
    now: datetime
    locale: str | None


def caller() -> Caller:
    """The caller of this request; only where `identify` found one."""
    return cast("Caller", g.api_caller)


def identify() -> None:
    """Find out who calls, before the view runs. Raises NotSignedIn, then Forbidden (scope, role)."""
    rule = rule_of(current_app.view_functions[request.endpoint or ""])
    if rule is not None and rule.is_open:
        return
    now = utc_now()
    owner = find_token(session(), _token(), now)
    if owner is None:
        raise NotSignedIn(Text(N_("This token is unknown or no longer in force. Ask for a new one.")))
    g.account_locale = owner.account.locale
    actor = load_actor(session(), owner.account, now=now, channel="api", scopes=owner.scopes)
    g.api_caller = Caller(_acting_as(actor), now, owner.account.locale)
    if rule is None or not rule.admits(g.api_caller.actor):
        raise Forbidden(Text(N_("None of your roles lets you do this.")))
    declared = ENDPOINTS[request.endpoint or ""]
    if declared.scope not in owner.scopes:
        what = N_("change anything") if declared.scope == WRITE else N_("read this")
        raise Forbidden(
            Text(N_("This token may not %(what)s. Issue one with the scope."), what=Text(what)), code="scope"
        )


def _token() -> str:
    header = request.headers.get("Authorization", "")
    if header[: len(SCHEME)].lower() != SCHEME:
        raise NotSignedIn(Text(N_("Send your token as “Authorization: Bearer …”.")))
    return header[len(SCHEME) :].strip()


def _acting_as(actor: Actor) -> Actor:
    """The actor narrowed to the role they chose. Raises Forbidden for one that they do not hold."""
    wanted = request.headers.get(ACTING_AS)
    if wanted is None:
        return actor
    role, _, code = wanted.strip().partition("@")
    grant = next((each for each in actor.grants if (each.role, each.unit_code) == (role, code)), None)
    if grant is None:
        raise Forbidden(
            Text(N_("You do not hold the role named in Acting-As. Send role@unit, such as handler@water.")),
            code="acting_as",
        )
    return replace(actor, acting_as=grant)
