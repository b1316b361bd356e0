"""A ticket's status as a sentence: who has it, what they are doing, by when, and what happens next. For each state and reader.

Whoever raised it is spoken to; staff are told. Words only: what may be done is the lifecycle's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from feedback.reading.clocks import ClockView
from feedback.reading.raised import ALONE, Raised
from feedback.reading.views import TicketRow
from feedback.routing.reasons import REASON_TEXTS
from feedback.tickets.seats import CONFIRMING
from feedback.web.present.ending import ENDINGS, End, Words
from feedback.web.present.labels import person_or_unit, unit_name
from feedback.web.present.time import day_words, moment, span
from feedback.web.translate import gettext as _

QUARTER = 0.25
RUNNING = ("submitted", "dispatched", "in_progress")

Status = dict[str, str]


@dataclass(frozen=True)
class Seen:
    """A ticket as somebody looks at it now. `until` is by when an answer is asked for, where the list knows it."""

    row: TicketRow
    now: datetime
    clocks: Sequence[ClockView] = field(default=())
    until: datetime | None = None
    raised: Raised = ALONE

    @property
    def mine(self) -> bool:
        return self.row.submitter is not None and self.row.submitter.is_me

    @property
    def unit(self) -> str:
        return unit_name(self.row.unit) or _("The dispatcher")

    def open_clock(self, kind: str) -> ClockView | None:
        return next((c for c in reversed(self.clocks) if c.kind == kind and c.is_open), None)

    def at(self, instant: datetime | None) -> str:
        return moment(instant, self.now) if instant else ""

    def due(self, kind: str) -> str:
        """By when an open clock of that kind is due, in words; empty where there is none or it is not known here."""
        clock = self.open_clock(kind)
        return moment(clock.due_at, self.now) if clock else ""

    @property
    def missed_answer(self) -> str:
        """By when the first answer should have been there, in words; empty while there is time for it, and after it."""
        clock = self.open_clock("first_response")
        return self.at(clock.due_at) if clock and clock.due_at < self.now else ""

    @property
    def done_by(self) -> str:
        return self.at(self.row.due_at)


def tone_of(due_at: datetime, started_at: datetime, now: datetime) -> str:
    """`late`, `soon` (under a quarter of the time is left) or `ok`."""
    if due_at < now:
        return "late"
    return "soon" if (due_at - now) < (due_at - started_at) * QUARTER else "ok"


def row_tone(row: TicketRow, now: datetime) -> str:
    """The tone of a ticket's own due time; `ok` where none runs."""
    if row.due_at is None or row.status not in RUNNING:
        return "ok"
    return tone_of(row.due_at, row.resolved_at or row.submitted_at, now)


def status_of(
    row: TicketRow,
    now: datetime,
    clocks: Sequence[ClockView] = (),
    until: datetime | None = None,
    raised: Raised = ALONE,
) -> Status:
    """{tone, sentence, next}: the status macro's words.

    With `clocks` and `raised` (a TicketView's) the sentences are more exact.
    """
    seen = Seen(row, now, clocks, until, raised)
    ending = ENDINGS.get(row.state)
    words = ending(End(row, now, seen.mine)) if ending else _SENTENCES.get(row.state, _other)(seen)
    return dict(zip(("tone", "sentence", "next"), words, strict=True))


def _late(seen: Seen) -> Words:
    late = span(seen.now - seen.row.due_at) if seen.row.due_at else ""
    sentence = _("%(unit)s is %(span)s late: it was due %(due)s.", unit=seen.unit, span=late, due=seen.done_by)
    if seen.mine:
        return "late", sentence, _("The supervisor has been told. You can urge them.")
    return "late", sentence, _("The supervisor has been told. A word to the submitter helps now.")


def _unanswered(seen: Seen) -> Words:
    if seen.mine:
        sentence = _(
            "%(unit)s should have answered you by %(at)s; the supervisor has been told.",
            unit=seen.unit,
            at=seen.missed_answer,
        )
        return "late", sentence, _then_yours(seen)
    sentence = _(
        "%(who)s has it; the submitter should have had an answer by %(at)s. The supervisor has been told.",
        who=person_or_unit(seen.row),
        at=seen.missed_answer,
    )
    return "late", sentence, _("To be done by %(due)s.", due=seen.done_by)


def _submitted(seen: Seen) -> Words:
    clock = seen.open_clock("dispatch")
    tone = tone_of(clock.due_at, clock.started_at, seen.now) if clock else row_tone(seen.row, seen.now)
    at = seen.due("dispatch")
    if clock and clock.due_at < seen.now:
        sentence = _("It should have been sent to a unit by %(at)s; the supervisor has been told.", at=at)
    elif at:
        sentence = _("A dispatcher chooses the unit that takes it, by %(at)s at the latest.", at=at)
    else:
        sentence = _("A dispatcher is choosing the unit that takes it.")
    if seen.mine:
        return tone, sentence, _due_already(seen)
    reason = REASON_TEXTS.get(str(seen.row.routing.get("reason", "")))
    return tone, sentence, _(reason) if reason else _due_already(seen)


def _due_already(seen: Seen) -> str:
    return _("Its time runs already: it must be done by %(due)s.", due=seen.done_by) if seen.done_by else ""


def _dispatched(seen: Seen) -> Words:
    if seen.row.is_overdue:
        return _late(seen)
    if seen.missed_answer:
        return _unanswered(seen)
    tone, answer = row_tone(seen.row, seen.now), seen.due("first_response")
    if seen.mine:
        if answer:
            sentence = _("Sent to %(unit)s: somebody will answer you by %(at)s.", unit=seen.unit, at=answer)
        else:
            sentence = _("Sent to %(unit)s, which must have it done by %(due)s.", unit=seen.unit, due=seen.done_by)
        return tone, sentence, _then_yours(seen) if answer else ""
    signing = seen.due("signing")
    sentence = (
        _("With %(unit)s, to be signed for by %(at)s.", unit=seen.unit, at=signing)
        if signing
        else _("With %(unit)s, not signed for yet.", unit=seen.unit)
    )
    return tone, sentence, _deadlines(answer, seen)


