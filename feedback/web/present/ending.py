"""How a ticket ended, as a sentence for whoever raised it and for staff; and what can still be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedback.reading.views import TicketRow
from feedback.web.present.time import day_words, local
from feedback.web.translate import gettext as _

SUBMITTER_WINDOW = timedelta(days=30)

Words = tuple[str, str, str]


@dataclass(frozen=True)
class End:
    """A closed ticket as somebody looks at it now; `mine`: they raised it."""

    row: TicketRow
    now: datetime
    mine: bool


def _closed_on(end: End) -> str:
    return day_words(local(end.row.closed_at).date(), end.now) if end.row.closed_at else ""


def _window(end: End) -> str:
    """By which day the submitter can still take it up again; empty when that is over."""
    if end.row.closed_at is None or end.now > end.row.closed_at + SUBMITTER_WINDOW:
        return ""
    return day_words(local(end.row.closed_at + SUBMITTER_WINDOW).date(), end.now)


def _confirmed(end: End) -> Words:
    day, window = _closed_on(end), _window(end)
    if end.mine:
        after = _("If it comes back, you can take it up again until %(day)s.", day=window) if window else ""
        return "done", _("Closed %(day)s: you confirmed it.", day=day), after
    return "done", _("Closed %(day)s: the submitter confirmed it.", day=day), ""


def _unanswered(end: End) -> Words:
    day, window = _closed_on(end), _window(end)
    if end.mine:
        after = _("You can still confirm it or take it up again until %(day)s.", day=window) if window else ""
        return "wait", _("Closed %(day)s without your word. It counts as unanswered, not as solved.", day=day), after
    return "wait", _("Closed %(day)s without the submitter's word; it counts as unanswered.", day=day), ""


def _declined(end: End) -> Words:
    sentence = _("It was not taken (%(day)s).", day=_closed_on(end))
    return "wait", sentence, _("The grounds, and where to go instead, stand below.")


def _excluded(end: End) -> Words:
    return "wait", _("Closed %(day)s without a solution.", day=_closed_on(end)), _("The grounds stand below.")


def _withdrawn(end: End) -> Words:
    day = _closed_on(end)
    sentence = (
        _("You withdrew it (%(day)s).", day=day) if end.mine else _("The submitter withdrew it (%(day)s).", day=day)
    )
    return "wait", sentence, ""


def _joined(end: End) -> Words:
    sentence = _("Joined to an elder ticket on the same matter (%(day)s).", day=_closed_on(end))
    return "wait", sentence, _("You are asked when that one is done.") if end.mine else ""


ENDINGS: dict[str, Callable[[End], Words]] = {
    "closed.confirmed": _confirmed,
    "closed.unanswered": _unanswered,
    "closed.declined": _declined,
    "closed.excluded": _excluded,
    "closed.withdrawn": _withdrawn,
    "closed.joined": _joined,
}
"""By state: (tone, sentence, what next)."""
