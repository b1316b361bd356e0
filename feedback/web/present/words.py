"""The words for codes: statuses, kinds, urgencies, roles, outcomes, actions. English here; Chinese in the catalogue."""

from __future__ import annotations

from feedback.kernel.text import N_

ROLE_NAMES = {
    "submitter": N_("Submitter"),
    "handler": N_("Handler"),
    "unit_head": N_("Head of unit"),
    "dispatcher": N_("Dispatcher"),
    "supervisor": N_("Supervisor"),
    "adjudicator": N_("Adjudicator"),
    "leader": N_("Leader"),
    "auditor": N_("Auditor"),
    "admin": N_("Administrator"),
    "system": N_("System"),
}

STATE_NAMES = {
    "submitted": N_("waiting to be dispatched"),
    "dispatched": N_("dispatched, not signed for yet"),
    "in_progress": N_("being worked on"),
    "waiting_for_submitter": N_("waiting for the submitter's answer"),
    "suspended": N_("suspended"),
    "resolved": N_("answered, waiting for the submitter's word"),
    "closed.confirmed": N_("closed, confirmed by the submitter"),
    "closed.unanswered": N_("closed without an answer from the submitter"),
    "closed.declined": N_("not taken"),
    "closed.excluded": N_("excluded"),
    "closed.withdrawn": N_("withdrawn by the submitter"),
    "closed.joined": N_("joined to another ticket"),
    "legacy": N_("from the old system"),
}

SHORT_STATE_NAMES = {
    "submitted": N_("to be sent"),
    "dispatched": N_("to be signed for"),
    "in_progress": N_("in work"),
    "waiting_for_submitter": N_("question asked"),
    "suspended": N_("suspended"),
    "resolved": N_("said to be done"),
    "closed.confirmed": N_("confirmed"),
    "closed.unanswered": N_("unanswered"),
    "closed.declined": N_("not taken"),
    "closed.excluded": N_("excluded"),
    "closed.withdrawn": N_("withdrawn"),
    "closed.joined": N_("joined"),
    "legacy": N_("old system"),
}
"""For dense lists."""

KIND_NAMES = {
    "demand": N_("Demand"),
    "suggestion": N_("Suggestion"),
    "question": N_("Question"),
    "burden_lead": N_("Burden to be lifted"),
}

URGENCY_NAMES = {
    "critical": N_("Critical"),
    "urgent": N_("Urgent"),
    "normal": N_("Normal"),
    "complex": N_("Complex"),
}

PRIVACY_NAMES = {
    "named": N_("With my name"),
    "confidential": N_("Confidential"),
}

PRIVACY_SENTENCES = {
    "named": N_("The units that work on it see your name."),
    "confidential": N_("Nobody sees your name, not even an administrator: only an alias and your town."),
}

OUTCOME_NAMES = {
    "solved": N_("Solved"),
    "partly": N_("Partly solved"),
    "not_possible": N_("Not possible"),
    "planned": N_("Planned"),
}

CHANNEL_NAMES = {
    "web": N_("on the web page"),
    "api": N_("through a program"),
    "import": N_("imported"),
    "on_behalf": N_("written by somebody else on their behalf"),
    "cli": N_("on the command line"),
}

CLOCK_NAMES = {
    "resolution": N_("To be done"),
    "first_response": N_("First response"),
    "dispatch": N_("Dispatch"),
    "signing": N_("Signing"),
    "leg": N_("The unit's own time"),
    "confirmation": N_("Confirmation"),
    "decision": N_("Decision"),
    "adjudication": N_("Ruling"),
    "appeal": N_("Appeal"),
    "supervision": N_("Supervision"),
}

DECLINE_REASON_NAMES = {
    "legal_procedure": N_("It belongs to a court, an arbitration or another legal procedure."),
    "not_a_public_duty": N_("No public body is responsible for it."),
    "outside_the_area": N_("It lies outside this county."),
    "nothing_to_act_on": N_("It names nothing that could be acted on."),
}

RECEIPT_REASONS = {
    "no_category": N_("The duty catalogue knows no word of it, so a person reads it."),
    "model_unsure": N_("It is not clear enough which matter it is, so a person reads it."),
    "several_categories": N_("It touches several matters, so a person decides."),
    "no_row": N_("The duty catalogue names no unit for this here, so a person decides."),
    "tie": N_("The duty catalogue names several units for this, so a person decides."),
    "burden_lead": N_("A burden to be lifted is always read by a person first."),
    "about_someone": N_("It is about somebody, so a person who is not concerned chooses who may see it."),
    "self_dispatch_off": N_("Here a person reads everything before it is sent on."),
    "lead_unavailable": N_("The unit that the duty catalogue names can't get it, so a person decides."),
    "not_below": N_("It must not be pushed down to the grassroots, so a person decides."),
}
"""Why it was not sent on by itself, as its submitter reads it."""

