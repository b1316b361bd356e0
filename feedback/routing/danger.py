"""Words that mean danger raise a ticket's urgency and never lower it. The lists are the site's, edited by an admin."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.site import SiteSetting, get_setting, put_setting
from feedback.routing import danger_words
from feedback.routing.keywords import Keyword, fold, hear

LISTS = {"critical": "danger_words_critical", "urgent": "danger_words_urgent"}
"""The site setting that holds the words of each urgency, the higher one first."""

_RANK = {"complex": 0, "normal": 0, "urgent": 1, "critical": 2}


def raise_urgency(session: Session, text: str, urgency: str) -> tuple[str, tuple[str, ...]]:
    """The urgency after reading the text, and the words that raised it (none where they raised nothing).

    The longest word wins: a harmless phrase in the list to urgent that holds a word to critical stays urgent.
    """
    levels = tuple(LISTS)
    words = [
        Keyword(folded, shown, number)
        for number, level in enumerate(levels)
        if _RANK[level] > _RANK[urgency]
        for shown in get_setting(session, LISTS[level])
        if (folded := fold(shown))
    ]
    heard = hear(text, words)
    if not heard:
        return urgency, ()
    highest = min(heard)
    return levels[highest], heard[highest]


def install_danger_words(session: Session, now: datetime) -> None:
    """Give a new site its first lists, in the present transaction; a list that an admin has set stays."""
    installed = []
    for name, words in (
        (LISTS["critical"], danger_words.CRITICAL),
        (LISTS["urgent"], danger_words.URGENT),
    ):
        if session.get(SiteSetting, name) is None:
            put_setting(session, name, list(words), now=now)
            installed.append(name)
    if installed:
        audit.record(
            session,
            "settings",
            actor="system",
            action="danger_words.installed",
            now=now,
            facts={"settings": sorted(installed)},
        )
