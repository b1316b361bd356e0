"""The account page as plain values: roles, sessions and tokens in words. Nothing is read here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from feedback.kernel.actor import Actor
from feedback.people.models import ApiToken, Unit, UserSession
from feedback.reading.views import unit_label
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.time import when_due, when_past
from feedback.web.present.words import ROLE_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import listed

BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str) -> str:
    """Browser and system in a few words for the person's own list, such as `Chrome, Android`; "" for an unknown one."""
    found = [
        next((word for sign, word in signs if re.search(rf"\b{sign}", user_agent)), "") for signs in (BROWSERS, SYSTEMS)
    ]
    return listed(word for word in found if word)


def account_page(
    actor: Actor,
    sessions: Sequence[UserSession],
    tokens: Sequence[ApiToken],
    units: Mapping[int, Unit],
    *,
    here: int,
    now: datetime,
) -> dict[str, Any]:
    """What templates/auth/account.html shows; `here` is the id of the session that asks."""
    return {
        "name": actor.name,
        "login": actor.login,
        "roles": listed(
            _("%(name)s (%(unit)s)", name=name_of(ROLE_NAMES, g.role), unit=unit_name(unit_label(units[g.unit_id])))
            for g in actor.grants
        ),
        "sessions": [
            {
                "id": row.id,
                "device": row.device or _("unknown device"),
                "is_here": row.id == here,
                "began": when_past(row.created_at, now),
                "seen": when_past(row.last_seen_at, now),
            }
            for row in sessions
        ],
        "tokens": [
            {
                "id": row.id,
                "scopes": row.scopes,
                "began": when_past(row.created_at, now),
                "ends": when_due(row.expires_at, now),
            }
            for row in tokens
        ],
    }