REQUEST_NAMES = {
    "return": N_("Return to the dispatcher"),
    "decline": N_("Not to take it"),
    "lower_urgency": N_("Another urgency"),
    "extension": N_("Extension"),
    "suspension": N_("Suspension"),
    "exclusion": N_("Exclusion"),
    "appeal": N_("Appeal"),
}

REQUEST_STATES = {
    "pending": N_("waits for a decision"),
    "granted": N_("granted"),
    "refused": N_("refused"),
    "withdrawn": N_("taken back"),
    "overtaken": N_("no longer needed"),
}

DECISION_NAMES = {"granted": N_("granted"), "refused": N_("refused")}

VERDICT_NAMES = {
    "solved": N_("solved"),
    "partly": N_("partly solved"),
    "accepted": N_("accepted"),
    "disputed": N_("not solved"),
}

ACTION_NAMES = {
    "submit": N_("Submitted"),
    "comment": N_("Added a word"),
    "note": N_("Internal note"),
    "reclassify": N_("Classification changed"),
    "set_urgency": N_("Urgency"),
    "decline": N_("Asked not to take it"),
    "request_extension": N_("Asked for more time"),
    "withdraw_request": N_("Took back a request"),
    "decide": N_("Decided a request"),
    "dispatch": N_("Dispatched"),
    "assign": N_("Assigned"),
    "unassign": N_("Back in the unit's list: whoever had it no longer works there"),
    "hand_over": N_("Went on at the unit that follows one that has ended"),
    "give_back": N_("Back to the dispatcher: the unit that had it has ended"),
    "acknowledge": N_("Signed for"),
    "transfer": N_("Transferred"),
    "ask_submitter": N_("Asked the submitter"),
    "answer": N_("Answered the question"),
    "wake": N_("Went on without an answer"),
    "reply": N_("Replied"),
    "answer_leg": N_("Answered the lead"),
    "add_leg": N_("Another unit asked to assist"),
    "drop_leg": N_("An assisting unit dropped"),
    "resolve": N_("Said it is done"),
    "confirm": N_("Confirmed"),
    "dispute": N_("Not solved: sent back"),
    "lapse": N_("Closed without an answer"),
    "reopen": N_("Taken up again"),
    "join": N_("Joined to an elder ticket"),
    "unjoin": N_("Taken apart from the elder ticket again"),
    "add_seat": N_("Another one raised the same and joined"),
    "drop_seat": N_("One who had joined parted again"),
    "publish_summary": N_("Published a neutral summary, so that others may join"),
    "withdraw_summary": N_("Took the published summary back"),
    "withdraw": N_("Withdrawn"),
    "urge": N_("Urged"),
}
"""What a timeline entry is called."""

BUTTON_NAMES = {
    "comment": N_("Add a word"),
    "note": N_("Write an internal note"),
    "reclassify": N_("Correct kind, category or area"),
    "set_urgency": N_("Change the urgency"),
    "decline": N_("Ask not to take it"),
    "request_extension": N_("Ask for more time"),
    "withdraw_request": N_("Take back a request"),
    "decide": N_("Decide the request"),
    "dispatch": N_("Dispatch"),
    "assign": N_("Assign to a colleague"),
    "acknowledge": N_("Sign for it"),
    "transfer": N_("Transfer to another unit"),
    "ask_submitter": N_("Ask the submitter"),
    "answer": N_("Answer the question"),
    "reply": N_("Reply to the submitter"),
    "answer_leg": N_("Answer the lead"),
    "add_leg": N_("Ask another unit to assist"),
    "drop_leg": N_("Drop an assisting unit"),
    "resolve": N_("Say that it is done"),
    "confirm": N_("It is solved"),
    "dispute": N_("It is not solved"),
    "reopen": N_("Take it up again"),
    "join": N_("Join it to an elder ticket"),
    "unjoin": N_("It is another matter: take it apart"),
    "publish_summary": N_("Publish a neutral summary"),
    "withdraw_summary": N_("Take the summary back"),
    "withdraw": N_("Withdraw it"),
    "urge": N_("Urge"),
}
"""What a person presses."""

FILTER_NAMES = {
    "status": N_("Status"),
    "unit": N_("Unit"),
    "category": N_("Category"),
    "area": N_("Area"),
    "kind": N_("Kind"),
    "urgency": N_("Urgency"),
    "overdue": N_("Late only"),
    "disputed": N_("Came back"),
    "silent": N_("Silent"),
    "q": N_("Search"),
    "from": N_("From"),
    "to": N_("To"),
    "tab": N_("Tab"),
    "cursor": N_("Place in the list"),
    "period": N_("Period"),
}
"""Filters of a list."""

SEARCHED_NAMES = {
    "open": N_("still open"),
    "resolved": N_("answered, waiting for the submitter's word"),
    "closed": N_("ended"),
    "legacy": N_("from the old system"),
}
"""What a search may be narrowed to."""

UNIT_KIND_NAMES = {
    "region": N_("Region"),
    "department": N_("Department"),
}

LEVEL_NAMES = {
    "county": N_("County"),
    "town": N_("Town or street"),
    "village": N_("Village or community"),
}
