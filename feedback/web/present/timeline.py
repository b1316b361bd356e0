"""A ticket's history as a conversation: public words in full, system steps small, internal notes marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from feedback.reading.timeline import TimelineActor, TimelineItem
from feedback.web.present.files import files_of
from feedback.web.present.labels import name_of, share_words, unit_name
from feedback.web.present.time import day_words, moment, when_past
from feedback.web.present.words import (
    ACTION_NAMES,
    DECISION_NAMES,
    DECLINE_REASON_NAMES,
    KIND_NAMES,
    OUTCOME_NAMES,
    REQUEST_NAMES,
    ROLE_NAMES,
    URGENCY_NAMES,
    VERDICT_NAMES,
)
from feedback.web.translate import gettext as _
from feedback.web.translate import listed

Part = dict[str, Any]
UNITS = ("lead", "unit", "from_unit", "area")
INTERNAL = ("note", "decline", "answer_leg")


def entries_of(items: Sequence[TimelineItem], now: datetime, units: Mapping[str, str]) -> list[Part]:
    """The entries for the timeline macro. `units` gives the names of unit codes in the reader's language."""
    return [_entry(item, now, units) for item in items]


def unit_codes(items: Sequence[TimelineItem]) -> set[str]:
    """The codes of all units that the facts of these entries name, so that their names can be read at once."""
    codes = {item.facts.get(name) for item in items for name in UNITS}
    codes.update(code for item in items for code in item.facts.get("assists") or ())
    return {code for code in codes if code}


def _entry(item: TimelineItem, now: datetime, units: Mapping[str, str]) -> Part:
    title = title_of(item, units)
    part: Part = {"at": when_past(item.at, now), "who": _who(item.actor), "facts": _facts(item, now, units)}
    if item.action == "submit" or not (item.text or item.files):
        return {**part, "kind": "step", "title": title}
    is_internal = not item.is_public or item.action in INTERNAL
    return {
        **part,
        "kind": "note" if is_internal else "said",
        "role": _role(item.actor),
        "title": "" if item.action == "note" else title,
        "text": item.text,
        "files": files_of(item.files),
        "mine": item.actor.is_me,
    }


def _who(actor: TimelineActor) -> str:
    if actor.is_system:
        return _("The system")
    if actor.is_me:
        return _("You")
    return actor.name or actor.alias or name_of(ROLE_NAMES, actor.role)


def _role(actor: TimelineActor) -> str:
    if actor.is_system or actor.role == "submitter":
        return ""
    role, unit = name_of(ROLE_NAMES, actor.role), unit_name(actor.unit)
    return f"{unit} · {role}" if unit else role


def title_of(item: TimelineItem, units: Mapping[str, str]) -> str:
    """What a step is called: whom it was sent to, what was decided, what was done."""
    facts = item.facts
    if item.action in ("dispatch", "adjudicate") and facts.get("lead"):
        return _("Sent to %(unit)s", unit=units.get(facts["lead"], facts["lead"]))
    if item.action == "transfer" and facts.get("unit"):
        return _("Handed on to %(unit)s", unit=units.get(facts["unit"], facts["unit"]))
    if item.action == "hand_over" and facts.get("from_unit"):
        before = units.get(facts["from_unit"], facts["from_unit"])
        if not facts.get("unit"):
            return _("%(before)s has ended, and its part with it", before=before)
        return _("%(before)s has ended: %(unit)s goes on", before=before, unit=units.get(facts["unit"], facts["unit"]))
    if item.action == "decide" and facts.get("kind"):
        decision = name_of(DECISION_NAMES, facts.get("decision"))
        return _("%(what)s: %(decision)s", what=name_of(REQUEST_NAMES, facts["kind"]), decision=decision)
    if item.action == "acknowledge" and item.actor.is_system:
        return _("Signed for by the system, because the unit did not in time")
    if item.action == "comment" and item.from_status == "waiting_for_submitter":
        return name_of(ACTION_NAMES, "answer")
    return name_of(ACTION_NAMES, item.action)


