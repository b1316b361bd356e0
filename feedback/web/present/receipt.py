"""What a receipt says: who has it, by when they must answer, what happens next; or why a person chooses first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedback.reading.queries import TicketView
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.status import Seen
from feedback.web.present.words import RECEIPT_REASONS
from feedback.web.translate import gettext as _
from feedback.web.translate import sentences


@dataclass(frozen=True)
class Receipt:
    """The sentences of a receipt, in the order in which they are read; `tone` for the first one."""

    tone: str
    sentence: str
    next: str
    reason: str
    privacy: str


def receipt_of(view: TicketView, now: datetime, reason: str | None) -> Receipt:
    """The words for a ticket just submitted. `reason` is the code of why it was not sent on by itself."""
    if view.state == "closed.joined":
        return _joined(view)
    seen = Seen(view, now, view.clocks)
    answer, done_by = seen.due("first_response"), seen.done_by
    if view.unit:
        sentence = _("%(unit)s has it and must answer you by %(at)s.", unit=unit_name(view.unit), at=answer or done_by)
    else:
        at = seen.due("dispatch")
        sentence = (
            _("A dispatcher will choose the unit by %(at)s at the latest.", at=at)
            if at
            else _("A dispatcher will choose the unit.")
        )
    steps = [
        _("You must have a first answer by %(at)s.", at=answer) if answer and not view.unit else "",
        _("It must be done by %(due)s.", due=done_by) if done_by else "",
        _("When they say it is done, you are asked whether it is solved: you alone decide."),
    ]
    privacy = _privacy(view)
    why = "" if view.unit else name_of(RECEIPT_REASONS, reason if reason in RECEIPT_REASONS else None)
    return Receipt("info", sentence, sentences(steps), why, privacy)


def _joined(view: TicketView) -> Receipt:
    """The words for a ticket that was joined as it came in."""
    return Receipt(
        "info",
        _("It is joined to a ticket on the same matter: one answer comes for all."),
        _("When they say it is done, you are asked whether it is solved, each for themselves."),
        "",
        _privacy(view),
    )


def _privacy(view: TicketView) -> str:
    if view.submitter is None or not view.submitter.is_protected:
        return ""
    return _("Nobody sees your name: only %(alias)s and your town.", alias=view.submitter.alias)