def _then_yours(seen: Seen) -> str:
    return _(
        "It must be done by %(due)s; if they are late, the supervisor is told. You alone say whether it is solved.",
        due=seen.done_by,
    )


def _deadlines(answer: str, seen: Seen) -> str:
    if answer and seen.done_by:
        return _("First answer by %(at)s, done by %(due)s.", at=answer, due=seen.done_by)
    return _("To be done by %(due)s.", due=seen.done_by) if seen.done_by else ""


def _in_progress(seen: Seen) -> Words:
    if seen.row.is_overdue:
        return _late(seen)
    if seen.missed_answer:
        return _unanswered(seen)
    row, tone = seen.row, row_tone(seen.row, seen.now)
    answer = seen.due("first_response") if row.responded_at is None else ""
    if row.round > 1:
        sentence = _("Back with %(unit)s, because it was not solved. Due %(due)s.", unit=seen.unit, due=seen.done_by)
        return tone, sentence, _then_yours(seen) if seen.mine else _("The submitter alone says whether it is solved.")
    if seen.mine:
        if answer:
            sentence = _("%(unit)s is working on it; you will have an answer by %(at)s.", unit=seen.unit, at=answer)
            return tone, sentence, _then_yours(seen)
        sentence = _("%(unit)s is working on it; it must be done by %(due)s.", unit=seen.unit, due=seen.done_by)
        return (
            tone,
            sentence,
            _(
                "If they are late, the supervisor is told. When they say it is done, you are asked whether it is solved."
            ),
        )
    who = person_or_unit(row)
    if answer:
        sentence = _("%(who)s is working on it; the submitter must have an answer by %(at)s.", who=who, at=answer)
        return tone, sentence, _("To be done by %(due)s.", due=seen.done_by)
    return (
        tone,
        _("%(who)s is working on it; it must be done by %(due)s.", who=who, due=seen.done_by),
        _("The submitter alone says whether it is solved."),
    )


def _waiting(seen: Seen) -> Words:
    at = seen.at(seen.until)
    if seen.mine:
        sentence = (
            _("%(unit)s asks you something. Please answer by %(at)s.", unit=seen.unit, at=at)
            if at
            else _("%(unit)s asks you something. Please answer.", unit=seen.unit)
        )
        return (
            "info",
            sentence,
            _("Their time stands still until then; without an answer they go on with what they know."),
        )
    sentence = (
        _("The submitter was asked and can answer until %(at)s.", at=at)
        if at
        else _("The submitter was asked; the answer is awaited.")
    )
    return "wait", sentence, _("The time for the work stands still until then.")


def _suspended(seen: Seen) -> Words:
    sentence = _("%(unit)s has put it aside until something else is done.", unit=seen.unit)
    return "wait", sentence, _("Its time stands still; the whole time goes on counting.")


def claim_words(row: TicketRow, now: datetime) -> str:
    """What the unit says of it: solved, partly, not possible, planned."""
    unit = unit_name(row.unit) or _("The unit")
    if row.outcome == "partly":
        return _("%(unit)s says it is partly solved.", unit=unit)
    if row.outcome == "not_possible":
        return _("%(unit)s says it is not possible.", unit=unit)
    if row.outcome == "planned" and row.planned_on:
        return _("%(unit)s has planned it for %(day)s.", unit=unit, day=day_words(row.planned_on, now))
    return _("%(unit)s says it is solved.", unit=unit)


def _resolved(seen: Seen) -> Words:
    claim, at = claim_words(seen.row, seen.now), seen.due("confirmation") or seen.at(seen.until)
    if seen.mine and seen.raised.my_verdict in CONFIRMING:
        return _voted(seen, at)
    if seen.mine:
        question = _("Do you accept that?") if seen.row.outcome in ("not_possible", "planned") else _("Is it?")
        closing = (
            _("Please say so by %(at)s. Without your word it is closed as unanswered, never as solved.", at=at)
            if at
            else _("Without your word it is closed as unanswered, never as solved.")
        )
        return "info", _("%(claim)s %(question)s", claim=claim, question=question), closing
    sentence = (
        _("%(claim)s The submitter can say until %(at)s whether it is.", claim=claim, at=at)
        if at
        else _("%(claim)s The submitter's word is awaited.", claim=claim)
    )
    return "wait", sentence, _("Only the submitter closes it. Silence counts as unanswered.")


def _voted(seen: Seen, at: str) -> Words:
    """The reader has taken the claim; others who raised the same have not spoken yet."""
    raised = seen.raised
    if not raised.by:
        return "done", _("You have confirmed it; others who raised the same are asked too."), ""
    sentence = _(
        "You have confirmed it; so have %(confirmed)s of the %(by)s who raised it.",
        confirmed=raised.confirmed or 0,
        by=raised.by,
    )
    closing = _("It closes when all have, or on %(at)s by the words that are there.", at=at) if at else ""
    return "done", sentence, closing


def _other(seen: Seen) -> Words:
    return "wait", _("From the old system, kept to look things up."), ""


_SENTENCES: dict[str, Callable[[Seen], Words]] = {
    "submitted": _submitted,
    "dispatched": _dispatched,
    "in_progress": _in_progress,
    "waiting_for_submitter": _waiting,
    "suspended": _suspended,
    "resolved": _resolved,
}
