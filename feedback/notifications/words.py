"""What a notice and a mail say: one sentence an event, for staff and for whoever raised it. No sending, no recipients.

A mail holds the reference, what happened and a link, in the same shape for every ticket: no text, no names, no kind,
so that a protected one doesn't stand out and a subject seen on a phone tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel.support import Translations

from feedback.kernel.text import N_, Text

Translate = Callable[[str], str]
Translator = Callable[[str], Translate]
"""Gives the translating function of a locale such as `zh_CN`."""

CATALOGUES = {"zh_CN": "zh"}
_FOLDER = Path(__file__).resolve().parent.parent / "translations"

_STAFF: dict[str, str] = {
    "ticket.submitted": N_("A new ticket waits to be dispatched."),
    "ticket.commented": N_("The submitter added a comment."),
    "ticket.answered": N_("The submitter answered your question; the ticket is yours again."),
    "ticket.urgency_set": N_("The urgency was changed; please look at the due time."),
    "ticket.dispatched": N_("A ticket came to your unit. Please sign for it."),
    "ticket.transferred": N_("A ticket was handed to your unit. Please sign for it."),
    "ticket.adjudicated": N_("A ruling gave this ticket to your unit. Please sign for it."),
    "ticket.assigned": N_("This ticket was assigned to you."),
    "ticket.unassigned": N_("Nobody has this ticket in hand: its handler no longer works at your unit."),
    "ticket.handed_over": N_("A unit with a part in this ticket has ended; the unit that follows it goes on."),
    "ticket.given_back": N_("The unit that had this ticket has ended. Please dispatch it again."),
    "ticket.referred": N_("A ticket waits for your ruling on who is responsible."),
    "ticket.woken": N_("The wait for the submitter is over; the ticket is yours again."),
    "ticket.resumed": N_("The suspension is over; the ticket is yours again."),
    "ticket.confirmed": N_("The submitter confirmed it; the ticket is closed."),
    "ticket.disputed": N_("The submitter says it isn't solved. The ticket is back with your unit."),
    "ticket.lapsed": N_("The submitter didn't answer in time; the ticket is closed as unanswered."),
    "ticket.reopened": N_("The ticket was opened again. Please take it up."),
    "ticket.withdrawn": N_("The submitter withdrew it; nothing more to do."),
    "ticket.urged": N_("The submitter asks how far it is. A short reply helps."),
    "ticket.joined": N_("This ticket was joined to an elder one; nothing more to do here."),
    "ticket.unjoined": N_("This ticket stands on its own again. Please take it up."),
    "seat.added": N_("Somebody else raised the same and joined this ticket."),
    "ticket.supervised": N_("A supervisor asks for a report on this ticket."),
    "supervision.answered": N_("The report that you asked for is there."),
    "leg.added": N_("Your unit is asked to assist with a ticket."),
    "leg.dropped": N_("Your unit's part in a ticket ended."),
    "leg.answered": N_("An assisting unit sent its answer to you."),
}

_SUBMITTER: dict[str, str] = {
    "ticket.submitted": N_("This was written down for you. You alone will say whether it is solved."),
    "ticket.dispatched": N_("A department has it now."),
    "ticket.transferred": N_("Another department has it now; your due time stays."),
    "ticket.adjudicated": N_("It was ruled which department is responsible; your due time stays."),
    "ticket.handed_over": N_("A department that worked on it has ended; another one goes on. Your due time stays."),
    "ticket.given_back": N_("The department that had it has ended; it is sent to another one. Your due time stays."),
    "ticket.acknowledged": N_("The department signed for it and works on it."),
    "ticket.submitter_asked": N_("There is a question for you. Please answer it, so that work can go on."),
    "ticket.woken": N_("Work goes on without your answer. You can still add it."),
    "ticket.replied": N_("The department wrote a reply."),
    "ticket.resumed": N_("Work goes on."),
    "ticket.resolved": N_("The department says that it is done. Please say whether it is solved."),
    "ticket.lapsed": N_("It was closed because no answer came. You can still confirm it or open it again."),
    "ticket.reopened": N_("It was opened again; work goes on."),
    "ticket.joined": N_("It was joined to an elder ticket on the same matter. You will be asked when that is done."),
    "ticket.unjoined": N_("It stands on its own again."),
    "ticket.called_back": N_("What you said in the call was written down. Please look whether it is right."),
    "request.decline.granted": N_("It can't be taken up here. Please read why, and where to go instead."),
    "request.extension.granted": N_("The due time was moved. Please read why."),
    "request.suspension.granted": N_("Work rests until a review date. Please read why."),
    "request.exclusion.granted": N_("It was closed without a solution. Please read why; you can appeal."),
    "request.appeal.granted": N_("Your appeal was granted."),
    "request.appeal.refused": N_("Your appeal was refused. Please read the grounds."),
}

_REQUESTS: dict[str, str] = {
    "made": N_("A request on a ticket waits for your decision."),
    "granted": N_("Your request was granted."),
    "refused": N_("Your request was refused. Please read why."),
}

_ALARMS: dict[str, tuple[str, str]] = {
    "resolution": (N_("The time to resolve it runs out."), N_("The time to resolve it is over.")),
    "first_response": (N_("The time for a first reply runs out."), N_("The time for a first reply is over.")),
    "dispatch": (N_("The time to dispatch it runs out."), N_("The time to dispatch it is over.")),
    "signing": (N_("The time to sign for it runs out."), N_("The time to sign for it is over.")),
    "leg": (N_("The time for your unit's part runs out."), N_("The time for a unit's part is over.")),
    "decision": (N_("The time to decide a request runs out."), N_("The time to decide a request is over.")),
    "adjudication": (N_("The time for the ruling runs out."), N_("The time for the ruling is over.")),
    "appeal": (N_("The time to decide an appeal runs out."), N_("The time to decide an appeal is over.")),
    "supervision": (N_("The time for the report runs out."), N_("The time for the report is over.")),
}
"""By kind of clock: before its due time, and from then on."""

_REMINDER = N_("Please say whether it is solved; without your answer it will be closed as unanswered.")
_ANY = N_("Something happened on this ticket.")


def sentence(event: str, facts: Mapping[str, Any], *, for_submitter: bool) -> Text:
    """What happened, in one sentence. A sentence of its own for each side; a plain one where there is none."""
    if event == "sla.alarm":
        return Text(_REMINDER if for_submitter else _alarm(facts))
    own, other = (_SUBMITTER, _STAFF) if for_submitter else (_STAFF, _SUBMITTER)
    if event in own:
        return Text(own[event])
    if event.startswith("request."):
        return Text(_REQUESTS.get(event.rpartition(".")[2], _ANY))
    return Text(other.get(event, _ANY))


def _alarm(facts: Mapping[str, Any]) -> str:
    before, after = _ALARMS.get(str(facts.get("kind")), (_ANY, _ANY))
    return after if facts.get("is_breach") else before


@dataclass(frozen=True)
class MailWords:
    """Subject and body of a mail, in its reader's language."""

    subject: str
    body: str


def mail_words(text: Text, reference: str, base_url: str, translate: Translate) -> MailWords:
    """The mail about a ticket: reference, what happened, link."""
    subject = Text(N_("Zhida: %(reference)s"), reference=reference).render(translate)
    opening = Text(N_("Ticket %(reference)s: %(what)s"), reference=reference, what=text).render(translate)
    return MailWords(subject, f"{opening}\n\n{base_url}/tickets/{reference}\n")


def day_words(news: Sequence[tuple[str, Text]], base_url: str, translate: Translate) -> MailWords:
    """The day's mail: each piece of news (reference, what happened) with its link."""
    subject = Text(N_("Zhida: %(count)s pieces of news"), count=len(news)).render(translate)
    parts = [
        Text(N_("Ticket %(reference)s: %(what)s"), reference=reference, what=text).render(translate)
        + f"\n{base_url}/tickets/{reference}\n"
        for reference, text in news
    ]
    return MailWords(subject, "\n".join(parts))


@cache
def translator(locale: str) -> Translate:
    """The translating function of a locale, from the project's catalogue; English without one."""
    name = CATALOGUES.get(locale)
    found = Translations.load(_FOLDER, [name]) if name else None
    return found.gettext if found is not None else str
