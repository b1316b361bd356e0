"""What people read before, on and after an action's form. English here; Chinese in the catalogue."""

from __future__ import annotations

from feedback.kernel.text import N_

YES_NAMES = {
    "solved": N_("Yes, it is solved"),
    "partly": N_("Yes, it is partly solved"),
    "accepted": N_("I accept that"),
}
"""The plain button by which whoever raised it agrees with the claim."""

SUBMIT_NAMES = {
    "comment": N_("Send what you add"),
    "note": N_("Keep the note"),
    "reclassify": N_("Correct it"),
    "set_urgency": N_("Change it"),
    "decline": N_("Ask for that"),
    "request_extension": N_("Ask for that"),
    "withdraw_request": N_("Take it back"),
    "dispatch": N_("Send it on"),
    "assign": N_("Assign"),
    "transfer": N_("Hand it on"),
    "ask_submitter": N_("Send the question"),
    "answer": N_("Send the answer"),
    "reply": N_("Send the reply"),
    "answer_leg": N_("Send to the lead"),
    "add_leg": N_("Ask the unit"),
    "drop_leg": N_("Drop the unit"),
    "resolve": N_("Say that it is done"),
    "confirm": N_("Send the confirmation"),
    "dispute": N_("Send it back"),
    "reopen": N_("Take it up again"),
    "join": N_("Join it"),
    "unjoin": N_("Take it apart"),
    "publish_summary": N_("Publish it"),
    "withdraw": N_("Withdraw it for good"),
}
"""The button at the end of an action's form."""

ACTION_HINTS = {
    "comment": N_("The unit that works on it reads this."),
    "note": N_("Only staff who see the ticket read this. It is never a response."),
    "ask_submitter": N_("Twice at most. The time for the work stands still until the answer, but not for ever."),
    "reply": N_("The submitter reads this. The first reply counts as the first response."),
    "answer_leg": N_("The lead puts it together with theirs and replies to the submitter."),
    "resolve": N_("The submitter is asked whether it is. Until they say so, it is your claim."),
    "dispute": N_("It goes back to the same unit, with a new due time."),
    "reopen": N_("It goes back to work, with a new due time."),
    "withdraw": N_("It is closed and nobody works on it any more. This can't be undone; you can submit it anew."),
    "join": N_(
        "For two tickets on the same matter. This one ends here; its submitter is asked together with the elder one's."
    ),
    "unjoin": N_("It stands on its own again, with its own due times; the time joined is not counted."),
    "publish_summary": N_(
        "Whoever submits something like it in that area reads these words alone, and may join. Name nobody."
    ),
    "withdraw_summary": N_("Nobody can join by it any more. Who has joined stays."),
    "urge": N_("They are told that you are waiting. It moves no due time."),
    "transfer": N_("The submitter's due time stays as it is."),
    "set_urgency": N_("Raising it counts at once; lowering it is decided by a supervisor."),
    "decline": N_("A second person decides. Until then it stays here and its time runs."),
    "request_extension": N_(
        "A dispatcher decides, the second time a leader; there is no third time. Until then the time runs. "
        "At most as long again as at first, and 10 working days. The submitter reads what you write."
    ),
    "acknowledge": N_("You take it on; the submitter sees that."),
}
"""What a person should know before they press."""

DONE_SENTENCES = {
    "comment": N_("Your words are there, and the unit is told."),
    "note": N_("Your note is kept; only staff see it."),
    "reclassify": N_("Corrected. Its due times were worked out anew."),
    "set_urgency": N_("Done: raised at once, or a supervisor is asked."),
    "decline": N_("A second person is asked to decide. Until then the time runs."),
    "request_extension": N_("Asked. Until it is decided the time runs as before."),
    "withdraw_request": N_("Taken back. Nobody needs to decide it."),
    "decide": N_("Decided, and those who asked are told."),
    "dispatch": N_("Sent on. The unit is told and must sign for it."),
    "assign": N_("Assigned, and your colleague is told."),
    "acknowledge": N_("Signed for: it is yours to work on now."),
    "transfer": N_("Handed on. The new unit is told and must sign for it."),
    "ask_submitter": N_("Your question is sent. The time for the work stands still until the answer."),
    "answer": N_("Your answer is there; work goes on."),
    "reply": N_("Your reply is sent."),
    "answer_leg": N_("Your answer is with the lead."),
    "add_leg": N_("The unit is asked to assist."),
    "drop_leg": N_("The unit's part has ended."),
    "resolve": N_("The submitter is now asked whether it is solved."),
    "confirm": N_("Thank you: it is closed as you say."),
    "dispute": N_("It goes back to the unit with what you wrote, and has a new due time."),
    "reopen": N_("It is taken up again and has a new due time."),
    "withdraw": N_("Withdrawn. Nobody works on it any more."),
    "join": N_("Joined. Whoever raised it is asked when the elder one is done."),
    "unjoin": N_("It stands on its own again, and its time runs."),
    "publish_summary": N_("Published. People of that area can join by it now."),
    "withdraw_summary": N_("Taken back. Nobody can join by it any more."),
    "urge": N_("They are reminded that you are waiting."),
}
"""What is said when an action is done."""
