"""Who and what there is to name: units, categories, the caller, and the caller's notices."""

from __future__ import annotations

from flask import Response, request
from flask_babel import force_locale, gettext

from feedback.api import render, schemas
from feedback.api.access import EVERYBODY, WRITE, endpoint
from feedback.api.auth import caller
from feedback.api.locale import reader_locale
from feedback.api.tickets import LARGEST_ID, limit_asked
from feedback.kernel.actor import Grant
from feedback.kernel.db import session
from feedback.kernel.errors import NotFound
from feedback.kernel.text import N_
from feedback.notifications.queries import list_notices, unread_count
from feedback.notifications.usecases import read_notice
from feedback.people.queries import list_units
from feedback.routing.queries import list_categories

OWN_NOTICES = N_("Everybody, their own notices only.")


@endpoint("GET", "/v1/units", answer=schemas.Units, summary=N_("The tree of units."), rule=EVERYBODY)
def units() -> Response:
    """All units in force."""
    found = list_units(session(), caller().now)
    codes = {unit.id: unit.code for unit in found}
    return render.answer(
        render.whole_list(
            {
                "code": unit.code,
                "name": unit.name,
                "name_en": unit.name_en,
                "kind": unit.kind,
                "level": unit.level,
                "parent": codes.get(unit.parent_id) if unit.parent_id else None,
            }
            for unit in found
        )
    )


@endpoint("GET", "/v1/categories", answer=schemas.Categories, summary=N_("The kinds of matter."), rule=EVERYBODY)
def categories() -> Response:
    """All categories in use."""
    return render.answer(
        render.whole_list(
            {"path": category.path, "name": category.name, "name_en": category.name_en}
            for category in list_categories(session())
        )
    )


@endpoint("GET", "/v1/me", answer=schemas.Me, summary=N_("Whose token this is."), rule=EVERYBODY)
def me() -> Response:
    """The caller and their roles."""
    who = caller()
    actor = who.actor
    return render.answer(
        {
            "login": actor.login,
            "name": actor.name,
            "locale": who.locale,
            "roles": [_role(grant) for grant in actor.grants],
            "scopes": sorted(actor.scopes or ()),
            "acting_as": _role(actor.acting_as) if actor.acting_as else None,
        }
    )


@endpoint("GET", "/v1/notifications", answer=schemas.Notices, summary=N_("Your notices."), rule=OWN_NOTICES)
def notifications() -> Response:
    """A page of the caller's notices, the newest first."""
    actor = caller().actor
    page = list_notices(session(), actor, limit=limit_asked(), cursor=request.args.get("cursor") or None)
    with force_locale(reader_locale()):
        items = [
            {
                "id": notice.id,
                "event": notice.event,
                "reference": notice.reference,
                "text": notice.text.render(gettext),
                "created_at": notice.created_at.isoformat(),
                "read_at": notice.read_at.isoformat() if notice.read_at else None,
            }
            for notice in page.items
        ]
    return render.answer({"items": items, "next": page.next, "unread": unread_count(session(), actor)})


@endpoint(
    "POST",
    "/v1/notifications/<int:notice_id>/read",
    answer=None,
    status=204,
    scope=WRITE,
    summary=N_("Mark a notice as read; again is fine."),
    rule=OWN_NOTICES,
)
def read_notification(notice_id: int) -> Response:
    """One notice is read now."""
    who = caller()
    if notice_id > LARGEST_ID:
        raise NotFound
    read_notice(notice_id, actor=who.actor, now=who.now)
    return Response(status=204)


def _role(grant: Grant) -> render.Json:
    return {"role": grant.role, "unit": grant.unit_code}