def _facts(item: TimelineItem, now: datetime, units: Mapping[str, str]) -> list[str]:
    """What the entry's facts say, a short sentence each; codes that say nothing to people are left out."""
    facts = item.facts
    said = [
        _unit_facts(item, units),
        *why_routed(facts.get("routing")),
        _urgency_facts(item),
        _("Outcome: %(outcome)s", outcome=name_of(OUTCOME_NAMES, facts["outcome"])) if facts.get("outcome") else "",
        _("Planned for %(day)s", day=_day(facts["planned_on"], now)) if facts.get("planned_on") else "",
        _("Verdict: %(verdict)s", verdict=name_of(VERDICT_NAMES, facts["verdict"])) if facts.get("verdict") else "",
        _("Kind: %(kind)s", kind=name_of(KIND_NAMES, facts["kind"]))
        if item.action == "reclassify" and facts.get("kind")
        else "",
        _("Category: %(category)s", category=facts["category"]) if facts.get("category") else "",
        _("Reason: %(reason)s", reason=name_of(DECLINE_REASON_NAMES, facts["reason_code"]))
        if facts.get("reason_code")
        else "",
        _extension_facts(item, now),
        _("An answer is awaited until %(at)s", at=_moment(facts["until"], now)) if facts.get("until") else "",
        _("A leader let it pass without an assisting unit's answer: %(reason)s", reason=facts["override_reason"])
        if facts.get("override_reason")
        else "",
        _("Elder ticket: %(reference)s", reference=facts["into"]) if facts.get("into") else "",
        _("Raised by %(count)s now", count=facts["raised_by"]) if facts.get("raised_by") else "",
    ]
    return [sentence for sentence in said if sentence]


def why_routed(routing: Any) -> list[str]:
    """Why it went to that unit by itself: the words or the model that named the category, and the catalogue's row."""
    if not isinstance(routing, dict):
        return []
    model, said = routing.get("model"), []
    if isinstance(model, dict):
        said.append(
            _(
                "Category learned from earlier tickets: %(share)s sure, model version %(version)s",
                share=share_words(model.get("share") or 0),
                version=model.get("version"),
            )
        )
        if model.get("words"):
            said.append(_("Words that spoke for it: %(words)s", words=listed(model["words"])))
    elif routing.get("words"):
        said.append(_("Words that spoke for it: %(words)s", words=listed(routing["words"])))
    if routing.get("row_id"):
        row, version = routing["row_id"], routing.get("row_version")
        said.append(_("Duty catalogue: row %(row)s, version %(version)s", row=row, version=version))
    return said


def _unit_facts(item: TimelineItem, units: Mapping[str, str]) -> str:
    facts = item.facts
    if facts.get("assists"):
        return _("Assisting: %(units)s", units=listed(units.get(code, code) for code in facts["assists"] if code))
    if item.action == "assign" and facts.get("assignee"):
        return _("To %(login)s", login=facts["assignee"])
    if item.action in ("add_leg", "drop_leg", "answer_leg", "unassign") and facts.get("unit"):
        return units.get(facts["unit"], facts["unit"])
    if item.action == "reclassify" and facts.get("area"):
        return _("Area: %(area)s", area=units.get(facts["area"], facts["area"]))
    return ""


def _extension_facts(item: TimelineItem, now: datetime) -> str:
    """Which due time was asked for or granted; which request was taken back."""
    facts = item.facts
    if item.action == "withdraw_request":
        return name_of(REQUEST_NAMES, facts.get("kind"))
    if item.action == "request_extension" and facts.get("due_at"):
        return _("Wanted: due %(at)s", at=_moment(facts["due_at"], now))
    if item.action == "decide" and facts.get("due_at") and facts.get("decision") == "granted":
        return _("Now due %(at)s", at=_moment(facts["due_at"], now))
    return ""


def _urgency_facts(item: TimelineItem) -> str:
    facts = item.facts
    if facts.get("wanted_urgency"):
        return _("Asked for: %(urgency)s", urgency=name_of(URGENCY_NAMES, facts["wanted_urgency"]))
    if facts.get("from_urgency"):
        before, after = name_of(URGENCY_NAMES, facts["from_urgency"]), name_of(URGENCY_NAMES, facts.get("urgency"))
        return _("%(before)s → %(after)s", before=before, after=after)
    if facts.get("danger_words"):
        words, urgency = listed(facts["danger_words"]), name_of(URGENCY_NAMES, facts.get("urgency"))
        return _("%(urgency)s, because of: %(words)s", urgency=urgency, words=words)
    return ""


def _day(text: str, now: datetime) -> str:
    return day_words(date.fromisoformat(text), now)


def _moment(text: str, now: datetime) -> str:
    return moment(datetime.fromisoformat(text), now)
